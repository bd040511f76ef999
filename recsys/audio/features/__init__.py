"""Measured attributes of a recording: rhythm, tonality, timbre, loudness."""
