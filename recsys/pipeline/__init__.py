"""The nightly run: its steps, its results, and the runner that resumes them."""
