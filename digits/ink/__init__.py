"""The network that finds the ink of digits in a picture, and the pictures that it learns from."""
