"""Catalogs of other versions: older ones are upgraded after a backup, all or nothing, and newer ones left alone."""

import re
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from anyseek.errors import LibraryDamaged, LibraryError, LibraryLocked, LibraryTooNew, StorageFull
from anyseek.storage import migrate
from anyseek.storage.catalog import Catalog, QueryKey
from anyseek.storage.engine import Database
from anyseek.storage.layout import LibraryFolder
from anyseek.storage.lock import WriterLock
from anyseek.storage.migrate import CURRENT, Schema, ensure_schema
from anyseek.storage.models import metadata
from anyseek.types import Space

REVISION = """
import sqlalchemy as sa
from alembic import op
revision = {revision!r}
down_revision = {down!r}
def upgrade():
    {body}
"""

ADD_COLUMN = 'op.add_column("asset", sa.Column("note", sa.Text()))'
REBUILD_TABLE = """
    with op.batch_alter_table("content", recreate="always") as batch:
        batch.add_column(sa.Column("note", sa.Text()))
"""
FAIL_HALFWAY = """
    op.add_column("asset", sa.Column("note", sa.Text()))
    op.execute("DELETE FROM embedding")
    raise RuntimeError("the power is gone")
"""
ORPHAN = 'op.execute("DELETE FROM content WHERE id = 1")'

OPEN_AND_CREATE = """
import sys
from pathlib import Path
from anyseek.storage.catalog import Catalog
from anyseek.storage.layout import LibraryFolder
Catalog.open(LibraryFolder(Path(sys.argv[1])), readonly=True).close()
Catalog.create(LibraryFolder(Path(sys.argv[2]))).close()
assert not {"alembic", "sqlalchemy.orm", "filelock", "faiss"} & set(sys.modules), sys.modules
"""

HOLD = """
import sys
from pathlib import Path
from anyseek.storage.layout import LibraryFolder
from anyseek.storage.lock import WriterLock
with WriterLock(LibraryFolder(Path(sys.argv[1])), "indexing"):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def newer(tmp_path):
    """Make a line of revisions that goes on after ours."""

    def make(body: str) -> Schema:
        scripts = tmp_path / "100% migrations"
        shutil.copytree(CURRENT.scripts, scripts)
        (scripts / "versions" / "next.py").write_text(REVISION.format(revision="9999", down=CURRENT.head, body=body))
        return Schema(scripts, "9999")

    return make


def query(path: Path, sql: str):
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(sql).fetchall()


def tables(path: Path):
    return sorted(query(path, "SELECT type, name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%' AND name != 'alembic_version'"))


def definitions(path: Path):
    """Every column, constraint and index as SQLite keeps it; the order inside a table is not compared, for a column that was added later
    stands behind the constraints."""
    split = re.compile(r",\s*(?![^(]*\))")  # at commas outside parentheses
    found = {}
    for kind, name, sql in tables(path):
        start, end = sql.index("("), sql.rindex(")")
        parts = [" ".join(part.split()) for part in split.split(sql[start + 1 : end])]
        found[kind, name] = (" ".join(sql[:start].split()), sorted(parts), sql[end:].split())
    return found


def test_our_head_is_the_newest_revision():
    from alembic.script import ScriptDirectory

    assert ScriptDirectory(str(CURRENT.scripts)).get_heads() == [CURRENT.head]


def test_revisions_and_models_agree(tmp_path):
    """New catalogs are made of the models, without alembic; those that were upgraded to now must be the same."""
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    by_models, by_revisions = LibraryFolder(tmp_path / "one"), LibraryFolder(tmp_path / "two")
    for folder, schema in ((by_models, CURRENT), (by_revisions, Schema(CURRENT.scripts, CURRENT.head))):
        folder.path.mkdir()
        migrate._create(folder, schema)
    with closing(Database(by_revisions.catalog)) as database, database.reading() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    assert definitions(by_models.catalog) == definitions(by_revisions.catalog)
    assert query(by_models.catalog, "SELECT * FROM alembic_version") == query(by_revisions.catalog, "SELECT * FROM alembic_version")


def test_all_tables_are_strict(catalog):
    names = [row[1] for row in tables(catalog.folder.catalog) if row[0] == "table"]
    assert len(names) == len(metadata.tables)
    assert all(sql.rstrip().endswith("STRICT") for kind, _, sql in tables(catalog.folder.catalog) if kind == "table")


def test_an_up_to_date_catalog_needs_no_alembic(filled):
    subprocess.run([sys.executable, "-c", OPEN_AND_CREATE, filled.folder.path, filled.folder.path / "new"], check=True)


def test_a_library_of_the_first_version_keeps_its_space(tmp_path):
    folder = LibraryFolder(tmp_path / "library")
    folder.path.mkdir()
    first = tmp_path / "first"
    shutil.copytree(CURRENT.scripts, first)
    for later in ("v0002_several_spaces.py", "v0003_annotations.py", "v0004_feedback.py"):
        (first / "versions" / later).unlink()
    migrate._create(folder, Schema(first, "0001"))
    with closing(sqlite3.connect(folder.catalog)) as connection, connection:
        connection.execute(
            "INSERT INTO space (id, spec, dim, fingerprint, active) VALUES (1, 'old', 8, 'beef', 0), (2, 'colour', 8, 'f00d', 1)"
        )
    with Catalog.open(folder) as catalog:
        assert catalog.spaces() == [(1, Space("old", 8, "beef"), "kept"), (2, Space("colour", 8, "f00d"), "serving")]


def test_a_library_from_before_there_was_feedback_keeps_all_it_has(tmp_path):
    folder = LibraryFolder(tmp_path / "library")
    folder.path.mkdir()
    third = tmp_path / "third"
    shutil.copytree(CURRENT.scripts, third)
    (third / "versions" / "v0004_feedback.py").unlink()
    migrate._create(folder, Schema(third, "0003"))
    with closing(sqlite3.connect(folder.catalog)) as connection, connection:
        connection.execute("INSERT INTO content (id, hash, size) VALUES (7, x'00', 1)")
        connection.execute("INSERT INTO annotation VALUES (1, 7, 'tag', 'mine', 'dog', 0, 0, 0.5)")
    with Catalog.open(folder) as catalog:
        assert not catalog.feedback_enabled
        assert catalog.feedback() == []
        with catalog.transaction() as writer:
            writer.put_feedback(QueryKey.words("a dog"), 7, "liked", session="s")
        assert [row.content_id for row in catalog.feedback()] == [7]
        assert set(catalog.tags_of([7])) == {7}
    (backup,) = folder.backups.iterdir()
    assert backup.name.endswith("-schema-0003.db")


def test_an_older_catalog_is_upgraded_after_a_backup(filled, newer):
    filled.put("a.jpg", "b.jpg")
    before = tables(filled.folder.catalog)
    assert ensure_schema(filled.folder, schema=newer(ADD_COLUMN)) == "upgraded"
    assert query(filled.folder.catalog, "SELECT path, note FROM asset") == [(b"a.jpg", None), (b"b.jpg", None)]
    (backup,) = filled.folder.backups.iterdir()
    assert backup.name.endswith(f"-schema-{CURRENT.head}.db")
    assert tables(backup) == before
    assert query(backup, "SELECT path FROM asset") == [(b"a.jpg",), (b"b.jpg",)]
    assert query(backup, "SELECT count(*) FROM embedding") == [(2,)]


def test_upgrading_twice_is_upgrading_once(filled, newer):
    schema = newer(ADD_COLUMN)
    assert [ensure_schema(filled.folder, schema=schema) for _ in range(3)] == ["upgraded", "none", "none"]
    assert len(list(filled.folder.backups.iterdir())) == 1


def test_rebuilding_a_table_keeps_its_children(filled, newer):
    """With foreign keys on, dropping the old copy of a table would have deleted all segments and vectors."""
    filled.put_many(3)
    ensure_schema(filled.folder, schema=newer(REBUILD_TABLE))
    assert query(filled.folder.catalog, "SELECT count(*) FROM embedding") == [(3,)]
    assert query(filled.folder.catalog, "SELECT count(*), count(content_id) FROM asset") == [(3, 3)]
    assert "STRICT" in query(filled.folder.catalog, "SELECT sql FROM sqlite_master WHERE name = 'content'")[0][0]


def test_an_upgrade_that_fails_changes_nothing(filled, newer):
    filled.put("a.jpg")
    schema, before = newer(FAIL_HALFWAY), tables(filled.folder.catalog)
    with pytest.raises(RuntimeError, match="the power is gone"):
        ensure_schema(filled.folder, schema=schema)
    assert tables(filled.folder.catalog) == before
    with Catalog.open(filled.folder) as catalog:
        assert catalog.counts().embeddings == 1
    assert len(list(filled.folder.backups.iterdir())) == 1


def test_an_upgrade_that_would_break_a_reference_changes_nothing(filled, newer):
    filled.put("a.jpg")
    with pytest.raises(LibraryDamaged, match="nothing was changed"):
        ensure_schema(filled.folder, schema=newer(ORPHAN))
    assert query(filled.folder.catalog, "SELECT count(*) FROM content") == [(1,)]
    assert query(filled.folder.catalog, "SELECT version_num FROM alembic_version") == [(CURRENT.head,)]


def test_no_upgrade_without_a_backup(filled, newer, monkeypatch):
    schema, before = newer(ADD_COLUMN), tables(filled.folder.catalog)

    def full(folder):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(migrate, "sync_folder", full)
    with pytest.raises(StorageFull):
        ensure_schema(filled.folder, schema=schema)
    assert tables(filled.folder.catalog) == before


def test_an_upgrade_waits_for_no_writer(filled, newer):
    schema = newer(ADD_COLUMN)
    with WriterLock(filled.folder, "indexing"):
        assert ensure_schema(filled.folder, schema=schema) == "upgraded"  # this process itself is the writer
    with closing(sqlite3.connect(filled.folder.catalog)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", (CURRENT.head,))
        connection.commit()
    with subprocess.Popen([sys.executable, "-c", HOLD, filled.folder.path], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout.readline() == b"held\n"
        with pytest.raises(LibraryLocked, match="indexing"):
            ensure_schema(filled.folder, schema=schema)


@pytest.mark.parametrize("readonly", [False, True])
def test_a_newer_catalog_is_refused(filled, readonly):
    with filled.catalog.database.writing() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '7001'")
    with pytest.raises(LibraryTooNew, match="pip install --upgrade anyseek") as caught:
        Catalog.open(filled.folder, readonly=readonly)
    assert (caught.value.found, caught.value.known) == ("7001", CURRENT.head)


def test_an_older_catalog_that_cannot_be_written(unprivileged):
    folder = LibraryFolder(unprivileged / "l.anyseek")
    Catalog.create(folder).close()
    schema = Schema(CURRENT.scripts, "9999")
    folder.path.chmod(0o500)
    with pytest.raises(LibraryError, match="older anyseek"):
        ensure_schema(folder, readonly=True, schema=schema)
