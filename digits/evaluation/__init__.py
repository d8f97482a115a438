"""Measures of how good a classifier is."""
