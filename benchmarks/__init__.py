<<<<<<< HEAD
"""Measurements that anyone can run again; docs/ has their tables."""
=======
"""Measurements that a person starts by hand; none of them is a stage of the pipeline."""
>>>>>>> pictures
