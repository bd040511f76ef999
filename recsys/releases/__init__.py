"""Releases of a home: publishing, rollback and pruning, the gate that decides on publication, and takedowns."""
