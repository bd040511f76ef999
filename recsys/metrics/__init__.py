"""Metrics: figures that analysts ask for by name, each defined once in `sql/metrics`."""
