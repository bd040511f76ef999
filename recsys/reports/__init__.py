"""Reports for people: pages and files made from results of runs."""
