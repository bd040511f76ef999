"""What was published, what is current, and what may replace it."""
