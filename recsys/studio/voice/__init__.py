"""Pitch correction of one voice, for `recsys tune-vocal`."""
