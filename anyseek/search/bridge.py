"""What a bridge is: a way from one space into another that needs no pairs of pictures and sounds, only what both make of the same texts.

Both ends take text, so a list of captions gives pairs of vectors for nothing. Whatever is learnt from them is then asked to carry a
picture or a sound, which does not lie where texts lie: in a space trained by contrast each modality has a cone of its own, and the cones
are apart by a nearly constant vector (W. Liang et al., "Mind the Gap", NeurIPS 2022). So a bridge carries differences: it leaves from the
centre of what is carried, which need not be that of the texts, and arrives at differences from the texts' centre, leaving out that centre
itself, which would say nothing but that a question is a question. docs/spaces.md has what either is worth.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Protocol, Self

import numpy as np

__all__ = ["Bridge"]


class Bridge(Protocol):
    """Carries vectors of one space into another.

    Attributes:
        method: Its name, for people and for files.
    """

    method: ClassVar[str]

    @property
    def radius(self) -> np.ndarray:
        """How far texts of the target lie from their centre (root of the mean square), () float32.

        A carried vector is all difference, and weighs that much where it is joined with one that has a centre in it.
        """

    @classmethod
    def fit(cls, source: np.ndarray, target: np.ndarray) -> Self:
        """Learn it from texts.

        Args:
            source: (n, dim of the source) float32 unit rows, what one side makes of n texts; n of at least 3.
            target: (n, dim of the target) float32 unit rows, what the other side makes of them.
        """

    def carry(self, vectors: np.ndarray, centre: np.ndarray | None = None) -> np.ndarray:
        """Carry vectors over.

        Args:
            vectors: (n, dim of the source) float32 unit rows.
            centre: (dim of the source,) the mean of such vectors; None for texts.

        Returns:
            (n, dim of the target) float32 unit rows.
        """

    def arrays(self) -> dict[str, np.ndarray]:
        """All that it has learnt."""

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> Self:
        """The same bridge again.

        Raises:
            ValueError: Those are not what `arrays` gave.
        """
