"""Facts of stems and what to try, for `recsys mix`."""
