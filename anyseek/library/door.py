"""Open a library, fill it, change its models, and ask what it holds."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from ..config import default_library
from ..encoders.protocol import EncoderSettings
from ..errors import BadQuery
from ..spaces import Change, Model, Spaces, make_encoders
from ..storage.catalog import Catalog, Counts, FailureRow, SourceRow, SpaceRow
from ..storage.layout import LibraryFolder
from .adapting import Adapting
from .arguments import StrPath, as_models, as_paths
from .curating import Curating
from .liking import Liking
from .searching import Searching

if TYPE_CHECKING:
    from ..indexer.indexer import IndexOptions
    from ..indexer.report import IndexReport, OnEvent
    from ..search.adaptation import Adapted
    from ..search.bridges import BridgeMethod
    from ..search.engine import Answer, Engine
    from ..storage.doctor import Report
    from ..storage.space_index import SpaceIndex

__all__ = ["Library"]


class Library(Searching, Curating, Liking, Adapting):
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
        adapted: Adapted = True,
    ) -> None:
        self.folder = folder
        self.catalog = catalog
        self.spaces = spaces
        self.index_device = index_device
        self.bridge = bridge
        self.calibrated = calibrated
        self.adapted = adapted
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
        adapters: bool = True,
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
            adapters: Whether queries go through the adapters that are switched on; see docs/adapters.md. Vectors that one of them has made
                serve either way, until `rollback_adapter` takes it away.

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
        given: Sequence[Model] = as_models(encoder)
        if not folder.exists and not readonly:  # so that a wrong name makes no library
            given = make_encoders(given, replace(settings, download=not offline))
        catalog = Catalog.open(folder, readonly=readonly) if readonly or folder.exists else Catalog.create(folder)
        spaces = Spaces(catalog, given, settings, offline=offline)
        try:
            spaces.check_given()
        except BaseException:
            catalog.close()
            raise
        return cls(folder, catalog, spaces, index_device, bridge, calibrated, adapters)

    @staticmethod
    def exists(path: StrPath | None = None) -> bool:
        """Whether there is a library at a path, as `open` understands it."""
        return _folder(path).exists

    @staticmethod
    def examine(path: StrPath | None = None, *, repair: bool = False, rebuild: bool = False) -> Report:
        """Verify catalog, index and adapters of a library against each other, and mend what can be mended; works where `open` cannot.

        Args:
            path: As for `open`.
            repair: Mend what is found, after a backup; nothing is lost by it.
            rebuild: Write the index anew from the catalog even when nothing is wrong with it.

        Raises:
            LibraryNotFound: There is none.
            LibraryLocked: Another process is writing to it.
            LibraryDamaged: The catalog cannot be read at all; the message names the newest backup.
        """
        from ..adapters.checks import check_adapters
        from ..storage import doctor

        folder = _folder(path)
        report = doctor.repair(folder, rebuild=rebuild) if repair or rebuild else doctor.examine(folder)
        report.add(check_adapters(folder))
        return report

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
        from .indexing import IndexRun

        run = IndexRun(self.folder, self.catalog, self.spaces, self.engine_of, on_event, stop)
        return run.over(as_paths(paths), as_models(model), options)

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
        from ..storage.lock import WriterLock

        with WriterLock(self.folder, "changing the model"):
            target = self.spaces.named(models, dim)
            self.engine_of(target).prepare()
            return self.spaces.use(models, dim)

    def drop(self, *models: str) -> list[SpaceRow]:
        """Forget the vectors of models that do not serve; of all that served before when none is named.

        Their room is given back to the disk, and that of what an interrupted drop left behind.

        Raises:
            BadInput: A model serves, or the library has no vectors of it.
            LibraryLocked: Another process is writing to it.
        """
        from ..storage.lock import WriterLock
        from ..storage.space_index import SpaceIndex

        with WriterLock(self.folder, "dropping a model"):
            dropped = self.spaces.drop(models)
            SpaceIndex.forget_others(self.folder, self.catalog.spaces())
            self.catalog.compact()
            return dropped

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
        from ..indexer.exclusion import Exclusion
        from ..indexer.scan import Rule, ScanRules, scan
        from ..media.kinds import kind_by_suffix

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
                self._engine = self.engine_of(serving, spare=len(serving) > 1)
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

    def engine_of(self, rows: Sequence[SpaceRow], *, spare: bool = False, adapted: Adapted | None = None) -> Engine:
        """Make what answers queries on some spaces of the library, whether they serve or not. Nothing of it is kept.

        Args:
            rows: At least one.
            spare: Do without those whose model cannot be loaded; see `anyseek.search.spaces.SearchSpace`.
            adapted: The adapters that queries go through, or whether they go through those that are on; None as the library was opened.
        """
        from ..search.engine import Engine
        from ..search.spaces import SearchSpace
        from ..storage.derived import DerivedArrays

        spaces = [SearchSpace(row, partial(self.spaces.encoder, row), partial(self._open_index, row), spare=spare) for row in rows]
        applied = self.adapted if adapted is None else adapted
        return Engine(self.catalog, spaces, DerivedArrays(self.folder), bridge=self.bridge, calibrated=self.calibrated, adapted=applied)

    def _open_index(self, row: SpaceRow) -> SpaceIndex:
        from ..storage.space_index import SpaceIndex

        return SpaceIndex.open(self.folder, self.catalog, row, device=self.index_device)


def _rows_of(engine: Engine) -> list[SpaceRow]:
    return [space.row for space in engine.spaces]


def _folder(path: StrPath | None) -> LibraryFolder:
    return LibraryFolder.at(Path(path).expanduser() if path is not None else default_library())
