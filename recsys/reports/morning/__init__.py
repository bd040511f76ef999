"""The morning report: breakouts, new uses, drops and data issues, for the operator and for each label."""
