"""The library behind the pipeline: each module is one noun that the stages use."""
