"""`digits verify`: whether dvc.lock matches a checkout, and whether its outputs can be reproduced."""
