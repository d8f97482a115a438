"""What a user did wrong, or what the machine refused, said in one line."""

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
    """A problem that its reader can solve; the text names what, where, and what is allowed."""


def unknown_name(kind: str, name: object, allowed: list[str]) -> str:
    """Say that `name` is none of the `allowed` ones, and which one comes nearest."""
    nearest = get_close_matches(name[:100], allowed, n=1) if isinstance(name, str) else []
    hint = f" (did you mean {nearest[0]!r}?)" if nearest else ""
    return f"{short(name)} is no {kind}{hint}; allowed: {', '.join(allowed)}"


def short(value: object) -> str:
    """Return the representation of `value`, cut to about a hundred characters."""
    return _SHORT.repr(value)


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
