"""Adapters that a person can compute by hand, for the eight axes of the fake encoder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from fakes import DIM, ColourEncoder

from anyseek.adapters.adapter import Adapter
from anyseek.adapters.card import Card, Method, Side, SpaceName
from anyseek.types import Modality, Space

__all__ = ["card_of", "linear", "moved", "residual"]

MADE_AT = "2026-01-02T03:04:05+00:00"


def card_of(
    name: str = "words",
    method: Method = "linear",
    side: Side = "query",
    modalities: Sequence[Modality] = (Modality.TEXT,),
    space: Space | None = None,
    **more: Any,
) -> Card:
    named = SpaceName.of(space or ColourEncoder().space)
    return Card(name, method, side, "infonce", named.spec, named.fingerprint, named.dim, tuple(modalities), MADE_AT, **more)


def moved(steps: Mapping[int, int], dim: int = DIM) -> np.ndarray:
    """The identity, but what lies on one axis goes to another one."""
    weights = np.eye(dim, dtype=np.float32)
    for start, end in steps.items():
        weights[start] = np.eye(dim, dtype=np.float32)[end]
    return weights


def linear(
    steps: Mapping[int, int],
    name: str = "words",
    side: Side = "query",
    modalities: Sequence[Modality] = (Modality.TEXT,),
    space: Space | None = None,
    **more: Any,
) -> Adapter:
    """One that moves axes: an unknown word of four letters lies on axis 4, so ``{4: 0}`` makes it mean red."""
    arrays = {f"map.{modality}.weights": moved(steps) for modality in modalities}
    return Adapter(card_of(name, "linear", side, modalities, space, **more), arrays)


def residual(start: int, end: int, name: str = "words", modalities: Sequence[Modality] = (Modality.TEXT,)) -> Adapter:
    """One of rank 1 that adds what lies on an axis to another one."""
    axes = np.eye(DIM, dtype=np.float32)
    arrays = {}
    for modality in modalities:
        arrays |= {
            f"map.{modality}.down": axes[:, start : start + 1],
            f"map.{modality}.bias": np.zeros(1, np.float32),
            f"map.{modality}.up": axes[end : end + 1],
        }
    return Adapter(card_of(name, "residual", "query", modalities), arrays)
