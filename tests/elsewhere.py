"""The colours of `fakes.ColourEncoder` in a space of another length, another scale and another direction, as trained models have them."""

from __future__ import annotations

import hashlib

import numpy as np
from fakes import ColourEncoder

from anyseek.types import Modality, Space

__all__ = ["ElsewhereEncoder"]

MEDIA = frozenset({Modality.IMAGE, Modality.AUDIO})


class ElsewhereEncoder(ColourEncoder):
    """A text and a medium have the cosine ``low + span · c``, where c is what `ColourEncoder` gives; two media ``1 - span + span · c``.

    So texts and media lie in two cones that are apart, as in spaces that were trained by contrast. Ten dimensions: eight of colour, made
    shorter, and two that say which cone it is; all turned by a rotation.

    Args:
        spec: The name its space gets.
        low: Cosine of a text and a medium that have nothing in common; at most 1 - span.
        span: How much higher it is when they are the same.
        turn: Another number is another rotation.
        modalities: What it admits to understand.
    """

    def __init__(
        self,
        spec: str,
        low: float,
        span: float,
        turn: int = 0,
        modalities: frozenset[Modality] = frozenset({Modality.TEXT, *MEDIA}),
    ) -> None:
        super().__init__(spec, modalities=modalities)
        self.low, self.span = low, span
        self.rotation, _ = np.linalg.qr(np.random.default_rng(turn).normal(size=(10, 10)))
        name = f"{spec} {low} {span} {turn} {sorted(modalities)}"
        self.space = Space(spec, 10, hashlib.sha256(name.encode()).hexdigest())

    def place(self, colours: np.ndarray, modality: Modality) -> np.ndarray:
        """Bring (n, 8) unit rows into this space, as texts or as media."""
        cosine = self.low / (1 - self.span)
        cone = np.array([1.0, 0.0]) if modality is Modality.TEXT else np.array([cosine, np.sqrt(1 - cosine**2)])
        rows = np.hstack([np.sqrt(self.span) * colours, np.tile(np.sqrt(1 - self.span) * cone, (len(colours), 1))])
        return np.asarray(rows @ self.rotation, np.float32)

    def _finish(self, rows: list[np.ndarray], modality: Modality) -> np.ndarray:
        return self.place(super()._finish(rows, modality), modality)
