"""Hear the catalogue: decode, measure, place, tag."""
