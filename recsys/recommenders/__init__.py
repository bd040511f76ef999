"""Models of taste: one file each, all behind `base.Recommender`."""
