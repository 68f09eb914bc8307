"""``python -m anyseek`` and the ``anyseek`` command."""

from __future__ import annotations

import os
import sys

__all__ = ["main"]

INTERRUPTED = 130


def main() -> None:
    """Run the command line and end the process with its exit code.

    Everything was closed by then, so the interpreter is not taken down piece by piece: that takes 0.14 s, a fifth of a cold search.
    """
    try:
        from .cli.app import run  # takes a moment, in which Ctrl-C may come, too

        code = run()
    except KeyboardInterrupt:
        os._exit(INTERRUPTED)
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except BrokenPipeError:  # the reader of our output has seen enough
            continue
    os._exit(code)


if __name__ == "__main__":
    main()
