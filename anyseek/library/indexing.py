"""An indexing run, and what is to be done when it is over: write the indexes, make scores comparable, let new models take over."""

from __future__ import annotations

import shlex
import threading
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ..adapters.switches import left_behind
from ..errors import BadInput
from ..fusion.named import early_fusion
from ..indexer.indexer import OFF, Indexer, IndexOptions
from ..indexer.lanes import Lane
from ..indexer.report import IndexReport, OnEvent, SidesJoined, TextsEncoded
from ..indexer.wholes import Wholes
from ..spaces import Change, Model, Spaces
from ..storage.catalog import Catalog, SpaceRow
from ..storage.engine import translated
from ..storage.layout import LibraryFolder
from ..storage.lock import WriterLock
from ..storage.space_index import SpaceIndex
from ..types import AnnotationType

if TYPE_CHECKING:
    from ..search.engine import Engine
    from ..search.spaces import SearchSpace

__all__ = ["IndexRun"]

FUSE = "fuse"
"""The setting that remembers how what belongs together is joined."""


class _Stopped(Exception):
    """The work that makes scores comparable was left off."""


class IndexRun:
    """One run of the indexer for all spaces that it is to fill.

    Args:
        folder: Of the library.
        catalog: Of the library.
        spaces: Of the library.
        engine_of: Makes the engine that is to answer queries on some spaces.
        on_event: Told of everything that happens.
        stop: Set it to leave off after the batch in flight.
    """

    def __init__(
        self,
        folder: LibraryFolder,
        catalog: Catalog,
        spaces: Spaces,
        engine_of: Callable[[Sequence[SpaceRow]], Engine],
        on_event: OnEvent | None = None,
        stop: threading.Event | None = None,
    ) -> None:
        self.folder = folder
        self.catalog = catalog
        self.spaces = spaces
        self.engine_of = engine_of
        self.on_event = on_event or (lambda event: None)
        self.stop = stop or threading.Event()

    def over(self, paths: Sequence[Path], models: Sequence[Model] = (), options: IndexOptions | None = None) -> IndexReport:
        """Bring the library in line with files and folders; `anyseek.library.Library.index` says what it raises.

        Args:
            paths: All known folders when there are none.
            models: What is to serve from now on; none to go on as before.
            options: See `IndexOptions`.
        """
        with translated(self.folder.catalog), WriterLock(self.folder, "indexing"):
            rows = self.spaces.to_fill(models)
            encoders, notes = self.spaces.encoders(rows)
            lanes = [Lane(row, encoders[row.id]) for row in rows if row.id in encoders]
            options = options or IndexOptions()
            joins = self._joins(lanes, options)
            report = Indexer(self.catalog, lanes, options, self.on_event, self.stop).run(paths)
            report.notes += notes
            if not report.interrupted:
                self._join(joins, options, report)
            for lane in lanes:
                self._keep_index(lane.space)
            if not report.interrupted:
                self._prepare(report)
            return report

    def _joins(self, lanes: Sequence[Lane], options: IndexOptions) -> list[Wholes | str]:
        """What joins what belongs together in each space, as this run is told or an earlier one was; a note where it cannot be.

        Raises:
            BadInput: This run is told to join in a way that nothing was trained for.
        """
        name = options.fuse or self.catalog.setting(FUSE) or OFF
        if name == OFF or not lanes:
            return []
        trained = self.engine_of([lane.space for lane in lanes]).trained
        fusion, found = early_fusion(name, trained), list[Wholes | str]()
        for lane in lanes:
            learnt = trained.digest(name, lane.space.space.fingerprint)
            if fusion is not None and learnt is not None:
                found.append(Wholes(self.catalog, lane, fusion, learnt))
                continue
            lacking = f"what belongs together cannot be joined in {lane.spec} by {name}, for nothing was trained for it: "
            if options.fuse is not None:
                raise BadInput(f"{lacking}use mean or agreement, or train it with  anyseek train --method fusion")
            found.append(f"{lacking}run  anyseek index --fuse  with another way, or off")
        return found

    def _join(self, joins: Sequence[Wholes | str], options: IndexOptions, report: IndexReport) -> None:
        """Join what belongs together, or remove what was joined."""
        if options.fuse is not None:
            with self.catalog.transaction() as writer:
                writer.put_setting(FUSE, options.fuse)
                if options.fuse == OFF:
                    removed = writer.drop_wholes([row.id for row in self.catalog.spaces()])
                    writer.remove_annotations(AnnotationType.FUSED)
                    report.notes += [f"{removed:,} joined vectors were removed"] if removed else []
        for join in joins:
            if isinstance(join, str):
                report.notes.append(join)
                continue
            report.joined += join.run(self.stop, partial(self._told_of_sides, join.lane.spec))
        report.interrupted = self.stop.is_set() and bool(joins)

    def _told_of_sides(self, spec: str, done: int, total: int) -> None:
        self.on_event(SidesJoined(spec, done, total))

    def _keep_index(self, row: SpaceRow) -> None:
        """Write the index of a space where the catalog has moved away from what is written."""
        if SpaceIndex.lags(self.folder, self.catalog, row):
            SpaceIndex.open(self.folder, self.catalog, row, device="cpu").save_generation()  # written, not searched

    def _prepare(self, report: IndexReport) -> None:
        """Make the scores of the spaces comparable that serve or are about to, and then let new ones take over, or say what they lack."""
        change = self.spaces.change()
        complete = change is not None and not change.lacking
        serving = list(change.target) if change is not None and complete else self.catalog.spaces("serving")
        try:
            if serving:
                engine = self.engine_of(serving)
                if change is not None or report.has_changed_the_library or not engine.is_prepared:
                    engine.prepare(self._told)
        except _Stopped:
            report.interrupted = True
            return
        if change is not None:
            self._finish_change(change, report)

    def _told(self, space: SearchSpace, done: int, total: int) -> None:
        self.on_event(TextsEncoded(space.spec, done, total))
        if self.stop.is_set() and done < total:
            raise _Stopped

    def _finish_change(self, change: Change, report: IndexReport) -> None:
        """Let new spaces take over when nothing is lacking in them, or say what is."""
        specs = tuple(row.space.spec for row in change.target)
        if change.lacking:
            report.notes.append(
                f"{' and '.join(specs)} will take over when all files have their vectors ({change.lacking:,} more to go): "
                f"run  anyseek index  again without naming folders, or  anyseek models use {shlex.join(specs)}  to change over as it is"
            )
            return
        before = self.catalog.spaces("serving")
        self.spaces.finish_change()
        report.changed_to = specs
        gone = [row for row in before if row.id not in {now.id for now in change.target}]
        report.changed_from = tuple(row.space.spec for row in gone)
        if (told := left_behind(self.catalog, gone)) is not None:
            report.notes.append(told)
