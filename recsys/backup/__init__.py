"""Backups of a home: incremental, verified, and without erased listeners when they are restored."""
