"""The command line `digits`; each command has a module with its texts, arguments and function."""

import argparse
import sys
from types import ModuleType

from digits.app import command as app
from digits.comparison import command as compare
from digits.errors import DigitsError, run
from digits.packing import command as dataset
from digits.prediction import command as predict
from digits.report import command as report
from digits.sweep import command as sweep
from digits.verification import command as verify

# Each has SUMMARY, DESCRIPTION, EPILOG and `add_arguments`. The modules import other libraries only when a
# command runs, so that help appears at once.
COMMANDS: dict[str, ModuleType] = {
    "predict": predict,
    "app": app,
    "dataset": dataset,
    "verify": verify,
    "sweep": sweep,
    "compare": compare,
    "report": report,
}

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
    for name, command in COMMANDS.items():
        command.add_arguments(
            commands.add_parser(
                name,
                help=command.SUMMARY,
                description=command.DESCRIPTION,
                epilog=command.EPILOG,
                formatter_class=argparse.RawDescriptionHelpFormatter,
            )
        )
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
