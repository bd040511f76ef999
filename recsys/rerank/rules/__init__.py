"""Rules for lists, one file each: a frozen dataclass of settings that is found by its name."""
