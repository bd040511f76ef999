"""The nightly run: its steps, their results, and the runner, which can resume an interrupted run."""
