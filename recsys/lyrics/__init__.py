"""What songs say: lyrics as lines and sections, their words and language, from the text alone."""
