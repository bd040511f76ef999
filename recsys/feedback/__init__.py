"""Learning from what listeners did with what they were shown: exploration, its value, and where a loop of it leads."""
