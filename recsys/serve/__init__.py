"""The lists of the current release over HTTP, for other programs: `recsys serve` (see `docs/service.md`)."""
