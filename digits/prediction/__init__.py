"""The digit in a picture: `digits predict`, and the functions that applications call."""
