"""Ingest source files into the lake, and refused rows into the quarantine; the entry point is `ingest.run`."""
