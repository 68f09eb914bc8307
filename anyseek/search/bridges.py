"""The bridges between the spaces of a library: fitted once, kept with it, and fitted anew when a space or the vocabulary changes."""

from __future__ import annotations

import threading
from typing import Literal

from ..adapters.adapter import Adapter
from ..errors import BadInput
from ..storage.derived import DerivedArrays
from .bridge import Bridge
from .labels import LabelBridge
from .ridge import RidgeBridge
from .spaces import SearchSpace
from .texts import Texts
from .timings import Stopwatch

__all__ = ["BridgeMethod", "Bridges"]

BridgeMethod = Literal["ridge", "labels"]

_METHODS: dict[BridgeMethod, type[Bridge]] = {"ridge": RidgeBridge, "labels": LabelBridge}


class Bridges:
    """The bridges of a library. One that was trained and is switched on goes before the one that the vocabulary gives.

    Args:
        texts: What its spaces make of the vocabulary, and what queries go through.
        kept: Where bridges are kept; None to keep nothing.
        method: Of which sort they are.

    Raises:
        BadInput: There is no such sort.
    """

    def __init__(self, texts: Texts, kept: DerivedArrays | None, method: BridgeMethod = "ridge") -> None:
        if method not in _METHODS:
            raise BadInput(f"no bridge is called {method!r}: use {' or '.join(_METHODS)}")
        self.texts = texts
        self.method = method
        self._kept = kept
        self._known: dict[tuple[int, int], Bridge] = {}
        self._trained: dict[tuple[int, int], Bridge] = {}
        self._lock = threading.RLock()

    def between(self, source: SearchSpace, target: SearchSpace, watch: Stopwatch) -> Bridge | None:
        """The bridge from one space into another; None if one of them does not understand text and none was trained."""
        with self._lock:
            trained = self.trained(source, target)
            if trained is not None and (source.id, target.id) not in self._trained:
                self._trained[source.id, target.id] = RidgeBridge.from_arrays(trained.bridge)
            if trained is not None:
                return self._trained[source.id, target.id]
            known = self._known.get((source.id, target.id)) or self._read(source, target)
            if known is None:
                known, _ = self._fit(source, target, watch)
            if known is not None:
                self._known[source.id, target.id] = known
            return known

    def trained(self, source: SearchSpace, target: SearchSpace) -> Adapter | None:
        """What was trained to lead from one space into another, and is switched on."""
        return self.texts.adaptation.bridge(source, target) if self.texts.adaptation is not None else None

    def told(self, source: SearchSpace, target: SearchSpace) -> str:
        """The bridge from one space into another, for people."""
        trained = self.trained(source, target)
        return f"{self.method if trained is None else f'adapter {trained.card.name}'}: {source.spec} → {target.spec}"

    def prepare(self, source: SearchSpace, target: SearchSpace) -> str | None:
        """Fit a bridge and keep it, unless that was done before; both spaces' texts are prepared.

        Returns:
            The name under which it is kept; None if there is no bridge.
        """
        with self._lock:
            name = self._name(source, target)
            known = self._read(source, target)
            if known is None:
                known, step = self._fit(source, target, Stopwatch())
                if known is None:
                    return None
                if self._kept is not None and step == 1:
                    self._kept.write(name, self._key(source, target), known.arrays())
            self._known[source.id, target.id] = known
            return name

    def _fit(self, source: SearchSpace, target: SearchSpace, watch: Stopwatch) -> tuple[Bridge | None, int]:
        ends = self.texts.of(source, watch), self.texts.of(target, watch)
        if ends[0] is None or ends[1] is None:
            return None, 0
        step = max(ends[0].step, ends[1].step)
        with watch.time("bridge"):
            return _METHODS[self.method].fit(ends[0].at_step(step), ends[1].at_step(step)), step

    def _read(self, source: SearchSpace, target: SearchSpace) -> Bridge | None:
        arrays = self._kept.read(self._name(source, target), self._key(source, target)) if self._kept is not None else None
        try:
            return None if arrays is None else _METHODS[self.method].from_arrays(arrays)
        except (TypeError, ValueError):
            return None

    def _name(self, source: SearchSpace, target: SearchSpace) -> str:
        return f"{self.method}-{source.row.space.fingerprint[:16]}-{target.row.space.fingerprint[:16]}"

    def _key(self, source: SearchSpace, target: SearchSpace) -> str:
        return f"{source.row.space.fingerprint} {target.row.space.fingerprint} {self.texts.vocabulary.digest}"
