"""Arrays that belong to a library and were worked out from what it holds: lost or damaged, they are worked out again.

Each file in the folder ``derived`` is an ``.npz`` after 16 bytes that are the XXH3-128 of it: the format's own checksums do not cover its
directory. A key that is stored with the arrays says what they were worked out from: a file with another key is as good as none.
"""

from __future__ import annotations

import io
import threading
from collections.abc import Collection, Mapping
from pathlib import Path

import numpy as np
import xxhash

from ..errors import LibraryError
from .engine import translated
from .files import replace_whole
from .layout import LibraryFolder

__all__ = ["DerivedArrays"]

KEY = "key"
DIGEST_BYTES = 16


class DerivedArrays:
    """The folder of a library's derived arrays. Any number of processes may read while one writes."""

    def __init__(self, folder: LibraryFolder) -> None:
        self.path = folder.derived
        self._writing = threading.Lock()

    def read(self, name: str, key: str) -> dict[str, np.ndarray] | None:
        """Look arrays up.

        Args:
            name: Of the file, without its suffix.
            key: What they must have been worked out from.

        Returns:
            Them by name; None if they are not there, are damaged, or were worked out from something else.
        """
        try:
            content = self._file(name).read_bytes()
        except OSError:
            return None
        digest, packed = content[:DIGEST_BYTES], content[DIGEST_BYTES:]
        if xxhash.xxh3_128_digest(packed) != digest:
            return None
        with np.load(io.BytesIO(packed), allow_pickle=False) as kept:
            if str(kept[KEY]) != key:
                return None
            return {array: kept[array] for array in kept.files if array != KEY}

    def write(self, name: str, key: str, arrays: Mapping[str, np.ndarray]) -> None:
        """Keep arrays; they replace those of the same name.

        Raises:
            StorageFull: The disk is full.
            LibraryError: Nothing can be written there.
        """
        packed = io.BytesIO()
        np.savez(packed, **{KEY: np.array(key)}, **arrays)  # type: ignore[arg-type]
        content = xxhash.xxh3_128_digest(packed.getbuffer()) + packed.getvalue()
        with self._writing, translated(self.path):
            try:
                self.path.mkdir(parents=True, exist_ok=True)
                replace_whole(self._file(name), lambda path: _write(path, content))
            except (FileExistsError, NotADirectoryError, IsADirectoryError, PermissionError) as error:
                raise LibraryError(
                    f"{self.path} cannot be written ({error.strerror}): remove it, for what belongs there is worked out again"
                ) from error

    def forget_others(self, names: Collection[str]) -> None:
        """Remove all files but some, and what interrupted writers left behind."""
        if not self.path.is_dir():
            return
        kept = {self._file(name) for name in names}
        for path in self.path.iterdir():
            if path not in kept and path.is_file():
                path.unlink(missing_ok=True)

    def _file(self, name: str) -> Path:
        return self.path / f"{name}.arrays"


def _write(path: Path, content: bytes) -> None:
    path.write_bytes(content)
