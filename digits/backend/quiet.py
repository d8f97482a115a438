"""What libraries written in C++ say on the screen, past Python's own streams."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import TemporaryFile

from digits.errors import DigitsError


@contextmanager
def chatter_held_back() -> Iterator[None]:
    """Keep from the screen what libraries write while the block runs, unless it fails unforeseen."""
    try:
        sys.stderr.flush()
        screen = os.dup(2)
    except (AttributeError, OSError, ValueError):
        # A program without a screen, such as a service.
        yield
        return
    with TemporaryFile() as chatter:
        os.dup2(chatter.fileno(), 2)
        try:
            yield
        except DigitsError:
            raise
        except BaseException:
            chatter.seek(0)
            os.write(screen, chatter.read())
            raise
        finally:
            os.dup2(screen, 2)
            os.close(screen)
