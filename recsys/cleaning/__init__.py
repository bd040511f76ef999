"""Cleaning of the catalogue: titles and credits read, duplicate recordings linked, wrong artists found, decisions."""
