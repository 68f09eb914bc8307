"""What is to be learnt, as arrays alone: vectors, which of them go together, and what must not move."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from ..errors import BadInput
from ..types import Modality

__all__ = ["Candidates", "Edges", "Parts", "Pivot", "Problem"]


@dataclass(frozen=True, slots=True, eq=False)
class Edges:
    """Pairs of a query and a target, by their rows in a problem.

    Attributes:
        query: (e,) int64.
        target: (e,) int64.
        positive: (e,) bool, whether the target answers the query; or is known not to.
        weights: (e,) float32 above 0, how much each counts; the mean need not be 1.
    """

    query: np.ndarray
    target: np.ndarray
    positive: np.ndarray
    weights: np.ndarray

    @classmethod
    def of(
        cls,
        query: Sequence[int] | np.ndarray,
        target: Sequence[int] | np.ndarray,
        positive: Sequence[bool] | np.ndarray | None = None,
        weights: Sequence[float] | np.ndarray | None = None,
    ) -> Edges:
        """Pairs that are all right, and count alike, unless it is said otherwise."""
        rows = np.asarray(query, np.int64)
        return cls(
            rows,
            np.asarray(target, np.int64),
            np.ones(len(rows), bool) if positive is None else np.asarray(positive, bool),
            np.ones(len(rows), np.float32) if weights is None else np.asarray(weights, np.float32),
        )

    @classmethod
    def none(cls) -> Edges:
        """No pairs."""
        return cls.of([], [])

    def __len__(self) -> int:
        return len(self.query)


@dataclass(frozen=True, slots=True, eq=False)
class Parts:
    """What queries or targets consist of, where that is more than one vector each.

    Attributes:
        owner: (p,) int64 ascending, the row of the query or target that each belongs to; each has at least one.
        vectors: (p, dim) float32 unit rows.
        modalities: p of them.
        weights: (p,) float32 above 0, as a user would give them.
    """

    owner: np.ndarray
    vectors: np.ndarray
    modalities: tuple[Modality, ...]
    weights: np.ndarray


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """Other stored vectors that searches find: rivals of the right answers in validation, and what the anchors are ranked by.

    Attributes:
        vectors: (m, dim of the targets) float32 unit rows.
        modalities: m of them.
    """

    vectors: np.ndarray
    modalities: tuple[Modality, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Pivot:
    """What the two spaces of a bridge make of the same texts, and what is stored in the one that it leaves.

    Attributes:
        source: (n, dim of the source) float32 unit rows.
        target: (n, dim of the target) float32 unit rows, those of the same texts.
        media: (m, dim of the source) float32 unit rows, stored there.
        media_modalities: m of them.
    """

    source: np.ndarray
    target: np.ndarray
    media: np.ndarray
    media_modalities: tuple[Modality, ...]


@dataclass(frozen=True, eq=False)
class Problem:
    """All that a training sees.

    Attributes:
        query_vectors: (q, dim) float32 unit rows; of queries with parts, anything: the parts count.
        query_modalities: q of them.
        target_vectors: (t, dim) float32 unit rows; for a bridge, in the space that it leads to.
        target_modalities: t of them.
        train: What is learnt from.
        validation: What tells when to stop.
        mapped: The modalities whose vectors are mapped, each in a way of its own.
        anchors: By modality, (a, dim) float32 unit rows that are to stay where they are: the reference captions as text.
        candidates: Other stored vectors, if there are any.
        query_parts: What queries consist of, for a fusion.
        target_parts: What targets consist of, for a fusion.
        pivot: For a bridge.

    Raises:
        BadInput: There is nothing to learn from, or the arrays do not go with each other.
    """

    query_vectors: np.ndarray
    query_modalities: tuple[Modality, ...]
    target_vectors: np.ndarray
    target_modalities: tuple[Modality, ...]
    train: Edges
    validation: Edges = field(default_factory=Edges.none)
    mapped: tuple[Modality, ...] = (Modality.TEXT,)
    anchors: Mapping[Modality, np.ndarray] = field(default_factory=dict)
    candidates: Candidates | None = None
    query_parts: Parts | None = None
    target_parts: Parts | None = None
    pivot: Pivot | None = None

    def __post_init__(self) -> None:
        for vectors, modalities, what in (
            (self.query_vectors, self.query_modalities, "queries"),
            (self.target_vectors, self.target_modalities, "targets"),
        ):
            if vectors.ndim != 2 or len(vectors) != len(modalities):
                raise BadInput(f"the {what} have {len(modalities)} modalities and vectors of shape {vectors.shape}: give one to each")
        for edges, part in ((self.train, "training"), (self.validation, "validation")):
            rows = ((edges.query, len(self.query_vectors)), (edges.target, len(self.target_vectors)))
            if any(len(of) and not 0 <= of.min() <= of.max() < count for of, count in rows):
                raise BadInput(f"the {part} part has pairs of queries or targets that are not there: number them from 0 on")
        if not self.train.positive.any() and self.pivot is None:
            raise BadInput("no pair of the training part is right: there is nothing to learn from; give more pairs")
