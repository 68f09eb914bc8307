"""The adapters that searches go through: those that are switched on in a library, or some that were chosen for one engine."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from ..adapters.adapter import Adapter
from ..adapters.store import AdapterStore
from ..adapters.switches import SETTING, Switched, read_history
from ..errors import BadInput, LibraryError
from ..fusion.named import Trained
from ..storage.catalog import Catalog
from .spaces import SearchSpace

__all__ = ["Adaptation", "Adapted"]

Adapted = bool | Sequence[Adapter]
"""Whether the adapters that are switched on are applied, or which ones in their stead."""


class Adaptation:
    """What is applied in the spaces that are searched, as it stood when this was made.

    What was trained for another space is not applied. What is switched on and cannot be applied is told in `notes`.

    Args:
        catalog: Of the library.
        spaces: Those that are searched.
        adapted: See `Adapted`.

    Attributes:
        notes: What to tell the user.
    """

    def __init__(self, catalog: Catalog, spaces: Sequence[SearchSpace], adapted: Adapted = True) -> None:
        self.adapted = adapted
        self.notes: list[str] = []
        self._catalog = catalog
        self._version = catalog.version()
        self._setting = catalog.setting(SETTING) if adapted is True else None
        fingerprints = {space.row.space.fingerprint for space in spaces} | {""}
        applied = self._switched_on(fingerprints) if adapted is True else list(adapted or ())
        self._applied = {Switched.of(adapter).place: adapter for adapter in applied}

    @property
    def is_outdated(self) -> bool:
        """Whether others were switched on since."""
        if self.adapted is not True or (version := self._catalog.version()) == self._version:
            return False
        self._version = version
        return self._catalog.setting(SETTING) != self._setting

    def query(self, space: SearchSpace) -> Adapter | None:
        """What queries go through in a space."""
        return self._applied.get(("query", space.row.space.fingerprint, ""))

    @cached_property
    def trained(self) -> Trained:
        """What joins the parts of a query, where a trained fusion is asked for."""
        found = {place[1]: adapter for place, adapter in self._applied.items() if place[0] == "fusion"}
        weights = {fingerprint: adapter.weights for fingerprint, adapter in found.items() if adapter.weights is not None}
        return Trained(weights, {fingerprint: adapter.network for fingerprint, adapter in found.items() if adapter.network is not None})

    def bridge(self, source: SearchSpace, target: SearchSpace) -> Adapter | None:
        """The trained bridge from one space into another."""
        return self._applied.get(("bridge", source.row.space.fingerprint, target.row.space.fingerprint))

    def having(self, adapter: Adapter) -> list[Adapter]:
        """What would be applied if an adapter were switched on, too."""
        return list((self._applied | {Switched.of(adapter).place: adapter}).values())

    def key(self, space: SearchSpace) -> str:
        """Tells queries of a space that go through an adapter from those that do not: empty where none does."""
        adapter = self.query(space)
        return "" if adapter is None else adapter.digest

    @property
    def bridges_key(self) -> str:
        """Tells the trained bridges from others: empty where there are none."""
        return " ".join(sorted(adapter.digest for place, adapter in self._applied.items() if place[0] == "bridge"))

    def _switched_on(self, fingerprints: set[str]) -> list[Adapter]:
        newest = {switched.place: switched for switched in read_history(self._setting)}
        here = [one for one in newest.values() if one.role != "space" and {one.fingerprint, one.target} <= fingerprints]
        return [adapter for switched in here if (adapter := self._read(switched)) is not None]

    def _read(self, switched: Switched) -> Adapter | None:
        try:
            adapter = AdapterStore(self._catalog.folder).read(switched.name)
        except (BadInput, LibraryError) as error:
            self.notes.append(f"the adapter {switched.name} is on and could not be applied: {error}")
            return None
        if adapter.digest != switched.digest:
            self.notes.append(
                f"the adapter {switched.name} is not the one that was switched on and was not applied: "
                f"look at it, and switch it on with  anyseek adapters use {switched.name}"
            )
            return None
        return adapter
