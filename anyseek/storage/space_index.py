"""The vector index of one space, kept in step with the catalog. It is a cache: whatever is wrong with it, the catalog makes it anew."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from importlib.util import find_spec
from typing import Self

import numpy as np

from ..errors import LibraryLocked
from .catalog import Catalog
from .engine import translated
from .generations import GenerationError, Generations, is_readonly
from .layout import LibraryFolder
from .rows import EmbeddingState, SpaceRow
from .vectors.choose import BACKENDS, choose_backend, place
from .vectors.numpy_index import NumpyIndex
from .vectors.protocol import Floats, Ids, VectorIndex

__all__ = ["SpaceIndex"]

REWRITE_SHARE = 0.1
REBUILD_SHARE = 0.1
REBUILD_AT_LEAST = 10_000
SAMPLE = 64


class SpaceIndex:
    """A base that was loaded or built, and a small exact delta of what was added since; what was deleted since is masked in both.

    Any number of threads may search while another refreshes or saves.

    Attributes:
        generation: The number of the files that the base was loaded from or written to; None where there are none.
        notes: What a user should hear about: damage that was made good, things that could not be done.
    """

    def __init__(
        self, folder: LibraryFolder, catalog: Catalog, space: SpaceRow, *, backend: str | None = None, device: str = "cpu"
    ) -> None:
        self.catalog = catalog
        self.space = space
        self.generation: int | None = None
        self._wanted = backend
        self._device = device
        choice = choose_backend(backend, count=catalog.embedding_state(space.id).count, device=device)
        self.notes: list[str] = [choice.reason] if choice.reason else []
        self._backend = choice.index
        self._files = Generations(folder.index_dir / str(space.id), space.space)
        self._change = threading.RLock()
        self._version = -1
        self._known = EmbeddingState(0, 0)
        self._base_rows = 0
        self._parts: tuple[VectorIndex, NumpyIndex] = (NumpyIndex(self.dim), NumpyIndex(self.dim))

    @classmethod
    def open(cls, folder: LibraryFolder, catalog: Catalog, space: SpaceRow, *, backend: str | None = None, device: str = "auto") -> Self:
        """Load the newest good generation and catch up with the catalog, or build the index from it.

        Args:
            folder: The library.
            catalog: Its catalog, which stays the caller's to close.
            space: The space to search.
            backend: ``faiss`` or ``numpy``; None takes what suits the size among what is installed.
            device: Where to search: ``gpu``, ``cpu``, or ``auto`` for a GPU where FAISS has the index and sees one. When its memory is
                short, the index is searched on the CPU, and `notes` say so. The files are the same.

        Raises:
            BadInput: ``gpu`` is asked for and there is none that FAISS can use.
        """
        index = cls(folder, catalog, space, backend=backend, device=device)
        if not index._load():
            index._rebuild()
        index.refresh()
        return index

    @classmethod
    def build(cls, folder: LibraryFolder, catalog: Catalog, space: SpaceRow, *, backend: str | None = None) -> Self:
        """Build the index from the catalog, whatever files there are."""
        index = cls(folder, catalog, space, backend=backend)
        index._rebuild()
        index.refresh()
        return index

    @staticmethod
    def forget_others(folder: LibraryFolder, spaces: Iterable[SpaceRow]) -> None:
        """Remove the files of all spaces but some: of those that are gone from the catalog, now or when a drop was interrupted."""
        import shutil  # 8 ms that a search has no use for

        kept = {str(space.id) for space in spaces}
        for path in folder.index_dir.iterdir() if folder.index_dir.is_dir() else ():
            if path.name not in kept:
                shutil.rmtree(path, ignore_errors=True)

    @staticmethod
    def lags(folder: LibraryFolder, catalog: Catalog, space: SpaceRow) -> bool:
        """Whether `save_generation` would find enough to do, told from the newest manifest alone and without loading anything."""
        files = Generations(folder.index_dir / str(space.id), space.space)
        state = catalog.embedding_state(space.id)
        numbers = files.numbers()
        if not numbers:
            return state.count > 0
        try:
            manifest = files.manifest(numbers[0])
        except GenerationError:
            return True
        added = catalog.embedding_state(space.id, after_id=manifest.highest_id).count
        removed = manifest.embeddings + added - state.count
        return added + removed > REWRITE_SHARE * manifest.count

    @property
    def dim(self) -> int:
        """Length of a vector."""
        return self.space.space.dim

    @property
    def backend(self) -> str:
        """Which implementation serves."""
        return self._parts[0].backend

    @property
    def device(self) -> str:
        """Where it is searched, ``cpu`` or ``gpu``."""
        return self._parts[0].device

    def __len__(self) -> int:
        base, delta = self._parts
        return len(base) + len(delta)

    def search(self, queries: Floats, k: int, *, allowed: Ids | None = None) -> tuple[Floats, Ids]:
        """Find the nearest embeddings; see `VectorIndex.search`.

        Args:
            queries: (q, dim) float32, unit rows.
            k: How many.
            allowed: Only these embedding ids; an empty array allows none.

        Returns:
            Scores (q, k), higher is better, and embedding ids (q, k); where there are fewer, -inf and -1.
        """
        base, delta = self._parts
        scores, ids = base.search(queries, k, allowed=allowed)
        if not len(delta):
            return scores, ids
        more_scores, more_ids = delta.search(queries, k, allowed=allowed)
        scores, ids = np.hstack([scores, more_scores]), np.hstack([ids, more_ids])
        order = np.lexsort((ids, -scores), axis=1)[:, :k]
        return np.take_along_axis(scores, order, axis=1), np.take_along_axis(ids, order, axis=1)

    def refresh(self) -> bool:
        """Catch up with what others have written to the catalog; costs microseconds when they have not.

        Returns:
            Whether anything changed.
        """
        with self._change:
            version = self.catalog.version()
            if version == self._version:
                return False
            state = self.catalog.embedding_state(self.space.id)
            changed = state != self._known
            if changed:
                self._catch_up(state)
            self._version = version
            return changed

    def save_generation(self, *, force: bool = False) -> bool:
        """Write the index to disk if it has moved away from what is there by more than a tenth.

        Args:
            force: Write in any case.

        Returns:
            Whether a generation was written. It is not where the folder is read-only or another process is writing one.

        Raises:
            StorageFull: The disk is full. Nothing is lost, but the next search has to build the index anew.
        """
        with self._change, translated(self._files.path):
            self.refresh()
            if not force and not self._is_worth_writing():
                return False
            if self._moved():
                self._rebuild()
            try:
                with self._files.exclusive():
                    self.generation = self._files.write(self._parts[0], self._known).generation
            except LibraryLocked:
                return False
            except OSError as exc:
                if not is_readonly(exc):
                    raise
                self._note("the index cannot be kept, for the library cannot be written: each search builds it anew")
                return False
            return True

    def _note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)

    def _is_worth_writing(self) -> bool:
        if self.generation is None:
            return len(self) > 0
        return self._moved() > REWRITE_SHARE * self._base_rows

    def _moved(self) -> int:
        """How many vectors came or went since the base was made."""
        base, delta = self._parts
        return len(delta) + self._base_rows - len(base)

    def _load(self) -> bool:
        """Take the newest good generation as the base."""
        for number in self._files.numbers():
            try:
                manifest = self._files.manifest(number)
                base = self._files.load(manifest, self._reader_of(manifest.backend))
                self._check_against_catalog(base)
            except GenerationError as exc:
                self._note(f"index generation {number} was not used: {exc}")
                continue
            self.generation = number
            self._set_base(base, manifest.state)
            return True
        if self.notes and self._files.numbers():
            self._note("the index was built anew from the catalog, nothing is lost")
        return False

    def _reader_of(self, backend: str) -> type[VectorIndex]:
        """Who reads a file of some backend: that backend where there is a choice, for the size may have suited another one since."""
        if self._wanted is None and (backend == NumpyIndex.backend or (backend in BACKENDS and find_spec("faiss"))):
            self._backend = BACKENDS[backend]
        return self._backend

    def _check_against_catalog(self, base: VectorIndex) -> None:
        """Compare some vectors, the newest among them: a catalog that was restored from a backup uses ids anew."""
        ids = base.ids()
        sample = np.concatenate([ids[:: max(1, len(ids) // SAMPLE)], ids[-SAMPLE // 4 :]])  # np.unique would import numpy.ma, 10 ms
        there = {row.embedding_id for row in self.catalog.segments_of(sample)}
        sample = np.array([id_ for id_ in sample.tolist() if id_ in there], np.int64)
        if len(sample) and not np.array_equal(base.vectors(sample), self.catalog.vectors(sample).astype("<f2")):
            raise GenerationError("its vectors are not those of the catalog")

    def _rebuild(self) -> None:
        state = self.catalog.embedding_state(self.space.id)
        self._backend = choose_backend(self._wanted, count=state.count).index
        base = self._backend(self.dim)
        for ids, vectors in self.catalog.iter_vectors(self.space.id):
            known = ids <= state.highest_id  # what is written meanwhile is caught up with later
            base.add(ids[known], vectors[known])
        self._set_base(base, state)

    def _set_base(self, base: VectorIndex, state: EmbeddingState) -> None:
        base = place(base, self._device, self._note, instead_of=self._parts[0])
        self._parts = (base, NumpyIndex(self.dim))
        self._base_rows = len(base)
        self._known = state

    def _catch_up(self, state: EmbeddingState) -> None:
        added = 0
        _, delta = self._parts
        for ids, vectors in self.catalog.iter_vectors(self.space.id, after_id=self._known.highest_id):
            known = ids <= state.highest_id
            delta.add(ids[known], vectors[known])
            added += int(np.count_nonzero(known))
        if self._known.count + added != state.count:
            self._compare_ids(state)
        self._known = state
        if self._moved() > max(REBUILD_AT_LEAST, REBUILD_SHARE * self._base_rows):
            self._rebuild()

    def _compare_ids(self, state: EmbeddingState) -> None:
        """Mask what is gone from the catalog, and see that nothing else is missing."""
        truth = self.catalog.embedding_ids(self.space.id)
        truth = truth[truth <= state.highest_id]
        base, delta = self._parts
        for part in (base, delta):
            part.remove(np.setdiff1d(part.ids(), truth, assume_unique=True))
        missing = len(truth) - len(self)
        if missing > 0:
            self._note(f"{missing} vectors in the catalog cannot be used: run  anyseek doctor")
