"""Catalog and index examined and, where that can be done without losing anything, put right."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Connection, delete, select, text, update

from ..errors import LibraryDamaged, LibraryNotFound, LibraryTooNew
from .catalog import Catalog
from .checks import (
    Finding,
    Severity,
    bad_vectors,
    check_faiss,
    check_generations,
    check_rows,
    check_structure,
    check_vectors,
    hollow_coverage,
)
from .engine import Database, fetch, translated
from .generations import Generations
from .layout import LibraryFolder
from .lock import WriterLock
from .migrate import back_up
from .models import annotation, asset, content, coverage, embedding, feedback, segment, space
from .queries import listed
from .rows import SpaceRow
from .space_index import SpaceIndex

__all__ = ["Finding", "Report", "Severity", "examine", "repair"]

REREAD = -1  # no file has this time, so that the next run takes it for changed


@dataclass(slots=True)
class Report:
    """What an examination found, or what it still finds after a repair.

    Attributes:
        findings: Worst first.
        repaired: What was done about former findings, for people.
        backup: The copy of the catalog from before the repair.
    """

    findings: list[Finding] = field(default_factory=list)
    repaired: list[str] = field(default_factory=list)
    backup: Path | None = None

    def add(self, findings: Iterable[Finding]) -> None:
        """Add what others found."""
        self.findings += findings
        order = list(Severity)
        self.findings.sort(key=lambda finding: -order.index(finding.severity))

    @property
    def healthy(self) -> bool:
        """Whether there is nothing that needs attention."""
        return all(finding.severity is Severity.INFO for finding in self.findings)


def examine(folder: LibraryFolder) -> Report:
    """Look at everything and change nothing.

    Raises:
        LibraryNotFound: There is no library.
    """
    if not folder.exists:
        raise LibraryNotFound(folder.path)
    report = Report(list(check_faiss()))
    try:
        with Catalog.open(folder, readonly=True) as catalog:
            with catalog.database.reading() as connection:
                for check in (check_structure, check_rows, check_vectors):
                    report.findings += check(connection)
            for row in catalog.spaces():
                report.findings += check_generations(catalog, _files(folder, row), row.id)
    except LibraryTooNew as exc:
        report.findings.append(Finding("too_new", Severity.ERROR, str(exc)))
    except LibraryDamaged as exc:
        if not any(finding.code == "catalog_damaged" for finding in report.findings):
            report.findings.append(Finding("catalog_damaged", Severity.ERROR, str(exc), _restore(folder)))
    report.add(())
    return report


def repair(folder: LibraryFolder, *, rebuild: bool = False) -> Report:
    """Put right what can be, after a backup. No asset, no content and nothing that the user wrote is ever removed.

    Vectors that are damaged are dropped and their contents marked as unfinished, so that the next run of the indexer embeds them anew.

    Args:
        folder: The library.
        rebuild: Write the index anew even if nothing is wrong with it.

    Raises:
        LibraryNotFound: There is no library.
        LibraryLocked: Another process is writing to it.
        LibraryDamaged: The catalog cannot be read at all; the message names the newest backup.
    """
    if not folder.exists:
        raise LibraryNotFound(folder.path)
    with WriterLock(folder, "repairing"):
        before = examine(folder)
        if any(finding.code == "too_new" for finding in before.findings):
            return before
        try:
            report = Report(backup=back_up(folder, "repair"))
            _repair_catalog(folder, report)
            with Catalog.open(folder) as catalog:
                for row in catalog.spaces():
                    _repair_index(folder, catalog, row, report, rebuild=rebuild)
        except LibraryDamaged as exc:
            raise LibraryDamaged(f"the catalog {folder.catalog} cannot be repaired: {_restore(folder)}") from exc
        report.findings = examine(folder).findings
    return report


def _repair_catalog(folder: LibraryFolder, report: Report) -> None:
    with closing(Database(folder.catalog, foreign_keys=False)) as database, database.writing() as connection:
        if any(finding.code == "catalog_damaged" for finding in check_structure(connection)):
            connection.execute(text("REINDEX"))
            report.repaired.append("the catalog's indexes were made anew")
        for what, mend in (
            ("rows without parents were removed or unlinked", _mend_orphans),
            ("damaged vectors were dropped and will be made anew", _mend_vectors),
            ("contents that lacked vectors count as unfinished now", _mend_coverage),
            ("files without content will be read anew", _mend_assets),
        ):
            mended = mend(connection)
            if mended:
                report.repaired.append(f"{mended} {what}")


def _mend_orphans(connection: Connection) -> int:
    """Remove derived rows whose parents are gone; assets are unlinked instead."""
    here = select(content.c.id)
    mended = 0
    for statement in (
        update(asset).where(asset.c.content_id.is_not(None), asset.c.content_id.not_in(here)).values(content_id=None),
        delete(coverage).where(coverage.c.content_id.not_in(here) | coverage.c.space_id.not_in(select(space.c.id))),
        delete(segment).where(segment.c.content_id.not_in(here)),
        delete(annotation).where(annotation.c.content_id.not_in(here)),
        delete(feedback).where(feedback.c.content_id.not_in(here) | feedback.c.query_content_id.not_in(here)),
        delete(embedding).where(embedding.c.segment_id.not_in(select(segment.c.id)) | embedding.c.space_id.not_in(select(space.c.id))),
    ):
        mended += connection.execute(statement).rowcount
    return mended


def _mend_vectors(connection: Connection) -> int:
    bad = bad_vectors(connection)
    if not len(bad):
        return 0
    of_bad = select(segment.c.content_id, embedding.c.space_id).join(segment).where(embedding.c.id.in_(listed(bad)))
    for content_id, space_id in fetch(connection, of_bad.distinct()):
        _uncover(connection, content_id, space_id)
    return connection.execute(delete(embedding).where(embedding.c.id.in_(listed(bad)))).rowcount


def _mend_coverage(connection: Connection) -> int:
    hollow = hollow_coverage(connection)
    for content_id, space_id in hollow:
        _uncover(connection, content_id, space_id)
    return len(hollow)


def _mend_assets(connection: Connection) -> int:
    placeless = (asset.c.state == "indexed") & asset.c.content_id.is_(None) & (asset.c.mtime_ns != REREAD)
    return connection.execute(update(asset).where(placeless).values(mtime_ns=REREAD)).rowcount


def _uncover(connection: Connection, content_id: int, space_id: int) -> None:
    this = (coverage.c.content_id == content_id) & (coverage.c.space_id == space_id)
    connection.execute(update(coverage).where(this).values(state="partial"))


def _repair_index(folder: LibraryFolder, catalog: Catalog, row: SpaceRow, report: Report, *, rebuild: bool) -> None:
    files = _files(folder, row)
    findings = [finding for finding in check_generations(catalog, files, row.id) if finding.code != "index_unread"]
    if not findings and not rebuild:
        return
    with translated(folder.index_dir):
        files.clear()
        SpaceIndex.build(folder, catalog, row).save_generation(force=True)
    report.repaired.append("the index was made anew from the catalog")


def _files(folder: LibraryFolder, row: SpaceRow) -> Generations:
    return Generations(folder.index_dir / str(row.id), row.space)


def _restore(folder: LibraryFolder) -> str:
    """Say how to go on when the catalog itself is lost."""
    backups = sorted(folder.backups.glob("catalog-*.db")) if folder.backups.is_dir() else []
    if backups:
        return f"put the newest backup in its place ({backups[-1]}), then run  anyseek index  again"
    return "move it away and run  anyseek index  again"
