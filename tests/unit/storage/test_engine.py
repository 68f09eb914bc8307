"""Many writers, a full disk, a killed process: what was committed is there, and what was not is not."""

import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress

import pytest
from sqlalchemy import text

from anyseek.errors import LibraryDamaged, LibraryError, LibraryLocked, StorageFull
from anyseek.storage import engine
from anyseek.storage.catalog import Catalog
from anyseek.storage.engine import Database, translated
from anyseek.storage.layout import LibraryFolder

from .conftest import IMAGE, PICTURE, digest, direction

WRITE = """
import sys
from pathlib import Path
from anyseek.storage.catalog import Catalog
from anyseek.storage.layout import LibraryFolder
from anyseek.types import Kind, MediaInfo
name, times = sys.argv[2], int(sys.argv[3])
with Catalog.create(LibraryFolder(Path(sys.argv[1]))) as catalog:
    print("ready", flush=True)
    sys.stdin.readline()
    source = catalog.source_for(Path(sys.argv[1]).parent)
    for n in range(times):
        with catalog.transaction() as writer:
            content = writer.begin_content(f"{name}-{n}".encode(), 1, MediaInfo(Kind.IMAGE, "jpeg"))
            writer.put_asset(source.id, f"{name}-{n}.jpg", 1, 1, content)
        catalog.assets(source.id)
"""

KILLED = """
import sys, numpy as np
from pathlib import Path
from anyseek.storage.catalog import Catalog
from anyseek.storage.layout import LibraryFolder
from anyseek.types import Kind, MediaInfo
with Catalog.open(LibraryFolder(Path(sys.argv[1]))) as catalog:
    for n in range(10**9):
        with catalog.transaction() as writer:
            for part in "abc":
                content = writer.begin_content(f"{n}{part}".encode(), 1, MediaInfo(Kind.IMAGE, "jpeg"))
                writer.put_asset(1, f"{n}{part}.jpg", 1, 1, content)
                print(n, flush=True)
"""


def test_the_recipe(catalog):
    with catalog.database.writing() as connection:

        def pragma(name):
            return connection.exec_driver_sql(f"PRAGMA {name}").scalar()

        assert pragma("journal_mode") == "wal"
        assert pragma("synchronous") == 1
        assert pragma("foreign_keys") == 1
        assert pragma("page_size") == 16384
        assert pragma("busy_timeout") == 10_000
        assert pragma("query_only") == 0


def test_several_processes_create_and_write_at_once(folder):
    """Deferred transactions fail with SQLITE_BUSY as soon as they turn from reading to writing; ours never do."""
    processes = [
        subprocess.Popen(
            [sys.executable, "-W", "error", "-c", WRITE, folder.path, f"w{n}", "100"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for n in range(4)
    ]
    assert [process.stdout.readline() for process in processes] == ["ready\n"] * 4, [p.communicate() for p in processes]
    for process in processes:
        process.stdin.write("\n")
        process.stdin.flush()
    assert [process.communicate()[1] for process in processes] == [""] * 4
    with Catalog.open(folder) as catalog:
        assert len(catalog.sources()) == 1
        assert len(catalog.assets(1)) == 400


def test_threads_read_while_one_writes(filled):
    filled.put_many(50)
    seen, done = [], threading.Event()

    def read():
        while not done.is_set():
            live = filled.catalog.live_embeddings(filled.space.id)
            seen.append(len(live))
            assert len(filled.catalog.segments_of(live)) == len(live)

    with ThreadPoolExecutor(6) as pool:
        readers = [pool.submit(read) for _ in range(6)]
        for n in range(20):
            filled.put(f"more{n}.jpg", f"again{n}.jpg")
        done.set()
        for reader in readers:
            reader.result()
    assert set(seen) <= set(range(50, 91, 2))  # never half a transaction
    assert len(filled.catalog.live_embeddings(filled.space.id)) == 90


def test_a_writer_that_waits_too_long(folder, filled, monkeypatch):
    monkeypatch.setattr(engine, "BUSY_SECONDS", 0.05)
    with closing(Database(folder.catalog)) as other, filled.catalog.transaction():
        with pytest.raises(LibraryLocked, match="another program"), other.writing():
            pass
        with other.reading() as connection:  # readers never wait
            assert connection.execute(text("SELECT count(*) FROM asset")).scalar() == 0


@pytest.mark.parametrize("after", [1, 2, 7, 40, 121])
def test_a_process_killed_in_a_transaction(filled, after):
    with subprocess.Popen([sys.executable, "-c", KILLED, filled.folder.path], stdout=subprocess.PIPE, text=True) as process:
        said = [int(process.stdout.readline()) for _ in range(after)]
        process.send_signal(signal.SIGKILL)
    with Catalog.open(filled.folder) as catalog:
        paths = set(catalog.assets(filled.source.id))
        batches = {int(path[:-5]) for path in paths}
        assert batches == set(range(len(batches)))
        assert paths == {f"{n}{part}.jpg" for n in batches for part in "abc"}
        assert len(batches) >= said[-1]
        assert catalog.counts().contents == len(paths)
        with catalog.database.reading() as connection:
            assert connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"


def test_a_full_disk_loses_nothing_that_was_committed(filled):
    filled.put_many(100)
    with closing(Database(filled.folder.catalog)) as small:
        catalog = Catalog(filled.folder, small)
        unlimited = small._connect
        small._connect = lambda: _limited(unlimited(), 100)

        def put(n):
            with catalog.transaction() as writer:
                content = writer.begin_content(digest(f"big{n}"), 1, IMAGE)
                writer.add_embeddings(content, filled.space.id, [(PICTURE, direction(n))])
                writer.fail_asset(filled.source.id, f"big{n}", 1, 1, "damaged", "x" * 100_000, content)

        stored = _until_full(put)
        assert 1 < stored < 50
    with Catalog.open(filled.folder) as catalog:
        assert len(catalog.assets(filled.source.id)) == 100 + stored
        assert catalog.counts().embeddings == 100 + stored
        with catalog.database.reading() as connection:
            assert connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
    filled.put("after.jpg")


def _until_full(put):
    for n in range(1000):
        try:
            put(n)
        except StorageFull:
            return n
    pytest.fail("the disk was never full")


def _limited(connection, pages):
    connection.execute(f"PRAGMA max_page_count={pages}")
    return connection


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 2 MB."""
    place = tmp_path / "small"
    place.mkdir()
    if sys.platform != "linux" or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", place], capture_output=True).returncode:
        pytest.skip("file systems cannot be mounted here")
    yield place
    subprocess.run(["umount", place], check=True)


def test_a_really_full_disk(small_disk):
    folder = LibraryFolder(small_disk / "l.anyseek")
    with Catalog.create(folder) as catalog:
        source = catalog.source_for(small_disk)

        def put(n):
            with catalog.transaction() as writer:
                writer.fail_asset(source.id, f"{n}", 1, 1, "damaged", os.urandom(20_000).hex())

        stored = _until_full(put)
    with Catalog.open(folder, readonly=True) as catalog:
        assert len(catalog.assets(source.id)) == stored > 3


def test_a_disk_full_from_the_start(small_disk):
    with (small_disk / "film.mkv").open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(4096))
    with pytest.raises(StorageFull):
        Catalog.create(LibraryFolder(small_disk / "l.anyseek"))


def test_damage_in_the_middle_of_the_file(filled):
    filled.put_many(300)
    filled.catalog.close()
    with filled.folder.catalog.open("rb+") as file:
        for page in range(2, filled.folder.catalog.stat().st_size // 16384):
            file.seek(page * 16384)
            file.write(b"\xa5" * 64)
    with pytest.raises(LibraryDamaged, match="anyseek doctor"):
        Catalog.open(filled.folder)


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (sqlite3.SQLITE_FULL, StorageFull),
        (sqlite3.SQLITE_CORRUPT_INDEX, LibraryDamaged),
        (sqlite3.SQLITE_NOTADB, LibraryDamaged),
        (sqlite3.SQLITE_BUSY_SNAPSHOT, LibraryLocked),
        (sqlite3.SQLITE_IOERR_READ, LibraryError),
        (sqlite3.SQLITE_READONLY_DBMOVED, LibraryError),
        (sqlite3.SQLITE_CANTOPEN, LibraryError),
    ],
)
def test_codes_of_sqlite(tmp_path, code, error):
    exc = sqlite3.OperationalError("said sqlite")
    exc.sqlite_errorcode = code
    with pytest.raises(error) as caught, translated(tmp_path / "catalog.db"):
        raise exc
    assert type(caught.value) is error
    assert caught.value.__cause__ is exc


def test_an_io_error_on_a_full_disk(tmp_path, monkeypatch):
    """Growing the shared memory file fails with a code that does not say why."""
    monkeypatch.setattr(engine, "_has_no_room", lambda folder: True)
    exc = sqlite3.OperationalError("disk I/O error")
    exc.sqlite_errorcode = sqlite3.SQLITE_IOERR_SHMSIZE
    with pytest.raises(StorageFull), translated(tmp_path / "catalog.db"):
        raise exc


def test_our_own_mistakes_pass_as_they_are(catalog):
    with pytest.raises(Exception, match="no such table"), catalog.database.reading() as connection:
        connection.exec_driver_sql("SELECT * FROM missing")
    with pytest.raises(FileNotFoundError), translated(catalog.folder.catalog):
        (catalog.folder.path / "nothing").read_bytes()


def test_the_version_changes_when_somebody_commits(filled, folder):
    before = filled.catalog.version()
    assert filled.catalog.version() == before
    filled.put("a.jpg")
    assert filled.catalog.version() != before
    before = filled.catalog.version()
    with Catalog.open(folder) as other, other.transaction() as writer:
        writer.put_setting("a", "b")
    assert filled.catalog.version() != before


def test_a_hundred_thousand_assets(filled, record_property):
    """The promise is 0.5 s; the figure is noted and not asserted, for the machine may be busy."""
    rows = [
        (filled.source.id, f"folder{n // 1000}/picture{n:06}.jpg".encode(), n, n, "indexed", "2026-01-01", "2026-01-01")
        for n in range(100_000)
    ]
    with closing(sqlite3.connect(filled.folder.catalog)) as connection:
        connection.executemany(
            "INSERT INTO asset (source_id, path, size, mtime_ns, state, state_since, first_seen) VALUES (?, ?, ?, ?, ?, ?, ?)", rows
        )
        connection.commit()
    start = time.perf_counter()
    assets = filled.catalog.assets(filled.source.id)
    record_property("seconds", time.perf_counter() - start)
    assert len(assets) == 100_000
    assert assets["folder99/picture099999.jpg"][1:] == (99_999, 99_999, "indexed", None, None)
