"""Scan: a folder of music into the lake."""
