"""The command line `digits`; each command has a module that registers its name, arguments and function."""

import argparse
import sys
from collections.abc import Callable

from digits.app import command as app
from digits.comparison import command as compare
from digits.errors import DigitsError, run
from digits.prediction import command as predict
from digits.report import command as report
from digits.sweep import command as sweep
from digits.verification import command as verify

# The modules of commands import other libraries only when a command runs, so that help appears at once.
COMMANDS: tuple[Callable[["argparse._SubParsersAction[argparse.ArgumentParser]"], None], ...] = (
    predict.register,
    app.register,
    verify.register,
    sweep.register,
    compare.register,
    report.register,
)

# What the extra `pipeline` installs; applications that only ask for answers do without.
PIPELINE = {"dvc", "h5py", "keras", "matplotlib", "pydantic", "sklearn", "tensorflow", "yaml"}


def main() -> None:
    """Run the command that the arguments name, and exit with its status."""
    sys.argv[0] = "digits"  # the name that `run` puts before errors, however Python was started
    run(_main)


def _main() -> None:
    parser = argparse.ArgumentParser(
        prog="digits", description="Read handwritten digits, and verify the pipeline."
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for register in COMMANDS:
        register(commands)
    arguments = parser.parse_args()
    try:
        sys.exit(arguments.run(arguments))
    except ModuleNotFoundError as error:
        missing = str(error.name).split(".")[0]
        if missing not in PIPELINE:
            raise
        raise DigitsError(
            f"this needs {missing}, which the extra `pipeline` installs: pip install 'digits[pipeline]'"
        ) from error
