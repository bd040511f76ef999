"""Tools on audio files: what they take from a file or a folder, and where they write."""
