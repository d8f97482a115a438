"""`digits sweep`: many runs of the pipeline, on this machine or on a Ray cluster, and the table of them."""
