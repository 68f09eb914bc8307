"""The five-line door: open a library, index folders into it, search it. It wires the parts and has no logic of its own."""

from __future__ import annotations

import os
import shlex
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from .asking import Asked
from .config import default_library
from .encoders.protocol import EncoderSettings, check_encoder
from .errors import BadInput, BadQuery
from .search.references import Reference
from .search.timings import Stopwatch
from .spaces import Change, Model, Spaces, make_encoders
from .storage.catalog import Catalog, Counts, FailureRow, SourceRow, SpaceRow
from .storage.layout import LibraryFolder
from .types import Kind

if TYPE_CHECKING:
    from .duplicates.findings import Duplicates, OnLook, Tier
    from .filters import Condition
    from .indexer.indexer import IndexOptions
    from .indexer.report import IndexReport, OnEvent
    from .search.bridges import BridgeMethod
    from .search.engine import Answer, Engine
    from .search.fusion import Fusion
    from .search.spaces import SearchSpace
    from .storage.doctor import Report
    from .storage.space_index import SpaceIndex
    from .storage.user_metadata import Scalar
    from .tagging.report import OnTagging, TagOptions, TagReport
    from .tagging.vocabulary import TagVocabulary

__all__ = ["Library"]

StrPath = str | os.PathLike[str]


class _Stopped(Exception):
    """The work that makes scores comparable was left off."""


class Library:
    """A media library: its catalog, its vectors and the encoder that gives them.

    Use it in a ``with`` block. One process at a time may index; any number may search meanwhile.
    """

    def __init__(
        self,
        folder: LibraryFolder,
        catalog: Catalog,
        spaces: Spaces,
        index_device: str = "auto",
        bridge: BridgeMethod = "ridge",
        calibrated: bool = True,
    ) -> None:
        self.folder = folder
        self.catalog = catalog
        self.spaces = spaces
        self.index_device = index_device
        self.bridge = bridge
        self.calibrated = calibrated
        self._engine: Engine | None = None
        self._lock = threading.Lock()

    @classmethod
    def open(
        cls,
        path: StrPath | None = None,
        *,
        encoder: Model | Sequence[Model] | None = None,
        readonly: bool = False,
        settings: EncoderSettings | None = None,
        offline: bool = False,
        index_device: str = "auto",
        bridge: BridgeMethod = "ridge",
        calibrated: bool = True,
    ) -> Self:
        """Open a library, and make it when there is none.

        Args:
            path: A library folder, or a folder of media whose library lies in its ``.anyseek``; the user's own when None.
            encoder: What a new library is made with: a preset or an encoder by its name, such as ``starter``, an object that obeys
                `Encoder`, or several of these. An existing library knows its own.
            readonly: Search only: make no library where there is none, and write nothing, so that one on a read-only medium will do.
            settings: How encoders are loaded: device, batch size and so on.
            offline: Never fetch a model's files. Without it they are fetched when a model is named for a new space, and only then.
            index_device: Where vectors are searched: ``auto`` (on a GPU where FAISS has one and they fit), ``cpu`` or ``gpu``.
            bridge: How pictures find sounds of another space and the other way round: ``ridge``, a linear map, or ``labels``, by what both
                are called.
            calibrated: Whether scores are made comparable and what is not relevant is left out; else hits are ranked by their bare cosines.

        Raises:
            LibraryNotFound: There is none, and `readonly` forbids to make it.
            LibraryTooNew: A newer anyseek made it.
            SpaceMismatch: It was made with another encoder than the one given.
            BadInput: What is given is no encoder.
            UnknownEncoder: No encoder has that name.
            ModelUnavailable: Its files are not on this machine, and may not or cannot be fetched.
        """
        folder = _folder(path)
        settings = settings or EncoderSettings()
        given: Sequence[Model] = _as_models(encoder)
        if not folder.exists and not readonly:  # so that a wrong name makes no library
            given = make_encoders(given, replace(settings, download=not offline))
        catalog = Catalog.open(folder, readonly=readonly) if readonly or folder.exists else Catalog.create(folder)
        spaces = Spaces(catalog, given, settings, offline=offline)
        try:
            spaces.check_given()
        except BaseException:
            catalog.close()
            raise
        return cls(folder, catalog, spaces, index_device, bridge, calibrated)

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

    def index(
        self,
        *paths: StrPath,
        model: Model | Sequence[Model] | None = None,
        options: IndexOptions | None = None,
        on_event: OnEvent | None = None,
        stop: threading.Event | None = None,
    ) -> IndexReport:
        """Bring the library in line with files and folders: read what is new or changed, drop what is gone.

        Args:
            paths: Files and folders; all known folders when there are none.
            model: What is to serve from now on, as `encoder` in `open`. Another one than the library's is built beside it, embedding only
                what it lacks; the old one goes on serving until nothing is lacking any more. An interrupted change goes on with the next
                run, whether it names the model again or not.
            options: See `IndexOptions`.
            on_event: Told of everything that happens; nothing is printed.
            stop: Set it, from another thread or a signal handler, to leave off after the batch in flight; the next run goes on from there.

        Raises:
            BadInput: A path does not exist.
            LibraryLocked: Another process is indexing.
            StorageFull: The disk is full; what was committed is safe.
            UnknownEncoder: A model has an unknown name.
            ModelUnavailable: A model's files are not on this machine, and may not or cannot be fetched.
        """
        from .indexer.indexer import Indexer, IndexOptions
        from .indexer.lanes import Lane
        from .storage.engine import translated
        from .storage.lock import WriterLock

        on_event = on_event or (lambda event: None)
        stop = stop or threading.Event()
        with translated(self.folder.catalog), WriterLock(self.folder, "indexing"):
            rows = self.spaces.to_fill(_as_models(model))
            encoders, notes = self.spaces.encoders(rows)
            lanes = [Lane(row, encoders[row.id]) for row in rows if row.id in encoders]
            indexer = Indexer(
                self.catalog, lanes, options or IndexOptions(), on_event, stop
            )  # fmt: skip
            report = indexer.run(_as_paths(paths))
            report.notes += notes
            for lane in lanes:
                self._keep_index(lane.space)
            if not report.interrupted:
                self._finish_change(report, on_event, stop)
            return report

    def _finish_change(self, report: IndexReport, on_event: OnEvent, stop: threading.Event) -> None:
        """Let new spaces take over when nothing is lacking in them, or say what is."""
        from .indexer.report import TextsEncoded

        change = self.spaces.change()
        complete = change is not None and not change.lacking
        serving = list(change.target) if change is not None and complete else self.catalog.spaces("serving")

        def told(space: SearchSpace, done: int, total: int) -> None:
            on_event(TextsEncoded(space.spec, done, total))
            if stop.is_set() and done < total:
                raise _Stopped

        if serving:
            try:
                self._engine_of(serving).prepare(told)
            except _Stopped:
                report.interrupted = True
                return
        if change is None:
            return
        specs = tuple(row.space.spec for row in change.target)
        if complete:
            before = self.catalog.spaces("serving")
            self.spaces.finish_change()
            report.changed_to = specs
            report.changed_from = tuple(row.space.spec for row in before if row.id not in {now.id for now in change.target})
        else:
            report.notes.append(
                f"{' and '.join(specs)} will take over when all files have their vectors ({change.lacking:,} more to go): "
                f"run  anyseek index  again without naming folders, or  anyseek models use {shlex.join(specs)}  to change over as it is"
            )

    def _keep_index(self, row: SpaceRow) -> None:
        """Write the index of a space where the catalog has moved away from what is written."""
        from .storage.space_index import SpaceIndex

        if SpaceIndex.lags(self.folder, self.catalog, row):
            SpaceIndex.open(self.folder, self.catalog, row, device="cpu").save_generation()  # written, not searched

    def use(self, *models: str, dim: int | None = None) -> Change:
        """Let models serve that the library has vectors of: go back to an earlier one, or over to one before it is complete.

        Args:
            models: Presets and encoders by their names.
            dim: Of a model of which the library has vectors of several lengths, those of this one.

        Raises:
            BadInput: The library has no vectors of one of them.
            LibraryLocked: Another process is writing to it.
            MissingExtra: Of several, one cannot be loaded, and so they cannot be made comparable; what served goes on serving.
            ModelUnavailable: The same.
        """
        from .storage.lock import WriterLock

        with WriterLock(self.folder, "changing the model"):
            target = self.spaces.named(models, dim)
            self._engine_of(target).prepare()
            return self.spaces.use(models, dim)

    def drop(self, *models: str) -> list[SpaceRow]:
        """Forget the vectors of models that do not serve; of all that served before when none is named.

        Their room is given back to the disk, and that of what an interrupted drop left behind.

        Raises:
            BadInput: A model serves, or the library has no vectors of it.
            LibraryLocked: Another process is writing to it.
        """
        from .storage.lock import WriterLock
        from .storage.space_index import SpaceIndex

        with WriterLock(self.folder, "dropping a model"):
            dropped = self.spaces.drop(models)
            SpaceIndex.forget_others(self.folder, self.catalog.spaces())
            self.catalog.compact()
            return dropped

    def search(
        self,
        text: str | Sequence[str] | None = None,
        *,
        negative: str | Sequence[str] = (),
        image: StrPath | Sequence[StrPath] = (),
        audio: StrPath | Sequence[StrPath] = (),
        video: StrPath | Sequence[StrPath] = (),
        like: StrPath | Sequence[StrPath] = (),
        unlike: StrPath | Sequence[StrPath] = (),
        weights: Mapping[str, float] | None = None,
        kinds: Collection[Kind | str] = (),
        where: str | Condition | None = None,
        fusion: str | Fusion = "mean",
        min_relevance: float | None = None,
        order: str = "relevance",
        reverse: bool = False,
        moments: int | None = None,
        explain: bool = False,
        limit: int = 10,
        cursor: str | None = None,
    ) -> Answer:
        """Find what comes nearest to a text, to examples, or to all of them together.

        Args:
            text: What to look for, in words; several texts count together as much as one.
            negative: What not to, in words.
            image: Pictures to look for the like of.
            audio: Sounds to look for the like of.
            video: Films to look for the like of.
            like: Files of the library to look for the like of, or moments of them: ``film.mp4@0:12-0:18``. Nothing is decoded for them.
            unlike: Files and moments of the library that are not meant.
            weights: How much ``text``, ``image``, ``audio``, ``video`` and ``like`` count, and how strongly ``negative`` and ``unlike``
                push away; 1 unless told.
            kinds: Only these kinds.
            where: Only files that satisfy a condition, such as ``rating>=4 and date:2024``; see docs/filters.md.
            fusion: How parts are joined: ``mean`` (of their vectors), ``max`` (as relevant as to the part that is answered best), ``rrf``
                (reciprocal ranks), or an object that obeys `EarlyFusion` or `LateFusion`.
            min_relevance: Leave hits of less out; None for what is more likely wrong than right, 0 to show all.
            order: ``relevance``, ``date`` (the newest first), ``path`` or ``duration`` (the longest first).
            reverse: The other way round.
            moments: Most moments of one hit.
            explain: Say of each hit how it came about.
            limit: Most hits to give.
            cursor: The one of the page before, for the next page of the same question.

        Raises:
            BadQuery: There is nothing to search for, or what is asked cannot be.
            MediaError: An example cannot be read.
            UnsupportedModality: The encoder does not understand an example.
        """
        asked = Asked(
            text=_as_texts(text),
            negative=_as_texts(negative),
            image=_as_paths(image),
            audio=_as_paths(audio),
            video=_as_paths(video),
            like=_as_references(like),
            unlike=_as_references(unlike),
            weights=weights or {},
            kinds=_as_kinds(kinds),
            where=where,
            fusion=fusion,
            min_relevance=min_relevance,
            order=order,
            reverse=reverse,
            moments=moments,
            explain=explain,
            limit=limit,
            cursor=cursor,
        )
        return self._answer(asked)

    def similar(
        self,
        path: StrPath,
        *,
        kinds: Collection[Kind | str] = (),
        where: str | Condition | None = None,
        min_relevance: float | None = None,
        order: str = "relevance",
        reverse: bool = False,
        moments: int | None = None,
        explain: bool = False,
        limit: int = 10,
        cursor: str | None = None,
    ) -> Answer:
        """Find what resembles a file of the library, or a moment of it, by the vectors that it has already; see `search`.

        Raises:
            BadQuery: The file is not in the library.
        """
        asked = Asked(
            similar_to=Reference.read(path),
            kinds=_as_kinds(kinds),
            where=where,
            min_relevance=min_relevance,
            order=order,
            reverse=reverse,
            moments=moments,
            explain=explain,
            limit=limit,
            cursor=cursor,
        )
        return self._answer(asked)

    def _answer(self, asked: Asked) -> Answer:
        watch = Stopwatch()
        return self._asked(lambda engine: engine.answer(asked.query(engine, self.catalog, watch), watch))

    def duplicates(
        self,
        *,
        tiers: Collection[Tier | str] = ("exact", "near"),
        kinds: Collection[Kind | str] = (),
        where: str | Condition | None = None,
        distance: int | None = None,
        min_similarity: float | None = None,
        on_look: OnLook | None = None,
        stop: threading.Event | None = None,
    ) -> Duplicates:
        """Find files that are the same, nearly the same, or alike; nothing is deleted. See docs/duplicates.md.

        Args:
            tiers: ``exact`` (the same bytes), ``near`` (another size, format or quality, or a part) and ``similar`` (close vectors). Each
                looks at what those before it leave.
            kinds: Only these kinds.
            where: Only files that satisfy a condition.
            distance: Near pictures: how many of the 64 bits of their hashes may differ; 7 unless told.
            min_similarity: Similar files: the least cosine; by what is usual in the library unless told.
            on_look: Told how it goes on.
            stop: Set it, from another thread or a signal handler, to leave off; what was found out is kept.

        Raises:
            BadInput: A tier, kind, condition or number cannot be used.
        """
        from .duplicates.finder import Finder, Wanted

        wanted = Wanted.of(tiers, _as_kinds(kinds), where, distance, min_similarity)
        return Finder(self.catalog, self._open_index, wanted, on_look, stop).find()

    def metadata(self, path: StrPath) -> dict[str, Scalar]:
        """What was written down of a file of the library by `set_metadata`."""
        return self.catalog.user_metadata(self._asset_at(path))

    def set_metadata(self, path: StrPath, changes: Mapping[str, Scalar | None]) -> dict[str, Scalar]:
        """Write down something of a file, to be asked for by ``meta.KEY`` in a filter; the file itself stays as it is.

        Args:
            path: Of the file; a copy of it is another one.
            changes: Texts, numbers or truth values by key; None takes one away. What is not named stays.

        Returns:
            All that is written down of it now.

        Raises:
            BadInput: The file is not in the library, or a key or value cannot be stored.
        """
        with self.catalog.transaction() as writer:
            return writer.put_user_metadata(self._asset_at(path), changes)

    def _asset_at(self, path: StrPath) -> int:
        found = self.catalog.find_asset(Path(path).expanduser())
        if found is None:
            raise BadInput(f"{path} is not in the library at {self.path}: index it first")
        return found.id

    def tag(
        self,
        *paths: StrPath,
        vocabulary: str | TagVocabulary = "builtin",
        options: TagOptions | None = None,
        on_tagging: OnTagging | None = None,
        stop: threading.Event | None = None,
    ) -> TagReport:
        """Tag files with the labels that hold of them, for filters such as ``tag:dog`` to use; see docs/tags.md.

        Args:
            paths: Files and folders of the library; all of it when there are none.
            vocabulary: ``builtin``, or a text file with a label on each line.
            options: How sure tags must be, how many a file may have, and so on.
            on_tagging: Told how many contents are done, and of how many.
            stop: Set it, from another thread or a signal handler, to leave off; what was done is kept.

        Raises:
            BadInput: The vocabulary cannot be used, or the library knows nothing at a path.
            LibraryLocked: Another process is writing to it.
            UnsupportedModality: No model of the library understands text.
        """
        from .storage.lock import WriterLock
        from .tagging.report import TagOptions
        from .tagging.tagger import Tagger
        from .tagging.vocabulary import TagVocabulary

        options = options or TagOptions()
        labels = TagVocabulary.named(vocabulary) if isinstance(vocabulary, str) else vocabulary
        with nullcontext() if options.dry_run else WriterLock(self.folder, "tagging"):
            tagger = Tagger(self.catalog, self.engine.spaces, self.engine.relevance, labels, options)
            return tagger.run(_as_paths(paths), stop, on_tagging)

    def untag(self, *paths: StrPath, vocabulary: str = "builtin", options: TagOptions | None = None) -> TagReport:
        """Remove the tags by a vocabulary, whatever model they are by; its file need not be there any more.

        Args:
            paths: As for `tag`.
            vocabulary: As for `tag`.
            options: `where` and `dry_run` count.

        Raises:
            BadInput: The library knows nothing at a path.
            LibraryLocked: Another process is writing to it.
        """
        from .storage.lock import WriterLock
        from .tagging.removal import remove_tags
        from .tagging.report import TagOptions

        options = options or TagOptions()
        with nullcontext() if options.dry_run else WriterLock(self.folder, "tagging"):
            return remove_tags(self.catalog, Path(vocabulary).name, _as_paths(paths), options)

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

    @property
    def engine(self) -> Engine:
        """What answers queries on the spaces that serve. It is kept, with all that it has loaded, until other spaces serve."""
        serving = self.catalog.spaces("serving")
        if not serving:
            raise BadQuery(f"the library at {self.path} is empty: fill it with  anyseek index FOLDER")
        with self._lock:
            if self._engine is None or _rows_of(self._engine) != serving:
                self._engine = self._engine_of(serving, spare=len(serving) > 1)
            return self._engine

    def _asked(self, ask: Callable[[Engine], Answer]) -> Answer:
        """Ask the spaces that serve, and once more whenever others took over meanwhile: the old ones may be dropped at any moment.

        What was pruned meanwhile is no reason to fail either.
        """
        while True:
            version, engine = self.catalog.version(), self.engine
            try:
                answer = ask(engine)
            except Exception as error:
                pruned = isinstance(error, LookupError) and self.catalog.version() != version
                if _rows_of(engine) == self.catalog.spaces("serving") and not pruned:
                    raise
            else:
                if _rows_of(engine) == self.catalog.spaces("serving"):
                    return answer

    def _engine_of(self, rows: Sequence[SpaceRow], *, spare: bool = False) -> Engine:
        from .search.engine import Engine
        from .search.spaces import SearchSpace
        from .storage.derived import DerivedArrays

        spaces = [SearchSpace(row, partial(self.spaces.encoder, row), partial(self._open_index, row), spare=spare) for row in rows]
        return Engine(self.catalog, spaces, DerivedArrays(self.folder), bridge=self.bridge, calibrated=self.calibrated)

    def _open_index(self, row: SpaceRow) -> SpaceIndex:
        from .storage.space_index import SpaceIndex

        return SpaceIndex.open(self.folder, self.catalog, row, device=self.index_device)


def _rows_of(engine: Engine) -> list[SpaceRow]:
    return [space.row for space in engine.spaces]


def _folder(path: StrPath | None) -> LibraryFolder:
    return LibraryFolder.at(Path(path).expanduser() if path is not None else default_library())


def _as_models(model: Model | Sequence[Model] | None) -> list[Model]:
    if model is None:
        return []
    models = list(model) if isinstance(model, Sequence) and not isinstance(model, str) else [model]
    for each in models:
        if not isinstance(each, str):
            check_encoder(each)
    return models


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


def _as_texts(texts: str | Sequence[str] | None) -> list[str]:
    return [] if texts is None else [texts] if isinstance(texts, str) else list(texts)


def _as_references(references: StrPath | Sequence[StrPath]) -> list[Reference]:
    return [Reference.read(one) for one in ([references] if isinstance(references, str | os.PathLike) else references)]
