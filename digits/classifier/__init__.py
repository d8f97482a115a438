"""The calibrated classifier as applications ask it, and its files."""
