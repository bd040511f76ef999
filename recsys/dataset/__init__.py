"""What models learn from: interactions, features of tracks and listeners, and cuts through time."""
