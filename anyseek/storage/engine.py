"""The connection to the catalog file: how transactions begin, and the one seam where SQLite's errors become ours."""

from __future__ import annotations

import errno
import sqlite3
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Executable, create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import QueuePool

from ..errors import AnyseekError, LibraryDamaged, LibraryError, LibraryLocked, StorageFull
from . import sql_functions

__all__ = ["Database", "fetch", "sqlite_uri", "translated"]

BUSY_SECONDS = 10
PAGE_SIZE = 16384  # a vector of 384 halves is 768 bytes; with 4096 a third of each page would be lost to larger ones
PROBE_BYTES = 1 << 20
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)

READONLY_REMEDY = "make it writable, or copy the library to a place that is"


class Database:
    """One SQLite file, read by any number of threads and written through `writing`, one transaction at a time.

    Args:
        path: The file.
        readonly: Change nothing, and work on a medium where nothing can be changed.
        foreign_keys: Off while tables are rebuilt: dropping the old copy of a table would cascade into its children.
    """

    def __init__(self, path: Path, *, readonly: bool = False, foreign_keys: bool = True) -> None:
        self.path = path
        self.readonly = readonly
        self._foreign_keys = foreign_keys
        self._connect: Callable[[], sqlite3.Connection] = self._connect_writable
        with translated(path):
            if readonly:
                self._connect = self._find_readonly()
            self._watch = self._connect()
        self._watch_lock = threading.Lock()
        self._engine = _engine(lambda: self._connect())

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()
        self._watch.close()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """One consistent view of the catalog."""
        with translated(self.path), self._engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """One transaction: all of it is stored, or nothing is."""
        if self.readonly:
            raise LibraryError(f"the library at {self.path.parent} was opened for reading only: open it for writing")
        with translated(self.path), self._engine.connect() as connection:
            # IMMEDIATE: a reader that turns writer halfway fails at once with SQLITE_BUSY, whatever the timeout
            connection = connection.execution_options(anyseek_begin="BEGIN IMMEDIATE")
            with connection.begin():
                yield connection

    def compact(self) -> bool:
        """Give free pages back to the disk, if nobody else is at the file and there is room for a copy of it meanwhile."""
        with closing(_open(sqlite_uri(self.path, "rw"))) as connection:
            try:
                if connection.execute("PRAGMA freelist_count").fetchone() == (0,):
                    return True
                connection.execute("VACUUM")
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            except sqlite3.OperationalError:
                return False
        return True

    def version(self) -> int:
        """A number that changes whenever anybody has committed to the file; costs microseconds."""
        with translated(self.path), self._watch_lock:
            return int(self._watch.execute("PRAGMA data_version").fetchone()[0])

    def _connect_writable(self) -> sqlite3.Connection:
        connection = _open(sqlite_uri(self.path, "rwc"))
        try:
            connection.execute(f"PRAGMA page_size={PAGE_SIZE}")  # has an effect on new files only
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=NORMAL")
            connection.execute(f"PRAGMA foreign_keys={int(self._foreign_keys)}")
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    def _find_readonly(self) -> Callable[[], sqlite3.Connection]:
        """Choose the way to read that works here.

        In WAL mode a plain read-only connection needs to make the files beside the catalog, which a read-only medium does not let it.
        There nobody else writes either, so that the file may be taken as immutable, unless a log that was never merged lies beside it.
        """
        plain, immutable = sqlite_uri(self.path, "ro"), sqlite_uri(self.path, "ro") + "&immutable=1"
        try:
            _probe(plain)
        except sqlite3.OperationalError as exc:
            if _code(exc) not in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY) or not self.path.exists():
                raise
            log = self.path.with_name(f"{self.path.name}-wal")
            if log.exists() and log.stat().st_size:
                raise LibraryError(
                    f"the library at {self.path.parent} has changes in {log.name} that cannot be merged on a read-only medium: "
                    f"{READONLY_REMEDY}"
                ) from exc
            _probe(immutable)
            return lambda: _open(immutable)
        return lambda: _open(plain)


def sqlite_uri(path: Path, mode: str) -> str:
    """Name a file to SQLite, whatever bytes are in its name."""
    return f"{path.absolute().as_uri()}?mode={mode}"


def fetch(connection: Connection, statement: Executable) -> list[Any]:
    """Run a query and return the driver's own tuples: a hundred thousand rows cost a third of what SQLAlchemy's take."""
    result = connection.execute(statement)
    assert result.cursor is not None
    rows = list(result.cursor.fetchall())
    result.close()
    return rows


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Turn errors of SQLite and of the file system into ours; those that only a mistake of ours can cause pass as they are."""
    try:
        yield
    except DBAPIError as exc:
        translation = _translate(exc.orig, path)
        if translation is None:
            raise
        raise translation from exc
    except sqlite3.Error as exc:
        translation = _translate(exc, path)
        if translation is None:
            raise
        raise translation from exc
    except OSError as exc:
        if exc.errno not in NO_ROOM:
            raise
        raise StorageFull(path) from exc


def _translate(exc: BaseException | None, path: Path) -> AnyseekError | None:
    library = path.parent
    match _code(exc):
        case sqlite3.SQLITE_FULL:
            return StorageFull(path)
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
            return LibraryDamaged(f"the catalog {path} is damaged ({exc}): run  anyseek doctor --library {library}")
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return LibraryLocked(library, "another program")
        case sqlite3.SQLITE_IOERR if _has_no_room(library):
            return StorageFull(path)
        case sqlite3.SQLITE_IOERR:
            return LibraryError(f"the disk failed while the catalog {path} was read or written ({exc}): check the disk and its cable")
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_PERM:
            return LibraryError(f"the library at {library} cannot be written: {READONLY_REMEDY}")
        case sqlite3.SQLITE_CANTOPEN:
            return LibraryError(f"the catalog {path} cannot be opened: check that the folder is there and may be read and written")
    return None


def _code(exc: BaseException | None) -> int:
    """SQLite's primary error code: the lower byte of the extended one."""
    return getattr(exc, "sqlite_errorcode", 0) & 0xFF


def _has_no_room(folder: Path) -> bool:
    """Whether an I/O error means a full disk or quota: SQLite has a code of its own for only some of these."""
    try:
        with tempfile.TemporaryFile(dir=folder) as probe:
            probe.write(bytes(PROBE_BYTES))
    except OSError as exc:
        return exc.errno in NO_ROOM
    return False


def _open(uri: str) -> sqlite3.Connection:
    # isolation_level None: the driver begins no transaction of its own, so that ours are IMMEDIATE and also cover DDL
    connection = sqlite3.connect(uri, uri=True, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA query_only=" + ("1" if "mode=ro" in uri else "0"))
    sql_functions.register(connection)
    return connection


def _probe(uri: str) -> None:
    connection = _open(uri)
    try:
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    finally:
        connection.close()


def _engine(connect: Callable[[], sqlite3.Connection]) -> Engine:
    engine = create_engine("sqlite://", creator=connect, poolclass=QueuePool, pool_size=4, max_overflow=-1)

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql(connection.get_execution_options().get("anyseek_begin", "BEGIN"))

    return engine
