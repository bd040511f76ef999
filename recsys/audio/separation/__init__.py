"""Vocals and accompaniment of a recording, by Spleeter's two-stem networks."""
