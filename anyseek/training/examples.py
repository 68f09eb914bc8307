"""Pairs as one space has them: vectors of queries and of what answers them, and which of them go together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np

from ..types import Modality
from .problem import Edges, Parts

__all__ = ["Examples", "Items", "Query", "Target"]


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


@dataclass(frozen=True, slots=True, eq=False)
class Items:
    """Whole answers, where a fusion makes one of what of them is seen and heard.

    Attributes:
        parts: What items consist of; owners are items.
        item_of: (t,) int64, the item that each target belongs to.
        edges: Pairs of queries and items, each once, by their rows.
        first: (i,) int64, for each pair of these the first of the pairs of queries and targets that it is made of.
    """

    parts: Parts
    item_of: np.ndarray
    edges: Edges
    first: np.ndarray


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

    def only(self, mask: np.ndarray) -> Examples:
        """The same queries and targets with some of the pairs."""
        return replace(
            self,
            query_of=self.query_of[mask],
            target_of=self.target_of[mask],
            positive=self.positive[mask],
            weights=self.weights[mask],
            source_of=self.source_of[mask],
        )

    @cached_property
    def item_of(self) -> np.ndarray:
        """(t,) int64: targets of one file or moment have the same number, from 0 on."""
        return _numbered([(target.content_id, target.stretch) for target in self.targets])

    def items(self) -> Items:
        """Files and moments as wholes, with the pairs that concern them; one that is right for what is seen of it is right as a whole."""
        order = np.argsort(self.item_of, kind="stable")
        modalities = self.target_modalities
        parts = Parts(
            self.item_of[order],
            self.target_vectors[order],
            tuple(modalities[row] for row in order.tolist()),
            np.ones(len(order), np.float32),
        )
        owners = self.item_of[self.target_of] if len(self) else self.target_of
        keys = np.stack([self.query_of, owners, self.positive.astype(np.int64)], axis=1)
        _, first = np.unique(keys, axis=0, return_index=True)
        edges = Edges.of(self.query_of[first], owners[first], self.positive[first], self.weights[first])
        return Items(parts, self.item_of, edges, first.astype(np.int64))


def _numbered(keys: Sequence[object]) -> np.ndarray:
    numbers = {key: number for number, key in enumerate(dict.fromkeys(keys))}
    return np.array([numbers[key] for key in keys], np.int64)
