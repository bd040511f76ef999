"""Soundtracks for an activity: recordings in an order that follows a curve of tempo and energy and adapts to skips."""
