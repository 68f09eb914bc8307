"""What can be wrong with the adapters of a library: looked at, and nothing changed."""

from __future__ import annotations

from collections.abc import Iterator

from ..errors import LibraryDamaged, LibraryTooNew
from ..storage.catalog import Catalog
from ..storage.checks import Finding, Severity
from ..storage.layout import LibraryFolder
from .spaces import is_adapted
from .store import AdapterStore
from .switches import Switches

__all__ = ["check_adapters"]


def check_adapters(folder: LibraryFolder) -> Iterator[Finding]:
    """Look at the files, and where the catalog can be read at what it says of them."""
    yield from _check_files(folder)
    try:
        with Catalog.open(folder, readonly=True) as catalog:
            yield from _check_switches(catalog)
    except (LibraryDamaged, LibraryTooNew):
        return  # told by others


def _check_files(folder: LibraryFolder) -> Iterator[Finding]:
    """Files that are damaged, or none of ours."""
    for name, error in AdapterStore(folder).damaged().items():
        yield Finding("adapter_damaged", Severity.WARNING, str(error), f"anyseek adapters drop {name}")


def _check_switches(catalog: Catalog) -> Iterator[Finding]:
    """Adapters that are on, or have made vectors that serve, and are not what they were then."""
    store = AdapterStore(catalog.folder)
    there = {name: store.read(name) for name in store.names() if name not in store.damaged()}
    for switched in Switches(catalog).current():
        adapter = there.get(switched.name)
        if switched.role != "space" and (adapter is None or adapter.digest != switched.digest):
            why = "is gone or damaged" if adapter is None else "is not the one that was switched on"
            text = f"the adapter {switched.name} is on and not applied, for it {why}"
            yield Finding("adapter_not_applied", Severity.WARNING, text, f"anyseek adapters drop {switched.name}")
    for row in catalog.spaces("serving"):
        made = {adapter.adapted_space.fingerprint for adapter in there.values()}
        if is_adapted(row.space) and row.space.fingerprint not in made:
            text = f"{row.space.spec} serves, and the adapter that has made it is gone or another one: nothing can be asked there"
            yield Finding("adapter_lost", Severity.ERROR, text, "anyseek adapters rollback")
