"""Fingerprints that survive what uploads do to a recording."""
