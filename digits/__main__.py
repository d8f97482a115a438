"""`python -m digits`: the command line, without the installed script `digits`."""

from digits.cli import main

main()
