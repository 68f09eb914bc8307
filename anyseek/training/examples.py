"""Pairs as one space has them: vectors of queries and of what answers them, and which of them go together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from ..types import Modality
from .problem import Edges

__all__ = ["Examples", "Query", "Target"]


class Query(NamedTuple):
    """What is asked.

    Attributes:
        label: As a person knows it; queries by the same words are one, whatever their capitals.
        content_id: Of the file that is asked with; None for words.
        stretch: Of it, in milliseconds; (0, 0) for all of it.
    """

    label: str
    content_id: int | None = None
    stretch: tuple[int, int] = (0, 0)


class Target(NamedTuple):
    """What answers, seen or heard.

    Attributes:
        content_id: Of the file.
        stretch: Of it, in milliseconds; (0, 0) for all of it.
        modality: What of it the vector is of.
    """

    content_id: int
    stretch: tuple[int, int]
    modality: Modality


@dataclass(frozen=True, eq=False)
class Examples:
    """Pairs in one space, in an order that does not depend on that in which they were given.

    A file with pictures and sound has a target for each, and so has a query that is a file: each is paired with each.

    Attributes:
        queries: q of them.
        query_vectors: (q, dim) float32 unit rows.
        query_modalities: q of them; TEXT for words.
        query_groups: (q,) int64, the group of near-duplicates that a query's file is of; -1 for words.
        targets: t of them.
        target_vectors: (t, dim) float32 unit rows: means of what is stored of the file or moment, of one modality each.
        groups: (t,) int64, the group of near-duplicates that the target's file is of; equal numbers mean the same as in `query_groups`.
        query_of: (e,) int64, rows of queries.
        target_of: (e,) int64, rows of targets.
        positive: (e,) bool.
        weights: (e,) float32 above 0, the pairs' grades.
        sources: Names.
        source_of: (e,) int64, places in `sources`.
        left_out: Why pairs could not be used → how many of them.
    """

    queries: tuple[Query, ...]
    query_vectors: np.ndarray
    query_modalities: tuple[Modality, ...]
    query_groups: np.ndarray
    targets: tuple[Target, ...]
    target_vectors: np.ndarray
    groups: np.ndarray
    query_of: np.ndarray
    target_of: np.ndarray
    positive: np.ndarray
    weights: np.ndarray
    sources: tuple[str, ...]
    source_of: np.ndarray
    left_out: Mapping[str, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.query_of)

    @property
    def target_modalities(self) -> tuple[Modality, ...]:
        """What each of the targets is of."""
        return tuple(target.modality for target in self.targets)

    def edges(self, mask: np.ndarray | None = None, weights: np.ndarray | None = None) -> Edges:
        """Some of the pairs, or all.

        Args:
            mask: (e,) bool, which.
            weights: (e,) how much each of all pairs counts instead of its grade.
        """
        rows = np.flatnonzero(np.ones(len(self), bool) if mask is None else mask)
        counting = self.weights if weights is None else weights
        return Edges.of(self.query_of[rows], self.target_of[rows], self.positive[rows], counting[rows])
