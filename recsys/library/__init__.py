"""The music files of a home: which there are, what they are called, and the way of each into the lake."""
