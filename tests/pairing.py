"""Pairs in a space, put together by hand for tests of what is done with them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from anyseek.training.examples import Examples, Query, Target
from anyseek.types import Modality

__all__ = ["examples_of", "rows"]


def rows(generator: np.random.Generator, count: int, dim: int = 6) -> np.ndarray:
    drawn = generator.normal(size=(count, dim))
    return np.asarray(drawn / np.linalg.norm(drawn, axis=1, keepdims=True), np.float32)


def examples_of(
    edges: Sequence[tuple[int, int, bool]],
    groups: Sequence[int],
    query_groups: Sequence[int] | None = None,
    sources: Sequence[int] | None = None,
    vectors: tuple[np.ndarray, np.ndarray] | None = None,
) -> Examples:
    """Pairs of (query, target, whether it is right); targets are pictures, contents are numbered from 100 on, queries by words have -1."""
    asked = list(query_groups if query_groups is not None else [-1] * (1 + max((edge[0] for edge in edges), default=-1)))
    generator = np.random.default_rng(0)
    queries, targets = vectors or (rows(generator, len(asked)), rows(generator, len(groups)))
    return Examples(
        queries=tuple(Query(f"q{row}", None if group < 0 else 1000 + row) for row, group in enumerate(asked)),
        query_vectors=queries,
        query_modalities=tuple(Modality.TEXT if group < 0 else Modality.IMAGE for group in asked),
        query_groups=np.array(asked, np.int64),
        targets=tuple(Target(100 + row, (0, 0), Modality.IMAGE) for row in range(len(groups))),
        target_vectors=targets,
        groups=np.array(groups, np.int64),
        query_of=np.array([edge[0] for edge in edges], np.int64),
        target_of=np.array([edge[1] for edge in edges], np.int64),
        positive=np.array([edge[2] for edge in edges], bool),
        weights=np.ones(len(edges), np.float32),
        sources=("file", "keywords")[: 1 + max(sources or [0])],
        source_of=np.array(sources or [0] * len(edges), np.int64),
    )
