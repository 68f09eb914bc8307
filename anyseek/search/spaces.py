"""A space as a search sees it: its row in the catalog, its index and its encoder, each loaded when it is first needed."""

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np

from ..encoders.protocol import Encoder
from ..errors import AnyseekError, MissingExtra, ModelUnavailable, SpaceMismatch, UnknownEncoder
from ..storage.catalog import SpaceRow
from ..storage.space_index import SpaceIndex
from ..types import Modality
from .timings import Stopwatch

__all__ = ["SearchSpace"]


class SearchSpace:
    """One space that can be searched. Any number of threads may share it.

    Args:
        row: The space.
        load: Makes its encoder; called once, by the first query that needs it.
        open_index: Opens its index; called once, by the first query that looks something up.
        spare: Others can answer in its place, so that an encoder which cannot be loaded is one that understands nothing.

    Attributes:
        lost: Why its encoder could not be loaded when it was last asked for, if it could not.
    """

    def __init__(self, row: SpaceRow, load: Callable[[], Encoder], open_index: Callable[[], SpaceIndex], *, spare: bool = False) -> None:
        self.row = row
        self._load = load
        self._open_index = open_index
        self._encoder: Encoder | None = None
        self._index: SpaceIndex | None = None
        self._lock = threading.RLock()
        self._has_encoded = False
        self._spare = spare
        self.lost: AnyseekError | None = None

    @property
    def id(self) -> int:
        """Of the space in its library."""
        return self.row.id

    @property
    def spec(self) -> str:
        """The name a user knows it by."""
        return self.row.space.spec

    @property
    def encoder(self) -> Encoder:
        """Its encoder; the first use makes it."""
        with self._lock:
            if self._encoder is None:
                self._encoder = self._load()
            return self._encoder

    @property
    def index(self) -> SpaceIndex:
        """Its index; the first use loads it, every later one catches up with the catalog."""
        with self._lock:
            if self._index is None:
                self._index = self._open_index()
        self._index.refresh()
        return self._index

    def takes(self, modality: Modality, watch: Stopwatch) -> bool:
        """Whether its encoder understands something."""
        with watch.time("load"):
            try:
                modalities = self.encoder.modalities
            except (MissingExtra, ModelUnavailable, SpaceMismatch, UnknownEncoder) as error:
                if not self._spare:
                    raise
                self.lost = error
                return False
            self.lost = None
            return modality in modalities

    def encode(self, work: Callable[[Encoder], np.ndarray], watch: Stopwatch) -> np.ndarray:
        """Let its encoder work. The first time loads weights and the packages they need, which the stopwatch counts apart."""
        with watch.time("load"):
            encoder = self.encoder
        with watch.time("encode" if self._has_encoded else "first encode"):
            encoded = work(encoder)
        self._has_encoded = True
        return encoded
