"""Datasets: where their raw arrays come from, and how they are prepared."""
