"""The morning report: what changed since yesterday, for the operator and for each label."""
