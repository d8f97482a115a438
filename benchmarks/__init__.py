"""Measurements that a person starts by hand; none of them is a stage of the pipeline."""
