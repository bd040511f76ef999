"""Synthetic music with exact labels: tunes arranged and rendered with known tempo, key, instruments and melody."""
