"""`digits verify`: whether dvc.lock is true, and whether its outputs can be had again."""
