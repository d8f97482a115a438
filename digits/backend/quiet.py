"""Hold back what C++ libraries write to standard error, past Python's own streams."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import TemporaryFile

from digits.errors import DigitsError


@contextmanager
def quiet_stderr() -> Iterator[None]:
    """Discard what the block writes to standard error, unless it raises an unexpected error."""
    try:
        sys.stderr.flush()
        stderr = os.dup(2)
    except (AttributeError, OSError, ValueError):
        # There is no standard error, as in a service.
        yield
        return
    with TemporaryFile() as output:
        os.dup2(output.fileno(), 2)
        try:
            yield
        except DigitsError:
            raise
        except BaseException:
            output.seek(0)
            os.write(stderr, output.read())
            raise
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)
