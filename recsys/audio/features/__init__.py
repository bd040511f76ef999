"""Measured attributes of a recording: loudness, rhythm, tonality, timbre, and what is derived from them."""
