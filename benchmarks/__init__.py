"""Measurements that anyone can run again; docs/ has their tables."""
