"""Measured attributes of a recording: loudness, rhythm, tonality, timbre, and energy and danceability."""
