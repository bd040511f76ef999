"""Migration of homes that an older version of the program has written."""
