"""The rerank rules: one file per rule, with a frozen dataclass of its settings. A recipe names a rule by its file."""
