"""Copyright matching: the recordings of the catalogue that an audio file uses, when, and with what probability."""
