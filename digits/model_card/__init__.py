"""The model card: what the trained model is, from the files that the pipeline made."""
