"""Run a command, and end all of its processes when the one that started this is gone.

Usage: python guard.py COMMAND ...

Whoever starts it keeps the other end of its standard input, which closes however that process ends.
"""

import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress


def main() -> None:
    """Run the command in a group of its own, and exit with its status."""
    process = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL, start_new_session=True)

    def end_group() -> None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)

    def watch() -> None:
        sys.stdin.buffer.read()
        end_group()

    threading.Thread(target=watch, daemon=True).start()
    status = process.wait()
    end_group()
    os._exit(status if status >= 0 else 128 - status)


if __name__ == "__main__":
    main()
