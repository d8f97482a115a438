"""The pipeline's stages, run as `python -m stages.NAME`; importing this checks the installed versions."""

from digits.environment import check

check()
