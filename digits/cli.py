"""The command line `digits`; a command is a module that registers its name, arguments and function."""

import argparse
import sys
from collections.abc import Callable

from digits.app import command as app
from digits.errors import run
from digits.prediction import command as predict
from digits.verification import command as verify

# What a command's module needs beyond the standard library it imports when it runs, so that help is instant.
COMMANDS: tuple[Callable[["argparse._SubParsersAction[argparse.ArgumentParser]"], None], ...] = (
    predict.register,
    app.register,
    verify.register,
)


def main() -> None:
    """Run the command that the arguments name, and end with its exit status."""
    sys.argv[0] = "digits"  # which `run` names, however Python was started
    run(_main)


def _main() -> None:
    parser = argparse.ArgumentParser(prog="digits", description="Handwritten digits: the command line.")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for register in COMMANDS:
        register(commands)
    arguments = parser.parse_args()
    sys.exit(arguments.run(arguments))
