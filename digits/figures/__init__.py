"""The pictures of the reports: figures/X.py draws reports/X.png."""
