"""The adapters of a library: a file for each, there whole or not at all, and known to be what was written."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from ..errors import BadInput, LibraryError
from ..storage.engine import translated
from ..storage.files import TEMPORARY_PATTERN, replace_whole
from ..storage.layout import LibraryFolder
from .adapter import Adapter
from .card import Card, check_name, is_name

__all__ = ["AdapterStore", "packed", "unpacked"]

FORMAT = "anyseek adapter"
SUFFIX = ".safetensors"
MOST_BYTES = 2**28


class AdapterStore:
    """The folder of a library's adapters. Any number of processes may read while one writes.

    Args:
        folder: Of the library.
    """

    def __init__(self, folder: LibraryFolder) -> None:
        self.path = folder.adapters

    def names(self) -> list[str]:
        """The names of all there are, damaged ones too, sorted; files under names that no adapter can have are none."""
        found = self.path.glob(f"*{SUFFIX}") if self.path.is_dir() else ()
        return sorted(path.stem for path in found if path.is_file() and is_name(path.stem))

    def cards(self) -> list[Card]:
        """The cards of all that can be read, by name. `damaged` has the others."""
        return [adapter.card for name in self.names() if (adapter := self._read_or_none(name)) is not None]

    def damaged(self) -> dict[str, LibraryError]:
        """What is wrong with each that cannot be read, by name."""
        found = {}
        for name in self.names():
            try:
                self.read(name)
            except LibraryError as error:
                found[name] = error
        return found

    def read(self, name: str) -> Adapter:
        """Read an adapter, and see whether it is what was written.

        Raises:
            BadInput: There is none of that name.
            LibraryError: Its file is damaged, or none of ours; the message names it.
        """
        path = self._file(name)
        try:
            content = path.read_bytes() if path.stat().st_size <= MOST_BYTES else b""
        except FileNotFoundError:
            there = ", ".join(self.names()) or "none"
            raise BadInput(f"the library has no adapter called {name!r} (it has {there}): make one with  anyseek train") from None
        except OSError as error:
            raise LibraryError(f"the adapter {path} cannot be read ({error.strerror}): give yourself the right to read it") from error
        remedy = f"remove it with  anyseek adapters drop {name}  and train it again"
        try:
            adapter = unpacked(content)
        except ValueError as error:
            raise LibraryError(f"the adapter {path} cannot be used ({error}): {remedy}") from error
        if adapter.card.name != name:
            raise LibraryError(f"the adapter {path} was written as {adapter.card.name!r}: give it that name again, or {remedy}")
        return adapter

    def write(self, adapter: Adapter, *, replace: bool = False) -> None:
        """Keep an adapter under the name on its card.

        Args:
            adapter: What to keep.
            replace: Whether it may take the place of another one of that name.

        Raises:
            BadInput: The name cannot be used, or another adapter has it.
            StorageFull: The disk is full.
            LibraryError: Nothing can be written there.
        """
        path = self._file(adapter.card.name)
        if path.exists() and not replace:
            raise BadInput(f"there is an adapter called {adapter.card.name!r} already: choose another name, or drop that one first")
        content = packed(adapter)
        with translated(self.path):
            try:
                self.path.mkdir(parents=True, exist_ok=True)
                replace_whole(path, lambda partial: _write(partial, content))
            except (FileExistsError, NotADirectoryError, IsADirectoryError, PermissionError) as error:
                raise LibraryError(f"the adapter {path} cannot be written ({error.strerror}): see to what is in its place") from error

    def remove(self, name: str) -> None:
        """Remove an adapter, and what interrupted writers left behind.

        Raises:
            BadInput: There is none of that name.
        """
        path = self._file(name)
        if not path.is_file():
            self.read(name)
        path.unlink(missing_ok=True)
        for left in self.path.glob(TEMPORARY_PATTERN):
            left.unlink(missing_ok=True)

    def _read_or_none(self, name: str) -> Adapter | None:
        try:
            return self.read(name)
        except LibraryError:
            return None

    def _file(self, name: str) -> Path:
        return self.path / f"{check_name(name)}{SUFFIX}"


def _write(path: Path, content: bytes) -> None:
    path.write_bytes(content)


def packed(adapter: Adapter) -> bytes:
    """An adapter as a safetensors file; see docs/file-format.md."""
    from safetensors.numpy import save

    card = adapter.card.to_json()
    arrays = {name: np.asarray(array, order="C") for name, array in adapter.arrays.items()}
    return bytes(save(arrays, {"format": FORMAT, "card": card, "checksum": _checksum(card, adapter)}))


def unpacked(content: bytes) -> Adapter:
    """The adapter that a safetensors file holds.

    Raises:
        ValueError: It is none, or not what was written.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        arrays: Mapping[str, np.ndarray] = load(content)
        header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    except (SafetensorError, KeyError, TypeError, ValueError):
        raise ValueError("it is damaged, or no safetensors file") from None
    metadata = header.get("__metadata__", {})
    if metadata.get("format") != FORMAT or "card" not in metadata:
        raise ValueError("it is no adapter of anyseek's")
    adapter = Adapter(Card.from_json(metadata["card"]), arrays)
    if metadata.get("checksum") != _checksum(metadata["card"], adapter):
        raise ValueError("it is damaged: its checksum is another one")
    return adapter


def _checksum(card: str, adapter: Adapter) -> str:
    """The file format has none of its own."""
    return hashlib.sha256(f"{card}\0{adapter.digest}".encode()).hexdigest()
