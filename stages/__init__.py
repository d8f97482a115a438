"""The verbs: `python -m stages.NAME` runs a stage, once its environment has been looked at."""

from digits.environment import check

check()
