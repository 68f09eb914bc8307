"""Which adapters are on, and which were on before them: a setting of the library."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from dataclasses import asdict, dataclass

from ..storage.catalog import Catalog, SpaceRow, Writer
from .adapter import Adapter
from .card import Role

__all__ = ["SETTING", "Switched", "Switches", "left_behind", "read_history"]

SETTING = "adapters"


@dataclass(frozen=True, slots=True)
class Switched:
    """That an adapter was switched on.

    Attributes:
        role: What it does.
        fingerprint: Of the space in which it does it.
        target: Of a bridge: the fingerprint of the space that it leads to; empty else.
        name: Of the adapter.
        digest: What it had learnt then: another one under its name was never switched on.
    """

    role: Role
    fingerprint: str
    target: str
    name: str
    digest: str

    @classmethod
    def of(cls, adapter: Adapter) -> Switched:
        """What is written down of an adapter that is switched on."""
        card = adapter.card
        return cls(card.role, card.fingerprint, card.target.fingerprint if card.target else "", card.name, adapter.digest)

    @property
    def place(self) -> tuple[Role, str, str]:
        """Where one at a time can be on."""
        return self.role, self.fingerprint, self.target


class Switches:
    """The adapters of a library that are on. In each place the newest is; taking it away lets the one before be on again.

    Args:
        catalog: Of the library. Every change is one transaction, and the caller holds the writer's lock.
    """

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog

    def on(self, role: Role, fingerprint: str, target: str = "") -> str | None:
        """The name of the adapter that does something in a space; None where none does."""
        found = [switched.name for switched in self.history() if switched.place == (role, fingerprint, target)]
        return found[-1] if found else None

    def history(self) -> list[Switched]:
        """All that were switched on and not taken away since, the newest last."""
        return read_history(self.catalog.setting(SETTING))

    def current(self) -> list[Switched]:
        """Those that are on: the newest of each place, the newest last."""
        newest = {switched.place: switched for switched in self.history()}
        return [switched for switched in self.history() if newest[switched.place] == switched]

    def switch_on(self, adapter: Adapter, writer: Writer | None = None) -> None:
        """Let an adapter be the newest of its place."""
        now = Switched.of(adapter)
        self._change(lambda history: [*(one for one in history if one.name != now.name), now], writer)

    def forget(self, name: str, writer: Writer | None = None) -> None:
        """Take an adapter away wherever it is on or was."""
        self._change(lambda history: [one for one in history if one.name != name], writer)

    def clear(self, writer: Writer | None = None) -> None:
        """Let none be on anywhere, and forget which were."""
        self._change(lambda history: [], writer)

    def _change(self, change: Callable[[list[Switched]], list[Switched]], writer: Writer | None) -> None:
        text = json.dumps([asdict(one) for one in change(self.history())])
        if writer is not None:
            writer.put_setting(SETTING, text)
            return
        with self.catalog.transaction() as own:
            own.put_setting(SETTING, text)


def read_history(setting: str | None) -> list[Switched]:
    """Read what the setting says; one that a later version wrote says nothing that can be used."""
    try:
        return [Switched(**one) for one in json.loads(setting or "[]")]
    except (TypeError, ValueError):
        return []


def left_behind(catalog: Catalog, gone: Collection[SpaceRow]) -> str | None:
    """What to tell when models do not serve any more: which adapters are on that fit nothing else. None where that is none."""
    fingerprints = {row.space.fingerprint for row in gone}
    names = [one.name for one in Switches(catalog).current() if one.role != "space" and fingerprints & {one.fingerprint, one.target}]
    if not names:
        return None
    specs = " ".join(row.space.spec for row in gone)
    what = f"the adapter {names[0]} was" if len(names) == 1 else f"the adapters {' and '.join(names)} were"
    return f"{what} trained for {specs} and will not be applied: train again, or go back with  anyseek models use {specs}"
