"""What changed since yesterday, in sentences with numbers, for the operator and for each label."""
