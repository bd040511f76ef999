"""Experiments outside the nightly run: evaluation protocols, tuning, comparisons, simulation of the feedback loop."""
