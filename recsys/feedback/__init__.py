"""Learning from listeners' reactions to lists: exploration, off-policy evaluation, simulation of the feedback loop."""
