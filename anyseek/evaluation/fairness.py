"""Whether lists of mixed kinds are fair: the share of each kind among hits against its share of the right answers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ..types import Kind
from .results import Result

__all__ = ["KindShare", "kind_shares"]


@dataclass(frozen=True, slots=True)
class KindShare:
    """Shares of one kind, each the mean over queries.

    Attributes:
        kind: Of files.
        right: Among the right answers.
        first: Among the first hits of a fixed number.
        as_many: Among as many first hits as there are right answers: a perfect search has the same here as in `right`.
    """

    kind: Kind
    right: float
    first: float
    as_many: float


def kind_shares(results: Iterable[Result], first: int = 10) -> list[KindShare]:
    """Compare shares over the queries for any kind that have a right answer and found something; empty without such queries."""
    rows = []
    for result in results:
        truths = [truth.kind for truth in result.question.truths]
        found = result.kinds
        if truths and found and not result.question.judged.kinds:
            rows.append((_shares(truths), _shares(found[:first]), _shares(found[: len(truths)])))
    if not rows:
        return []
    means = [[sum(row[part][place] for row in rows) / len(rows) for part in range(3)] for place in range(len(Kind))]
    return [KindShare(kind, *shares) for kind, shares in zip(Kind, means, strict=True)]


def _shares(kinds: Sequence[Kind]) -> list[float]:
    return [kinds.count(kind) / len(kinds) for kind in Kind]
