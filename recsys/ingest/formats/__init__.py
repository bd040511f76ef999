"""One file a source format; each is found by its name in this folder."""
