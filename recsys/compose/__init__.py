"""Suggestions for writers: melodies, chords, bands, lines of lyrics and textures, each checked against other tunes."""
