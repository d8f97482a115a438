"""What a user did wrong, or what the machine refused, said in one line."""

import os
import sys
from collections.abc import Callable
from difflib import get_close_matches
from pathlib import Path


class DigitsError(Exception):
    """A problem that its reader can solve; the text names what, where, and what is allowed."""


def unknown_name(kind: str, name: object, allowed: list[str]) -> str:
    """Say that `name` is none of the `allowed` ones, and which one comes nearest."""
    nearest = get_close_matches(str(name), allowed, n=1)
    hint = f" (did you mean {nearest[0]!r}?)" if nearest else ""
    return f"{name!r} is no {kind}{hint}; allowed: {', '.join(allowed)}"


def run(main: Callable[[], None]) -> None:
    """Run a stage's `main`; a `DigitsError` or a refusal of the system becomes one line and status 1."""
    name = Path(sys.argv[0]).stem
    try:
        main()
    except DigitsError as error:
        sys.exit(f"{name}: {error}")
    except OSError as error:
        where = f"{os.fsdecode(error.filename)}: " if error.filename else ""
        sys.exit(f"{name}: {where}{error.strerror or error}")
    except KeyboardInterrupt:
        sys.exit(130)
