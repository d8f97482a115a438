"""The network that finds the ink of digits in a picture: what it computes, and how it is trained."""
