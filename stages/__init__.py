"""The verbs: `python -m stages.NAME` runs a stage, and this line looks at the environment before it starts."""

from digits.environment import check

check()
