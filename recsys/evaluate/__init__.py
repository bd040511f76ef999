"""How good a ranking is: pure functions, one value a listener, NaN where there is no evidence."""
