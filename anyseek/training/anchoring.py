"""What keeps queries that nothing was taught about where they are: anchors are drawn in every step, and what moves them costs."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from ..types import Modality
from .losses import Tensor
from .problem import Problem

__all__ = ["Anchors"]

DRAWN = 512
"""Anchors of a modality in a step."""

RANKED = 1024
"""Candidates that they are ranked by."""

TEMPERATURE = 0.02
"""Of the rankings: only what is near the top of them counts, as a user would see it."""

Mapping = Callable[[Tensor, Sequence[Modality]], Tensor]


class Anchors:
    """The anchors of a problem.

    Args:
        problem: Where they come from, with what they are ranked by: its candidates and targets.
        ranking: Whether the order in which they find the candidates is to stay; else, where they lie.
    """

    def __init__(self, problem: Problem, *, ranking: bool) -> None:
        self._anchors = {modality: rows for modality, rows in problem.anchors.items() if len(rows)}
        self._ranking = ranking
        others = problem.candidates
        self._stored = problem.target_vectors if others is None else np.concatenate([problem.target_vectors, others.vectors])
        self._modalities = (*problem.target_modalities, *(() if others is None else others.modalities))

    def moved(self, ask: Mapping, store: Mapping, chance: np.random.Generator) -> Tensor | None:
        """How much some of them have moved, () from 0 on; None if there are none.

        Args:
            ask: Maps queries as they are mapped now.
            store: Maps what is stored.
            chance: Where the choice comes from.
        """
        import torch

        found = []
        for modality, anchors in self._anchors.items():
            rows = chance.permutation(len(anchors))[:DRAWN]
            before = torch.from_numpy(anchors[rows])
            after = ask(before, [modality] * len(rows))
            found.append(self._reranked(before, after, store, chance) if self._ranking else (after - before).square().sum(dim=1).mean())
        return torch.stack(found).mean() if found else None

    def _reranked(self, before: Tensor, after: Tensor, store: Mapping, chance: np.random.Generator) -> Tensor:
        """The divergence of the softmax over candidates of each modality from what it was."""
        import torch

        rows = chance.permutation(len(self._stored))[:RANKED]
        modalities = [self._modalities[row] for row in rows]
        stored = torch.from_numpy(self._stored[rows])
        now, divergences = store(stored, modalities), []
        for modality in dict.fromkeys(modalities):
            mine = torch.tensor([number for number, of in enumerate(modalities) if of is modality])
            wanted = torch.log_softmax(before @ stored[mine].T / TEMPERATURE, dim=1)
            found = torch.log_softmax(after @ now[mine].T / TEMPERATURE, dim=1)
            divergences.append((wanted.exp() * (wanted - found)).sum(dim=1).mean())
        return torch.stack(divergences).mean()
