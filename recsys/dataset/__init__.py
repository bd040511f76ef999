"""Data sets for models: interactions, features of tracks and listeners, and train-test splits."""
