"""Measurements that take minutes to hours, and are made when a recipe changes."""
