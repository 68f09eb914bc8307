"""What looking at a film costs, against decoding all of it and against its key frames alone: the table of `film_sampling`."""

from __future__ import annotations

import subprocess
import sys

from .measure import ROOT

__all__ = ["film_table"]


def film_table() -> str:
    """Run ``benchmarks/film_sampling.py`` and give what it prints."""
    command = [sys.executable, "benchmarks/film_sampling.py"]
    return subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True).stdout
