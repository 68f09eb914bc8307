"""Write the pages that are made from the program itself: docs/commands.md, from every command's help.

`python scripts/write_docs.py --check` changes nothing and fails when a page is out of date.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

PAGE = Path(__file__).parents[1] / "docs" / "commands.md"
COMMANDS = (
    "index",
    "search",
    "similar",
    "duplicates",
    "tag",
    "meta",
    "feedback",
    "feedback like",
    "feedback reject",
    "feedback open",
    "feedback list",
    "feedback forget",
    "status",
    "errors",
    "doctor",
    "eval",
    "calibrate",
    "train",
    "models",
    "models pull",
    "models use",
    "models drop",
    "adapters",
    "adapters list",
    "adapters show",
    "adapters use",
    "adapters off",
    "adapters rollback",
    "adapters drop",
)
HEAD = """# Commands

Made from the commands' own help by `make docs`.

Exit codes: 0 done, 1 nothing found, 2 the request cannot be served as it stands, 3 done but some files failed, 4 something about the
library, 5 the disk is full, 6 what was trained is not surely better and was not switched on, 130 interrupted.
"""


def help_of(*command: str) -> str:
    """What ``anyseek COMMAND --help`` prints on a terminal of 100 columns without colours."""
    environment = {**os.environ, "COLUMNS": "100", "TERM": "dumb", "NO_COLOR": "1", "PYTHONUTF8": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "anyseek", *command, "--help"], capture_output=True, text=True, check=True, env=environment
    )
    return "\n".join(line.rstrip() for line in done.stdout.strip("\n").splitlines()).replace("python -m anyseek", "anyseek")


def page() -> str:
    """The page as it should be."""
    sections = [f"## anyseek {command}\n\n```text\n{help_of(*command.split())}\n```\n" for command in COMMANDS]
    return "\n".join([HEAD, f"```text\n{help_of()}\n```\n", *sections])


def main() -> None:
    wanted = page()
    if "--check" not in sys.argv:
        PAGE.write_text(wanted, encoding="utf-8")
    elif not PAGE.exists() or PAGE.read_text(encoding="utf-8") != wanted:
        sys.exit(f"{PAGE} is out of date: run  make docs")


if __name__ == "__main__":
    main()
