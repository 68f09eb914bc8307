"""Environments of their own for the projects that we are compared with: their needs and ours exclude each other."""

from __future__ import annotations

import subprocess
import venv

from .measure import ROOT

__all__ = ["CACHE", "NotInstalled", "python_of"]

CACHE = ROOT / ".bench"

NEEDS = {
    "rclip": ["rclip==3.3.0"],  # the last that Python 3.11 can run
    # Clip-anytorch, which it needs, imports pkg_resources, and a part of it that went away.
    "clip-retrieval": ["clip-retrieval==2.45.0", "setuptools==69.5.1"],
}


class NotInstalled(Exception):
    """A project could not be installed; the text says why."""


def python_of(project: str) -> str:
    """The Python in which a project is installed; made on the first call, which takes minutes and, for clip-retrieval, 6 GB.

    Raises:
        NotInstalled: pip could not.
    """
    place, ready = CACHE / project, CACHE / project / ".ready"
    python = place / "bin" / "python"
    if not ready.exists():
        venv.create(place, with_pip=True, clear=True)
        for need in NEEDS[project]:  # one after the other: the second would be refused beside the first
            done = subprocess.run([python, "-m", "pip", "install", "--quiet", need], capture_output=True, text=True)
            if done.returncode:
                errors = [line for line in done.stderr.splitlines() if line.startswith("ERROR: ")]
                raise NotInstalled(errors[-1].removeprefix("ERROR: ") if errors else f"pip ended with {done.returncode}")
        ready.touch()
    return str(python)
