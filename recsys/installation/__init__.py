"""What is installed: where its files lie, which extras are there, which plug-ins a folder holds."""
