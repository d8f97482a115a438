"""Training: recipes, networks, and the loop that fits them."""
