"""The music files on a machine: finding them in folders, naming them, and scanning them into the lake."""
