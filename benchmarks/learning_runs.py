"""Teaches a library by the command that people use, and asks it what was kept back."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from anyseek import Library
from anyseek.evaluation.configurations import Configuration
from anyseek.evaluation.course import evaluate
from anyseek.evaluation.formats import read_queries

from .measure import ROOT

__all__ = ["BASE", "Asked", "Method", "Trained", "ask", "teach"]

NOT_SWITCHED_ON = 6
BASE = "base"


@dataclass(frozen=True, slots=True)
class Method:
    """A way to learn.

    Attributes:
        name: What the tables call it.
        arguments: Of ``anyseek train``.
    """

    name: str
    arguments: tuple[str, ...]

    @property
    def slug(self) -> str:
        """As the name of an adapter."""
        return "-".join(self.name.replace(",", "").split())


@dataclass(frozen=True, slots=True)
class Trained:
    """What a training took, and what its gate said.

    Attributes:
        name: Of the adapter.
        seconds: Of the training itself.
        peak_mb: The most memory that its process had, in MiB.
        passed: Whether it was switched on.
        reason: Why, or why not.
    """

    name: str
    seconds: float
    peak_mb: float | None
    passed: bool
    reason: str


@dataclass(frozen=True, slots=True)
class Asked:
    """How queries were answered in one way.

    Attributes:
        values: By query, the figures of each.
    """

    values: Mapping[str, Mapping[str, float]]

    def mean(self, measure: str, kind: str = "") -> float:
        """Over all queries, or over those whose ids begin with a kind."""
        of = [values[measure] for name, values in self.values.items() if name.startswith(kind)]
        return math.fsum(of) / len(of)

    def worst_decile(self, measure: str) -> float:
        """The mean over the tenth of the queries that are answered worst: each is a class here."""
        of = sorted(values[measure] for values in self.values.values())
        count = max(1, math.ceil(len(of) / 10))
        return math.fsum(of[:count]) / count


def teach(library: Path, pairs: Path, method: Method, seed: int) -> Trained:
    """Run ``anyseek train`` in a process of its own, so that its memory is its own, too.

    Raises:
        RuntimeError: It failed.
    """
    name = f"{method.slug}-{seed}"
    arguments = ["train", str(pairs), "--library", str(library), *method.arguments, "--seed", str(seed), "--name", name, "--json"]
    done = subprocess.run([sys.executable, "-m", "anyseek", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode not in (0, NOT_SWITCHED_ON):
        raise RuntimeError(f"anyseek {' '.join(arguments)} ended with {done.returncode}: {done.stderr.strip()}")
    told = json.loads(done.stdout)
    return Trained(name, told["seconds"], told["peak_mb"], told["switched_on"], told["verdict"]["reason"])


def ask(library: Library, queries: Sequence[Mapping[str, Any]], adapters: Sequence[str], folder: Path) -> dict[str, Asked]:
    """Ask as ``anyseek eval --compare adapter=off,NAME,…`` does: without any adapter (`BASE`), and with each alone.

    Raises:
        RuntimeError: Some of it could not be asked.
    """
    written = folder / "queries.json"
    written.write_text(json.dumps({"version": 1, "queries": list(queries)}), encoding="utf-8")
    ways = [Configuration(BASE, adapter="off"), *(Configuration(name, adapter=name) for name in adapters)]
    evaluation = evaluate(library, read_queries(written), ways, roots=[ROOT / "data" / "demo"])
    if evaluation.has_problems or evaluation.missing:
        problems = [result.problem for each in evaluation.evaluated for result in each.results if result.problem]
        raise RuntimeError(f"not all could be asked: {problems[:3] or evaluation.missing[:3]}")
    return {
        each.configuration.name: Asked({result.question.judged.id: result.values for result in each.results})
        for each in evaluation.evaluated
    }
