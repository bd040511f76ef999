"""Copyright matching: find which catalogue recordings an audio file uses, from when to when, with what probability."""
