"""Run the commands of a page's console blocks anew and write down what they say.

Usage: python scripts/fill_consoles.py docs/searching.md ...

Each line that begins with ``$ `` is run by one shell per page, in the root of the checkout, and what it prints, on both streams, takes the
place of the lines below it. The checkout's own path is written as `PLACE`.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PLACE = "/home/me/anyseek"
END = "--- end of what a command says ---"


def filled(page: str) -> str:
    environment = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
    environment["PATH"] = f"{Path(sys.executable).parent}:{environment['PATH']}"
    with subprocess.Popen(
        ["bash"], cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, bufsize=1
    ) as shell:
        return re.sub(r"```console\n(.*?)```\n", lambda block: f"```console\n{_block(shell, block[1])}```\n", page, flags=re.DOTALL)


def _block(shell: subprocess.Popen[str], block: str) -> str:
    assert shell.stdin is not None
    assert shell.stdout is not None
    lines = []
    for command in re.findall(r"^\$ (.*)$", block, flags=re.MULTILINE):
        lines.append(f"$ {command}\n")
        shell.stdin.write(f"{command}\necho; echo '{END}'\n")
        said = []
        while (line := shell.stdout.readline()).rstrip("\n") != END:
            if not line:
                raise SystemExit(f"the shell ended while it ran  {command}")
            said.append(line.rstrip().replace(str(ROOT), PLACE) + "\n")
        while said and not said[-1].strip():
            said.pop()
        lines += said
    return "".join(lines)


def main() -> None:
    for name in sys.argv[1:]:
        page = Path(name)
        page.write_text(filled(page.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
