"""``python -m anyseek`` and the ``anyseek`` command."""

from __future__ import annotations

import sys

from .cli.app import run

__all__ = ["main"]


def main() -> None:
    """Run the command line and end the process with its exit code."""
    sys.exit(run())


if __name__ == "__main__":
    main()
