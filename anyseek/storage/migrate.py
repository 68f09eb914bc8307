"""The schema of a catalog brought up to date. An up-to-date one is recognised without importing alembic, which takes 0.15 s."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from sqlalchemy import Connection, text

from ..errors import LibraryDamaged, LibraryError, LibraryTooNew
from .engine import Database, sqlite_uri, translated
from .files import sync_folder
from .layout import LibraryFolder
from .lock import WriterLock
from .models import metadata

__all__ = ["CURRENT", "Schema", "back_up", "ensure_schema"]


@dataclass(frozen=True, slots=True)
class Schema:
    """A line of revisions: the folder of their scripts and the newest, which is the one that this program speaks."""

    scripts: Path
    head: str


CURRENT = Schema(Path(__file__).parent / "migrations", "0004")

Change = Literal["created", "upgraded", "none"]


def ensure_schema(folder: LibraryFolder, *, readonly: bool = False, schema: Schema = CURRENT) -> Change:
    """Create the tables of a new catalog, upgrade those of an old one after a backup, and leave an up-to-date one alone.

    Args:
        folder: A library.
        readonly: The caller only reads. An old catalog is upgraded all the same where that is possible.
        schema: Which revisions there are; another one in tests only.

    Raises:
        LibraryTooNew: A newer program has written it.
        LibraryDamaged: The file is no catalog.
        LibraryLocked: It is old, and another process is writing to it.
    """
    found = _revision(folder, readonly=readonly)
    if found == schema.head:
        return "none"
    if found is not None and found not in _older(schema):
        raise LibraryTooNew(folder.path, found, schema.head)
    if readonly and not os.access(folder.path, os.W_OK, effective_ids=os.access in os.supports_effective_ids):
        raise LibraryError(
            f"the library at {folder.path} was made by an older anyseek and cannot be upgraded where it is: make it writable"
        )
    if found is None:
        return _create(folder, schema)
    with nullcontext() if WriterLock.held_here(folder) else WriterLock(folder, "upgrading the catalog"):
        back_up(folder, f"schema-{found}")
        return _upgrade(folder, schema)


def back_up(folder: LibraryFolder, why: str) -> Path:
    """Copy the catalog into the folder of backups, consistently even while others read and write it.

    Returns:
        The copy, which is complete once it has that name.
    """
    with translated(folder.catalog):
        folder.backups.mkdir(exist_ok=True)
        now = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
        target = folder.backups / f"catalog-{now}-{why}.db"
        partial = target.with_suffix(f".tmp{os.getpid()}")
        try:
            with (
                closing(sqlite3.connect(sqlite_uri(folder.catalog, "rw"), uri=True)) as original,
                closing(sqlite3.connect(sqlite_uri(partial, "rwc"), uri=True)) as copy,
            ):
                original.backup(copy)
            with partial.open("rb+") as file:
                os.fsync(file.fileno())
            partial.replace(target)
            sync_folder(folder.backups)
        finally:
            partial.unlink(missing_ok=True)
        return target


def _revision(folder: LibraryFolder, *, readonly: bool) -> str | None:
    """Read the revision of a catalog; None when it has no tables yet."""
    with closing(Database(folder.catalog, readonly=readonly)) as database, database.reading() as connection:
        return _revision_of(connection, folder)


def _revision_of(connection: Connection, folder: LibraryFolder) -> str | None:
    tables = set(connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'table'")).scalars())
    if not tables:
        return None
    found = connection.execute(text("SELECT version_num FROM alembic_version")).scalars().all() if "alembic_version" in tables else []
    if len(found) != 1:
        raise LibraryDamaged(f"{folder.catalog} is not a catalog of anyseek: name another library, or move that file away")
    return str(found[0])


def _older(schema: Schema) -> set[str]:
    from alembic.script import ScriptDirectory

    return {script.revision for script in ScriptDirectory(str(schema.scripts)).walk_revisions()}


def _create(folder: LibraryFolder, schema: Schema) -> Change:
    if schema is not CURRENT:
        return _upgrade(folder, schema)
    with closing(Database(folder.catalog)) as database, database.writing() as connection:
        if _revision_of(connection, folder) is not None:
            return "none"  # another process was quicker
        metadata.create_all(connection, checkfirst=False)
        connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)"))
        connection.execute(text("INSERT INTO alembic_version VALUES (:head)"), {"head": schema.head})
    return "created"


def _upgrade(folder: LibraryFolder, schema: Schema) -> Change:
    """Run the missing revisions in one transaction."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(schema.scripts).replace("%", "%%"))
    with closing(Database(folder.catalog, foreign_keys=False)) as database, database.writing() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        broken = connection.execute(text("PRAGMA foreign_key_check")).all()
        if broken:
            raise LibraryDamaged(
                f"upgrading the library at {folder.path} would have left {len(broken)} rows without their parents, "
                f"so nothing was changed: run  anyseek doctor --library {folder.path}"
            )
    return "upgraded"
