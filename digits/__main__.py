"""`python -m digits`: the command line without its console script."""

from digits.cli import main

main()
