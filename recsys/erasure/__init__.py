"""Erasure of listeners, and access to what is held about them."""
