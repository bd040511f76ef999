"""Queries of music supervisors on the demo world, with their answers."""
