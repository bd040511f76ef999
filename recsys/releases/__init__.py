"""Releases: what is published, which release is current, and which run may replace it."""
