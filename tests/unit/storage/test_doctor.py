"""Every kind of damage is found, told apart, and mended without losing what only the user could make again."""

import os
import sqlite3
from contextlib import closing

import numpy as np
import pytest

from anyseek.errors import LibraryDamaged, LibraryLocked, LibraryNotFound
from anyseek.storage import doctor
from anyseek.storage.catalog import Catalog
from anyseek.storage.doctor import Severity, examine, repair
from anyseek.storage.lock import WriterLock
from anyseek.storage.space_index import SpaceIndex

from .conftest import IMAGE, PICTURE, SPACE, Filled, axis, digest


@pytest.fixture(autouse=True)
def _one_faiss(monkeypatch):
    """What is installed beside anyseek is the matter of test_faiss_install."""
    monkeypatch.setattr(doctor, "check_faiss", lambda: iter(()))


@pytest.fixture
def library(filled):
    """Thirty pictures and a saved index, with something that only the user knows."""
    filled.put_many(30)
    with filled.catalog.database.writing() as connection:
        connection.exec_driver_sql("UPDATE asset SET user_metadata = '{}' WHERE id = 7")
    SpaceIndex.open(filled.folder, filled.catalog, filled.space).save_generation()
    return filled


def codes(report):
    return [finding.code for finding in report.findings]


def run(filled, *statements, foreign_keys=True):
    with closing(sqlite3.connect(filled.folder.catalog)) as connection:
        connection.execute(f"PRAGMA foreign_keys={int(foreign_keys)}")
        for statement in statements:
            connection.execute(*(statement if isinstance(statement, tuple) else (statement,)))
        connection.commit()


def kept(filled):
    """What no repair may lose."""
    with closing(sqlite3.connect(filled.folder.catalog)) as connection:
        assets = connection.execute("SELECT id, source_id, path, size, state, user_metadata, first_seen FROM asset ORDER BY id").fetchall()
        return assets, connection.execute("SELECT id, hash, kind, title FROM content ORDER BY id").fetchall()


def test_a_sound_library(library):
    report = examine(library.folder)
    assert report.findings == []
    assert report.healthy
    report = repair(library.folder)
    assert (report.findings, report.repaired) == ([], [])
    assert report.backup.is_file()


def test_none(folder):
    for act in (examine, repair):
        with pytest.raises(LibraryNotFound):
            act(folder)
    assert not folder.path.exists()


def test_an_empty_library(catalog):
    assert examine(catalog.folder).findings == []
    assert repair(catalog.folder, rebuild=True).findings == []


def test_a_library_that_is_written_is_not_repaired(library):
    with WriterLock(library.folder, "indexing"):
        assert examine(library.folder).healthy
        with pytest.raises(LibraryLocked, match="indexing"):
            repair(library.folder)


NAN = np.full(8, np.nan, np.float16).tobytes()
LONG = (np.ones(8, np.float16) * 3).tobytes()


@pytest.mark.parametrize("vector", [b"", b"\0" * 15, b"\0" * 16, NAN, LONG], ids=["empty", "short", "zero", "nan", "long"])
def test_bad_vectors_are_dropped_and_made_anew_by_the_next_run(library, vector):
    run(library, ("UPDATE embedding SET vector = ? WHERE id IN (3, 17)", (vector,)))
    report = examine(library.folder)
    assert set(codes(report)) >= {"bad_vectors"}
    assert not report.healthy
    before = kept(library)
    report = repair(library.folder)
    assert "2 damaged vectors were dropped and will be made anew" in report.repaired
    assert codes(report) == ["unfinished_contents"]
    assert kept(library) == before
    assert library.catalog.unfinished_contents(library.space.id) == {3, 17}
    library.put("p000002.jpg", "p000016.jpg")  # what the indexer does about it
    assert repair(library.folder).healthy
    assert library.catalog.embedding_state(library.space.id).count == 30


def test_contents_that_only_seem_complete(library):
    run(library, "DELETE FROM embedding WHERE id = 5")
    assert "hollow_contents" in codes(examine(library.folder))
    report = repair(library.folder)
    assert report.repaired[0] == "1 contents that lacked vectors count as unfinished now"
    assert library.catalog.unfinished_contents(library.space.id) == {5}


def test_rows_without_parents(library):
    run(library, "DELETE FROM content WHERE id = 5", "DELETE FROM segment WHERE id = 9", foreign_keys=False)
    assert {"orphan_rows"} <= set(codes(examine(library.folder)))
    before = kept(library)
    report = repair(library.folder)
    assert "orphan_rows" not in codes(report)
    assert kept(library) == before  # the asset whose content is gone is still there
    row = library.catalog.assets(library.source.id)["p000004.jpg"]
    assert (row.content_id, row.mtime_ns, row.state) == (None, -1, "indexed")
    assert "files without content will be read anew" in " ".join(report.repaired)


def test_damaged_indexes_of_the_catalog(library):
    """SQLite can make its own indexes anew from the tables."""
    with closing(sqlite3.connect(library.folder.catalog)) as connection:
        root = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'ix_asset_state'").fetchone()[0]
        connection.execute("PRAGMA writable_schema=ON")
        connection.execute("UPDATE sqlite_master SET rootpage = ? WHERE name = 'ix_asset_state'", (root,))
        connection.execute("DELETE FROM asset WHERE id = 1")
        connection.rollback()
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    library.catalog.close()
    with library.folder.catalog.open("rb+") as file:
        file.seek((root - 1) * 16384)
        page = bytearray(file.read(16384))
        page[3:5] = (int.from_bytes(page[3:5]) - 2).to_bytes(2)  # two entries fewer
        file.seek((root - 1) * 16384)
        file.write(page)
    assert "catalog_damaged" in codes(examine(library.folder))
    before = kept(library)
    report = repair(library.folder)
    assert "the catalog's indexes were made anew" in report.repaired
    assert report.findings == []
    assert kept(library) == before


def test_a_catalog_beyond_repair(library):
    backup = repair(library.folder).backup
    library.catalog.close()
    library.folder.catalog.write_bytes(b"\xff" * 100_000)
    report = examine(library.folder)
    assert codes(report) == ["catalog_damaged"]
    assert str(backup) in report.findings[0].remedy
    with pytest.raises(LibraryDamaged, match=backup.name):
        repair(library.folder)
    assert library.folder.catalog.read_bytes() == b"\xff" * 100_000


def test_a_newer_catalog_is_left_alone(library):
    run(library, "UPDATE alembic_version SET version_num = '7001'")
    assert codes(examine(library.folder)) == ["too_new"]
    assert repair(library.folder).backup is None


def test_what_will_pass(library):
    with library.catalog.transaction() as writer:
        writer.begin_content(digest("nowhere"), 1, IMAGE)
        half = writer.begin_content(digest("half"), 1, IMAGE)
        writer.add_embeddings(half, library.space.id, [(PICTURE, axis(0))])
        writer.put_asset(library.source.id, "half.jpg", 1, 1, half)
    report = examine(library.folder)
    assert [(finding.code, finding.severity) for finding in report.findings] == [
        ("unfinished_contents", Severity.WARNING),
        ("unused_contents", Severity.INFO),
    ]


# The index


def index_file(library, name="g000001.index"):
    return library.folder.index_dir / str(library.space.id) / name


def test_no_index(library):
    index_file(library, "g000001.json").unlink()
    assert codes(examine(library.folder)) == ["index_missing", "index_leftovers"]
    report = repair(library.folder)
    assert report.findings == []
    assert report.repaired == ["the index was made anew from the catalog"]
    assert SpaceIndex.open(library.folder, library.catalog, library.space).generation == 1


@pytest.mark.parametrize("damage", [lambda path: os.truncate(path, 99), lambda path: path.unlink()])
def test_a_damaged_index(library, damage):
    damage(index_file(library))
    assert codes(examine(library.folder)) == ["index_damaged"]
    assert repair(library.folder).findings == []
    assert len(SpaceIndex.open(library.folder, library.catalog, library.space)) == 30


def test_an_index_with_other_vectors_than_the_catalog(library):
    """Its file is whole, and yet it is wrong: only a comparison with the catalog shows it."""
    vector = axis(3).astype(np.float16).tobytes()
    run(library, ("UPDATE embedding SET vector = ? WHERE id IN (2, 3)", (vector,)))
    report = examine(library.folder)
    assert codes(report) == ["index_wrong"]
    assert report.findings[0].text.startswith("2 vectors of index generation 1 ")
    assert repair(library.folder).findings == []
    index = SpaceIndex.open(library.folder, library.catalog, library.space)
    assert (index.generation, index.search(axis(3)[None], 2)[1].tolist()) == (1, [[2, 3]])


def test_an_index_that_lags_behind_is_no_damage(library):
    library.put("new.jpg")
    with library.catalog.transaction() as writer:
        writer.delete_assets([1])
        writer.purge()
    assert examine(library.folder).findings == []


def test_leftovers_of_interrupted_writes(library):
    index_file(library, "g000002.index.tmp-0a1b").write_bytes(b"x")
    report = examine(library.folder)
    assert (codes(report), report.healthy) == (["index_leftovers"], True)
    assert repair(library.folder).findings == []


def test_rebuild_makes_a_sound_index_anew(library):
    os.utime(index_file(library), (0, 0))
    report = repair(library.folder, rebuild=True)
    assert report.repaired == ["the index was made anew from the catalog"]
    assert report.findings == []
    assert index_file(library).stat().st_mtime > 0


def test_a_backup_is_a_whole_library(library, tmp_path):
    backup = repair(library.folder).backup
    library.catalog.close()
    library.folder.catalog.unlink()
    backup.rename(library.folder.catalog)
    with Catalog.open(library.folder) as catalog:
        restored = Filled(catalog, library.source.root)
        assert len(catalog.assets(restored.source.id)) == 30
        assert restored.space.space == SPACE
        assert SpaceIndex.open(library.folder, catalog, restored.space).notes == []
