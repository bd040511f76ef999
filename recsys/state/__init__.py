"""What people set in the dashboards, and what operators did there: `<home>/state.sqlite`."""
