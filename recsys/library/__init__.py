"""The music files of a home: find and name them in folders, and scan them into the lake."""
