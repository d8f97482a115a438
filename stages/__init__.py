"""The pipeline's stages, run as `python -m stages.NAME`; importing this checks the installed versions."""

import signal
import sys

from digits.environment import check
from digits.errors import INTERRUPTED

# Also while the libraries are imported, which takes seconds, Ctrl-C ends a stage without a trace.
if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, lambda *_: sys.exit(INTERRUPTED))

check()
