"""The real command, as a person's shell starts it: a process of its own, with its own home, away from the checkout."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["CommandLine", "Said"]

FORGOTTEN = ("ANYSEEK_LIBRARY", "PYTHONPATH", "NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES", "TERM")
StrPath = str | bytes | os.PathLike[str]


@dataclass(frozen=True, slots=True)
class Said:
    """What a command said, and how it ended."""

    code: int
    out: bytes
    err: bytes

    @property
    def text(self) -> str:
        """Stdout."""
        return self.out.decode()

    @property
    def complaint(self) -> str:
        """Stderr."""
        return self.err.decode()

    @property
    def json(self) -> Any:
        """Stdout as the one JSON document that it must be."""
        return json.loads(self.out)


class CommandLine:
    """Runs ``anyseek`` and sees that it ends with the code that is expected and never with a traceback.

    Args:
        home: The home of the person, made if it is not there; it is also where the command is started.
        library: What ``$ANYSEEK_LIBRARY`` says.
        before: Called in the new process before the command begins, to take something away from it.
    """

    def __init__(self, home: Path, library: Path | None = None, before: Callable[[], None] | None = None) -> None:
        self.home = home
        self.before = before
        home.mkdir(parents=True, exist_ok=True)
        self.environment = {name: value for name, value in os.environ.items() if name not in FORGOTTEN}
        for variable in ("HOME", "USERPROFILE", "XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME"):
            self.environment[variable] = str(home)
        if library is not None:
            self.environment["ANYSEEK_LIBRARY"] = str(library)

    def __call__(self, *arguments: StrPath | int, code: int = 0, env: dict[str, str] | None = None, cwd: Path | None = None) -> Said:
        """Run it to its end."""
        process = self.start(*arguments, env=env, cwd=cwd)
        return self.finish(process, code=code)

    def start(self, *arguments: StrPath | int, env: dict[str, str] | None = None, cwd: Path | None = None) -> subprocess.Popen[bytes]:
        """Run it beside us."""
        words = [str(word) if isinstance(word, int) else word for word in arguments]
        return subprocess.Popen(
            [sys.executable, "-m", "anyseek", *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=self.environment | (env or {}),
            cwd=cwd or self.home,
            preexec_fn=self.before,
            start_new_session=True,  # so that a test can press Ctrl-C on it and its children, and on nobody else
        )

    @staticmethod
    def finish(process: subprocess.Popen[bytes], *, code: int = 0, timeout: float = 120) -> Said:
        """Wait for the end of what `start` began."""
        try:
            out, err = process.communicate(timeout=timeout)
        except BaseException:
            process.kill()
            process.communicate()
            raise
        said = Said(process.returncode, out, err)
        assert b"Traceback" not in err, err.decode(errors="replace")
        assert said.code == code, f"ended with {said.code}, not {code}\n{err.decode(errors='replace')}\n{out.decode(errors='replace')}"
        return said
