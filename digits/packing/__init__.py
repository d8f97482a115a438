"""`digits dataset`: from a folder of pictures to a dataset of the pipeline."""
