"""From what a recommender would show to lists that people want: fair, varied, and never the same artist all over."""
