"""Tags learned from labels: heads on sound, metadata and listening, with calibrated probabilities."""
