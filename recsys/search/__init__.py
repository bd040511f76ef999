"""What sounds alike: an index of vectors, and what is asked of it."""
