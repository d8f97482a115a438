"""How good a classifier's answers are."""
