"""The files of a vector index: numbered generations, each with a manifest that says what it must hold.

FAISS's format has no checksum and reads damaged bytes without a word, so that the manifest carries one. It is written last: an index
file without one was never finished.
"""

from __future__ import annotations

import errno
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import xxhash

from ..errors import LibraryLocked
from ..types import Space
from .files import TEMPORARY_PATTERN, replace_whole
from .rows import EmbeddingState
from .vectors.protocol import VectorIndex

__all__ = ["GenerationError", "Generations", "Manifest", "is_readonly"]

FORMAT = 1
KEPT = 2
CHUNK_BYTES = 1 << 22


class GenerationError(Exception):
    """A generation that cannot be used; the text says why. Never leaves this package."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a generation holds.

    Attributes:
        format: Of manifest and file; a number that is not known is not read.
        generation: Counts up.
        fingerprint: Of the space.
        dim: Length of a vector.
        count: Vectors in the file.
        embeddings: Embeddings in the catalog when it was written; more than `count` where some were damaged.
        highest_id: The highest of their ids.
        backend: Who wrote the file and can read it.
        bytes: Length of the file.
        xxh3_128: Of the file, in hex.
        created: UTC.
    """

    format: int
    generation: int
    fingerprint: str
    dim: int
    count: int
    embeddings: int
    highest_id: int
    backend: str
    bytes: int
    xxh3_128: str
    created: str

    @property
    def state(self) -> EmbeddingState:
        """The catalog's embeddings when it was written."""
        return EmbeddingState(self.embeddings, self.highest_id)

    @classmethod
    def read(cls, path: Path) -> Manifest:
        """Read a manifest.

        Raises:
            GenerationError: It is none, or of a format that is not known here.
        """
        try:
            fields = json.loads(path.read_text(encoding="utf-8"))
            manifest = cls(**{name: kind(fields[name]) for name, kind in _FIELDS.items()})
        except (OSError, ValueError, KeyError, TypeError) as exc:
            raise GenerationError("its manifest cannot be read") from exc
        if manifest.format != FORMAT:
            raise GenerationError(f"its format {manifest.format} is not known")
        return manifest


_FIELDS = {
    "format": int,
    "generation": int,
    "fingerprint": str,
    "dim": int,
    "count": int,
    "embeddings": int,
    "highest_id": int,
    "backend": str,
    "bytes": int,
    "xxh3_128": str,
    "created": str,
}


class Generations:
    """The folder of one space's index."""

    def __init__(self, path: Path, space: Space) -> None:
        self.path = path
        self.space = space

    def numbers(self) -> list[int]:
        """The generations that have a manifest, newest first."""
        if not self.path.is_dir():
            return []
        found = (re.fullmatch(r"g(\d{6,})\.json", entry.name) for entry in self.path.iterdir())
        return sorted((int(match[1]) for match in found if match), reverse=True)

    def manifest(self, number: int) -> Manifest:
        """Read a manifest and see that it is of this space.

        Raises:
            GenerationError: It is not.
        """
        manifest = Manifest.read(self._manifest_path(number))
        if manifest.fingerprint != self.space.fingerprint or manifest.dim != self.space.dim:
            raise GenerationError("it belongs to another encoder")
        return manifest

    def load(self, manifest: Manifest, backend: type[VectorIndex]) -> VectorIndex:
        """Read an index file and see that it is what was written.

        Raises:
            GenerationError: It is not.
        """
        if manifest.backend != backend.backend:
            raise GenerationError(f"it was written by {manifest.backend}, and {backend.backend} is used here")
        path = self._index_path(manifest.generation)
        try:
            if path.stat().st_size != manifest.bytes or _checksum(path) != manifest.xxh3_128:
                raise GenerationError("its file is damaged")
            index = backend.load(path)
        except (OSError, ValueError) as exc:
            raise GenerationError(f"its file cannot be read ({exc})") from exc
        ids = index.ids()
        if len(ids) != manifest.count or index.dim != manifest.dim or (len(ids) and ids[-1] > manifest.highest_id):
            raise GenerationError("its file does not hold what its manifest says")
        return index

    def write(self, index: VectorIndex, state: EmbeddingState) -> Manifest:
        """Make a new generation and remove all but the one before. The caller holds `exclusive`."""
        number = max(self._all_numbers(), default=0) + 1
        path = self._index_path(number)
        replace_whole(path, index.save)
        manifest = Manifest(
            format=FORMAT,
            generation=number,
            fingerprint=self.space.fingerprint,
            dim=self.space.dim,
            count=len(index),
            embeddings=state.count,
            highest_id=state.highest_id,
            backend=index.backend,
            bytes=path.stat().st_size,
            xxh3_128=_checksum(path),
            created=datetime.now(UTC).isoformat(timespec="seconds"),
        )
        text = json.dumps(asdict(manifest), indent=1) + "\n"
        replace_whole(self._manifest_path(number), lambda partial: _write_text(partial, text))
        self._tidy()
        return manifest

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Keep other processes from writing generations.

        Raises:
            LibraryLocked: One of them is at it.
        """
        from filelock import FileLock, Timeout  # 0.04 s that a search has no use for

        self.path.mkdir(parents=True, exist_ok=True)
        try:
            with FileLock(self.path / "writing.lock", timeout=0, thread_local=False):
                yield
        except Timeout as exc:
            raise LibraryLocked(self.path, "another process") from exc

    def leftovers(self) -> list[Path]:
        """What interrupted writers left behind: temporary files, and index files that never got a manifest."""
        finished = set(self.numbers())
        unfinished = [self._index_path(number) for number in self._all_numbers() if number not in finished]
        return sorted([*self.path.glob(TEMPORARY_PATTERN), *unfinished])

    def clear(self) -> None:
        """Remove all generations. An index is a cache: the catalog makes it anew."""
        with self.exclusive():
            for number in self._all_numbers():
                self._manifest_path(number).unlink(missing_ok=True)
                self._index_path(number).unlink(missing_ok=True)
            for path in self.leftovers():
                path.unlink(missing_ok=True)

    def _tidy(self) -> None:
        for number in self.numbers()[KEPT:]:
            self._manifest_path(number).unlink(missing_ok=True)
        for path in self.leftovers():
            path.unlink(missing_ok=True)

    def _all_numbers(self) -> set[int]:
        found = (re.fullmatch(r"g(\d{6,})\.(index|json)", entry.name) for entry in self.path.iterdir()) if self.path.is_dir() else ()
        return {int(match[1]) for match in found if match}

    def _index_path(self, number: int) -> Path:
        return self.path / f"g{number:06}.index"

    def _manifest_path(self, number: int) -> Path:
        return self.path / f"g{number:06}.json"


def _write_text(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def is_readonly(exc: OSError) -> bool:
    """Whether a file could not be written because nothing may be written there."""
    return exc.errno in (errno.EACCES, errno.EPERM, errno.EROFS)


def _checksum(path: Path) -> str:
    digest = xxhash.xxh3_128()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()
