"""The error that a user can solve, and how errors are printed as one line."""

import os
import sys
from collections.abc import Callable
from difflib import get_close_matches
from pathlib import Path
from reprlib import Repr

# Values in messages are cut: a params file may hold megabytes, or lists of lists without end.
_SHORT = Repr()
_SHORT.maxlevel, _SHORT.maxlist, _SHORT.maxdict, _SHORT.maxstring, _SHORT.maxother = 2, 4, 4, 80, 80


class DigitsError(Exception):
    """A problem that the user can solve; the text says what is wrong, where, and what is allowed."""


def unknown_name(kind: str, name: object, allowed: list[str]) -> str:
    """Return the line that says that `name` is not among `allowed`, with the nearest one as a suggestion."""
    nearest = get_close_matches(name[:100], allowed, n=1) if isinstance(name, str) else []
    hint = f" (did you mean {nearest[0]!r}?)" if nearest else ""
    return f"{short(name)} is no {kind}{hint}; allowed: {', '.join(allowed)}"


def short(value: object) -> str:
    """Return the representation of `value`, cut to about a hundred characters."""
    return _SHORT.repr(value)


def run(main: Callable[[], None]) -> None:
    """Run `main`; a `DigitsError` or an error of the operating system becomes one line and status 1."""
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
