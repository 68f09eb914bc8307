"""The five-line door: open a library, index folders into it, search it. It wires the parts and has no logic of its own."""

from __future__ import annotations

import math
import os
import threading
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from .config import default_library
from .encoders.protocol import Encoder
from .errors import BadInput, BadQuery, SpaceMismatch, UnsupportedModality
from .search.query import Example, Part, Query, Stored, Text
from .storage.catalog import Catalog, Counts, FailureRow, SourceRow, SpaceRow
from .storage.layout import LibraryFolder
from .types import Kind, Modality, Space

if TYPE_CHECKING:
    from .indexer.indexer import IndexOptions
    from .indexer.report import IndexReport, OnEvent
    from .media.protocol import DecodeOptions
    from .search.engine import Answer, Engine
    from .storage.doctor import Report
    from .storage.space_index import SpaceIndex

__all__ = ["DEFAULT_ENCODER", "Library"]

DEFAULT_ENCODER = "starter"

StrPath = str | os.PathLike[str]


class Library:
    """A media library: its catalog, its vectors and the encoder that gives them.

    Use it in a ``with`` block. One process at a time may index; any number may search meanwhile.
    """

    def __init__(self, folder: LibraryFolder, catalog: Catalog, encoder: Encoder | str | None) -> None:
        self.folder = folder
        self.catalog = catalog
        self._wanted = encoder

    @classmethod
    def open(cls, path: StrPath | None = None, *, encoder: Encoder | str | None = None, readonly: bool = False) -> Self:
        """Open a library, and make it when there is none.

        Args:
            path: A library folder, or a folder of media whose library lies in its ``.anyseek``; the user's own when None.
            encoder: What a new library is made with: a name such as ``starter``, or an object that obeys `Encoder`. An existing library
                knows its own.
            readonly: Search only: make no library where there is none, and write nothing, so that one on a read-only medium will do.

        Raises:
            LibraryNotFound: There is none, and `readonly` forbids to make it.
            LibraryTooNew: A newer anyseek made it.
            SpaceMismatch: It was made with another encoder than the one given.
            UnknownEncoder: No encoder has that name.
        """
        folder = _folder(path)
        if isinstance(encoder, str) and not folder.exists:
            from .encoders.registry import load

            encoder = load(encoder)  # so that a wrong name makes no library
        catalog = Catalog.open(folder, readonly=readonly) if readonly or folder.exists else Catalog.create(folder)
        library = cls(folder, catalog, encoder)
        try:
            library._check_encoder()
        except BaseException:
            library.close()
            raise
        return library

    @staticmethod
    def exists(path: StrPath | None = None) -> bool:
        """Whether there is a library at a path, as `open` understands it."""
        return _folder(path).exists

    @staticmethod
    def examine(path: StrPath | None = None, *, repair: bool = False, rebuild: bool = False) -> Report:
        """Verify catalog and index of a library against each other, and mend what can be mended; works where `open` cannot.

        Args:
            path: As for `open`.
            repair: Mend what is found, after a backup; nothing is lost by it.
            rebuild: Write the index anew from the catalog even when nothing is wrong with it.

        Raises:
            LibraryNotFound: There is none.
            LibraryLocked: Another process is writing to it.
            LibraryDamaged: The catalog cannot be read at all; the message names the newest backup.
        """
        from .storage import doctor

        folder = _folder(path)
        return doctor.repair(folder, rebuild=rebuild) if repair or rebuild else doctor.examine(folder)

    def close(self) -> None:
        """Release the catalog."""
        self.catalog.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    @property
    def path(self) -> Path:
        """The library's own folder."""
        return self.folder.path

    @cached_property
    def encoder(self) -> Encoder:
        """The encoder of this library, loaded when it is first used."""
        from .encoders.registry import load

        if isinstance(self._wanted, Encoder):
            return self._wanted
        active = self.catalog.space()
        encoder = load(self._wanted or (active.space.spec if active else DEFAULT_ENCODER))
        if active:
            _require_same(active.space, encoder.space)
        return encoder

    def index(
        self,
        *paths: StrPath,
        options: IndexOptions | None = None,
        on_event: OnEvent | None = None,
        stop: threading.Event | None = None,
    ) -> IndexReport:
        """Bring the library in line with files and folders: read what is new or changed, drop what is gone.

        Args:
            paths: Files and folders; all known folders when there are none.
            options: See `IndexOptions`.
            on_event: Told of everything that happens; nothing is printed.
            stop: Set it, from another thread or a signal handler, to leave off after the batch in flight; the next run goes on from there.

        Raises:
            BadInput: A path does not exist.
            LibraryLocked: Another process is indexing.
            StorageFull: The disk is full; what was committed is safe.
        """
        from .indexer.indexer import Indexer, IndexOptions
        from .storage.engine import translated
        from .storage.lock import WriterLock
        from .storage.space_index import SpaceIndex

        options = options or IndexOptions()
        with translated(self.folder.catalog), WriterLock(self.folder, "indexing"):
            indexer = Indexer(
                self.catalog,
                self.catalog.adopt_space(self.encoder.space),
                self.encoder,
                replace(options, decode=self._decode_options(options.decode)),
                on_event or (lambda event: None),
                stop or threading.Event(),
            )
            report = indexer.run(_as_paths(paths))
            if report.embedded or report.purged or SpaceIndex.lags(self.folder, self.catalog, self._space):
                self.search_index.refresh()
                self.search_index.save_generation()
            return report

    def search(
        self,
        text: str | None = None,
        *,
        image: StrPath | Sequence[StrPath] = (),
        audio: StrPath | Sequence[StrPath] = (),
        video: StrPath | Sequence[StrPath] = (),
        weights: Mapping[str, float] | None = None,
        kinds: Collection[Kind | str] = (),
        limit: int = 10,
    ) -> Answer:
        """Find what comes nearest to a text, to examples, or to all of them together.

        Args:
            text: What to look for, in words.
            image: Pictures to look for the like of.
            audio: Sounds to look for the like of.
            video: Films to look for the like of.
            weights: How much ``text``, ``image``, ``audio`` and ``video`` count, 1 unless told; a negative one pushes away.
            kinds: Only these kinds.
            limit: Most hits to give.

        Raises:
            BadQuery: There is nothing to search for, or a text is empty or too long.
            MediaError: An example cannot be read.
            UnsupportedModality: The encoder does not understand an example.
        """
        examples = {Kind.IMAGE: _as_paths(image), Kind.AUDIO: _as_paths(audio), Kind.VIDEO: _as_paths(video)}
        given = [kind.value for kind, paths in examples.items() if paths] + ["text"] * (text is not None)
        weights = _checked_weights(weights or {}, given)
        parts: list[Part] = []
        if text is not None:
            parts.append(Text(text, weights.get("text", 1.0)))
        for kind, paths in examples.items():
            parts.extend(self._example(path, kind, weights.get(kind.value, 1.0)) for path in paths)
        return self._answer(Query(tuple(parts), _as_kinds(kinds), limit))

    def similar(self, path: StrPath, *, kinds: Collection[Kind | str] = (), limit: int = 10) -> Answer:
        """Find what resembles a file of the library, by the vectors that it has already.

        Raises:
            BadQuery: The file is not in the library.
        """
        absolute = Path(os.path.abspath(Path(path).expanduser()))  # noqa: PTH100 - links stay as they were indexed
        asset = self.catalog.find_asset(absolute)
        if asset is None or asset.content_id is None:
            raise BadQuery(f"{path} is not in the library at {self.path}: index it, or search by it with --image, --audio or --video")
        ids, _, _ = self.catalog.embeddings_of([asset.content_id], self._space.id)
        if not len(ids):
            raise BadQuery(f"{path} could not be indexed, so nothing is known to resemble it:  anyseek errors  says why")
        stored = Stored(self.catalog.vectors(ids))
        return self._answer(Query((stored,), _as_kinds(kinds), limit, without=frozenset({asset.content_id})))

    def counts(self) -> Counts:
        """How much the library holds."""
        return self.catalog.counts()

    def sources(self) -> list[SourceRow]:
        """The folders that were indexed."""
        return self.catalog.sources()

    def failures(self) -> list[FailureRow]:
        """The files that could not be read, each with its reason."""
        return self.catalog.failures()

    def skipped(self) -> list[tuple[Path, str]]:
        """The files and folders of the library's sources that are passed over, each with the rule; found by walking anew."""
        from .indexer.exclusion import Exclusion
        from .indexer.scan import Rule, ScanRules, scan
        from .media.kinds import kind_by_suffix

        passed: list[tuple[Path, str]] = []
        for source in self.catalog.sources():

            def note(path: str, rule: Rule, root: Path = source.root) -> None:
                passed.append((root / path, rule.value))

            scan(source.root, ScanRules(kind_by_suffix, Exclusion(source.exclude, source.root)), on_skip=note)
        return passed

    @cached_property
    def search_index(self) -> SpaceIndex:
        """The vector index of the library's space, loaded when it is first used."""
        from .storage.space_index import SpaceIndex

        return SpaceIndex.open(self.folder, self.catalog, self._space)

    @cached_property
    def _engine(self) -> Engine:
        from .search.engine import Engine

        return Engine(self.catalog, self._space, self.search_index, self.encoder)

    @property
    def _space(self) -> SpaceRow:
        space = self.catalog.space()
        if space is None:
            raise BadQuery(f"the library at {self.path} is empty: fill it with  anyseek index FOLDER")
        return space

    def _answer(self, query: Query) -> Answer:
        engine = self._engine
        self.search_index.refresh()
        return engine.answer(query)

    def _example(self, path: Path, kind: Kind, weight: float) -> Example:
        from .media.open import open_media
        from .media.protocol import DecodeOptions

        needed = {Kind.IMAGE: {Modality.IMAGE}, Kind.AUDIO: {Modality.AUDIO}, Kind.VIDEO: {Modality.IMAGE, Modality.AUDIO}}[kind]
        if not needed & self.encoder.modalities:
            raise UnsupportedModality(self.encoder.space.spec, kind.value)
        with open_media(path, self._decode_options(DecodeOptions())) as media:
            found = media.info.kind
            if found is not kind:
                raise BadQuery(f"{path} is {_a(found)}, not {_a(kind)}: give it with --{found.value}")
            return Example(kind, tuple(media.segments()), weight)

    def _decode_options(self, options: DecodeOptions) -> DecodeOptions:
        """Fit the options to what the encoder takes."""
        encoder = self.encoder
        return replace(
            options,
            modalities=encoder.modalities & options.modalities,
            image_size=encoder.image_size,
            sample_rate=encoder.sample_rate,
            window_ms=min(options.window_ms, encoder.max_audio_ms),
        )

    def _check_encoder(self) -> None:
        """Refuse another encoder than the library's before any work."""
        active = self.catalog.space()
        if active is None or self._wanted is None:
            return
        if isinstance(self._wanted, str):
            if self._wanted != active.space.spec:
                raise SpaceMismatch(self._wanted, active.space.spec)
        else:
            _require_same(active.space, self._wanted.space)


def _folder(path: StrPath | None) -> LibraryFolder:
    return LibraryFolder.at(Path(path).expanduser() if path is not None else default_library())


def _require_same(made_with: Space, given: Space) -> None:
    if made_with.fingerprint != given.fingerprint:
        other = made_with.spec if made_with.spec != given.spec else f"another version of {given.spec}"
        raise SpaceMismatch(given.spec, other)


def _as_paths(paths: StrPath | Sequence[StrPath]) -> list[Path]:
    if isinstance(paths, str | os.PathLike):
        paths = [paths]
    if any(os.fspath(path) == "" for path in paths):
        raise BadInput("a path is empty: name a file or folder")
    return [Path(path).expanduser() for path in paths]


def _as_kinds(kinds: Collection[Kind | str]) -> frozenset[Kind]:
    if isinstance(kinds, str):
        kinds = [kinds]
    try:
        return frozenset(map(Kind, kinds))
    except ValueError as error:
        raise BadInput(f"{error}: kinds are {', '.join(Kind)}") from None


def _checked_weights(weights: Mapping[str, float], given: Collection[str]) -> Mapping[str, float]:
    for name, weight in weights.items():
        if name not in given:
            raise BadQuery(f"there is no part called {name!r} to give a weight to: the query has {' and '.join(given) or 'none'}")
        if not math.isfinite(weight):
            raise BadQuery(f"{weight} is no weight for {name}: use an ordinary number, 1 for as much as the others")
    return weights


def _a(kind: Kind) -> str:
    return {Kind.IMAGE: "a picture", Kind.AUDIO: "a sound", Kind.VIDEO: "a film"}[kind]
