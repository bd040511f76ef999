"""What the command line prints, a module for each subject."""
