"""The index is a cache: whatever happens to its files, searching finds what the catalog holds."""

import errno
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from anyseek.errors import StorageFull
from anyseek.storage import files, generations, space_index
from anyseek.storage.catalog import Catalog
from anyseek.storage.generations import Generations
from anyseek.storage.layout import LibraryFolder
from anyseek.storage.space_index import SpaceIndex
from anyseek.types import Kind, MediaInfo, Modality, Segment

from .conftest import SPACE, Filled, axis, direction


@pytest.fixture(params=["faiss", "numpy"])
def opened(request, filled):
    """Open the index of the library anew."""
    return lambda **options: SpaceIndex.open(filled.folder, filled.catalog, filled.space, backend=request.param, **options)


QUERIES = np.stack([direction(1), direction(2)])


def truth(catalog, space_id):
    """Every vector of the catalog, ranked by hand."""
    ids = catalog.embedding_ids(space_id)
    vectors = catalog.vectors(ids).astype(np.float64) if len(ids) else np.empty((0, SPACE.dim))
    rows = []
    for query in QUERIES.astype(np.float64):
        scores = (vectors * query).sum(axis=1).astype(np.float32)
        order = np.lexsort((ids, -scores))
        rows.append(list(zip(ids[order].tolist(), scores[order].tolist(), strict=True)))
    return rows


def answers(index, allowed=None):
    scores, ids = index.search(QUERIES, 1000, allowed=allowed)
    return [
        [(int(i), float(s)) for i, s in zip(row_ids, row_scores, strict=True) if i >= 0]
        for row_ids, row_scores in zip(ids, scores, strict=True)
    ]


def assert_true(index):
    assert answers(index) == truth(index.catalog, index.space.id)


def directory(filled):
    return filled.folder.index_dir / str(filled.space.id)


def names(filled):
    return sorted(path.name for path in directory(filled).iterdir() if path.suffix != ".lock")


def delete(filled, *ids):
    with filled.catalog.transaction() as writer:
        writer.delete_assets(ids)
        writer.purge()


def test_an_empty_library(opened, filled):
    index = opened()
    assert len(index) == 0
    assert answers(index) == [[], []]
    assert not index.save_generation()
    assert not directory(filled).exists()
    assert index.notes == []


def test_built_from_the_catalog_and_saved(opened, filled):
    filled.put_many(30)
    index = opened()
    assert_true(index)
    assert index.generation is None
    assert index.save_generation()
    assert names(filled) == ["g000001.index", "g000001.json"]
    manifest = json.loads((directory(filled) / "g000001.json").read_text())
    assert {
        key: manifest[key] for key in ("format", "generation", "fingerprint", "dim", "count", "embeddings", "highest_id", "backend")
    } == {
        "format": 1,
        "generation": 1,
        "fingerprint": SPACE.fingerprint,
        "dim": 8,
        "count": 30,
        "embeddings": 30,
        "highest_id": 30,
        "backend": index.backend,
    }
    assert not index.save_generation()  # nothing has changed
    again = opened()
    assert (again.generation, again.notes) == (1, [])
    assert_true(again)


def test_filters_hold_in_base_and_delta(opened, filled):
    filled.put_many(20)
    index = opened()
    filled.put_many(20, "more")
    index.refresh()
    allowed = np.array([3, 25, 39, 77])
    assert answers(index, allowed) == [[pair for pair in row if pair[0] in allowed] for row in truth(filled.catalog, filled.space.id)]
    assert answers(index, np.empty(0, np.int64)) == [[], []]


def put_film(filled, name, frames):
    """Index a film of some frames in directions at random; returns its asset's id."""
    chance = np.random.default_rng(frames * 31 + sum(name.encode()))
    vectors = chance.standard_normal((frames, SPACE.dim)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    parts = [Segment(Modality.IMAGE, at, at + 1, at) for at in range(frames)]
    info = MediaInfo(Kind.VIDEO, "mp4")
    with filled.catalog.transaction() as writer:
        content = writer.begin_content(name.encode().ljust(16), 1, info)
        writer.add_embeddings(content, filled.space.id, list(zip(parts, vectors, strict=True)))
        writer.finish_content(content, filled.space.id, info, parts)
        return writer.put_asset(filled.source.id, name, 1, 1, content)


def test_recall_under_filters_with_a_delta_and_deletions(opened, filled):
    """Of 11,000 vectors in the base 500 are gone, and 1,300 lie beside it: under any filter the index finds what brute force finds."""
    kept, gone = put_film(filled, "kept", 10_500), put_film(filled, "gone", 500)
    index = opened()
    put_film(filled, "more", 1_300)
    delete(filled, gone, put_film(filled, "came and went", 200))
    index.refresh()
    assert (len(index), kept) == (10_500 + 1_300, 1)
    assert index._moved() == 500 + 1_300  # nothing was built anew
    ranked = truth(filled.catalog, filled.space.id)
    for share in (0.5, 0.1, 0.01, 0.0001):
        allowed = np.random.default_rng(7).permutation(np.arange(1, 12_501))[: round(share * 12_500)]
        wanted = set(allowed.tolist())
        assert answers(index, allowed) == [[pair for pair in row if pair[0] in wanted][:1000] for row in ranked]
    assert answers(index, np.empty(0, np.int64)) == [[], []]


def test_catches_up_with_what_came_and_went(opened, filled):
    filled.put_many(30)
    opened().save_generation()
    filled.put("new.jpg")
    delete(filled, 5, 30)
    index = opened()
    assert index.generation == 1
    assert len(index) == 29
    assert_true(index)
    filled.put("newer.jpg")
    assert_true(opened())
    assert index.refresh()
    assert not index.refresh()
    assert_true(index)
    delete(filled, 31, 32)  # both are in the delta
    assert index.refresh()
    assert_true(index)
    assert index.notes == []


def test_other_changes_of_the_catalog_do_not_concern_it(opened, filled):
    filled.put_many(3)
    index = opened()
    with filled.catalog.transaction() as writer:
        writer.put_setting("a", "b")
    assert not index.refresh()


def test_one_came_and_one_went(opened, filled):
    """The count alone does not show it."""
    filled.put_many(10)
    index = opened()
    delete(filled, 4)
    filled.put("new.jpg")
    assert index.refresh()
    assert_true(index)


def test_all_went(opened, filled):
    filled.put_many(10)
    index = opened()
    index.save_generation()
    delete(filled, *range(1, 11))
    assert index.refresh()
    assert answers(index) == [[], []]
    assert index.save_generation()
    assert answers(opened()) == [[], []]


def test_written_anew_when_a_tenth_has_changed(opened, filled):
    filled.put_many(100)
    index = opened()
    index.save_generation()
    filled.put_many(6, "new")
    delete(filled, 1, 2, 3, 4)
    assert not index.save_generation()
    filled.put("last.jpg")
    assert index.save_generation()
    assert index.generation == 2
    assert_true(index)
    assert index._moved() == 0
    again = opened()
    assert (again.generation, len(again)) == (2, 103)
    assert_true(again)


def test_whether_the_files_lag_is_told_without_loading_them(filled):
    def lags():
        return SpaceIndex.lags(filled.folder, filled.catalog, filled.space)

    assert not lags()
    filled.put_many(100)
    assert lags()
    index = SpaceIndex.open(filled.folder, filled.catalog, filled.space)
    index.save_generation()
    assert not lags()
    filled.put_many(5, "new")
    delete(filled, 1, 2, 3, 4, 105)
    assert not lags()
    assert not index.save_generation()
    delete(filled, 5)
    filled.put("last.jpg", "and one.jpg")
    assert lags()
    assert index.save_generation()
    (directory(filled) / "g000002.json").write_text("{")
    assert lags()


def test_force_writes_in_any_case(opened, filled):
    filled.put_many(10)
    index = opened()
    assert index.save_generation()
    assert not index.save_generation()
    assert index.save_generation(force=True)


def test_the_previous_generation_is_kept_and_older_ones_are_not(opened, filled):
    filled.put_many(5)
    index = opened()
    for _ in range(4):
        index.save_generation(force=True)
    assert names(filled) == ["g000003.index", "g000003.json", "g000004.index", "g000004.json"]


def test_a_large_delta_is_merged_in_memory(opened, filled, monkeypatch):
    monkeypatch.setattr(space_index, "REBUILD_AT_LEAST", 10)
    filled.put_many(20)
    index = opened()
    filled.put_many(11, "new")
    index.refresh()
    assert index._moved() == 0
    assert_true(index)


# Damage


def flip_a_byte(path, at=None):
    content = bytearray(path.read_bytes())
    content[len(content) // 2 if at is None else at] ^= 0x10
    path.write_bytes(content)


def replace_field(path, **fields):
    path.write_text(json.dumps(json.loads(path.read_text()) | fields))


DAMAGE = {
    "a byte of a vector": lambda folder: flip_a_byte(folder / "g000002.index"),
    "the first byte": lambda folder: flip_a_byte(folder / "g000002.index", 0),
    "the last byte": lambda folder: flip_a_byte(folder / "g000002.index", -1),
    "cut short": lambda folder: os.truncate(folder / "g000002.index", 200),
    "emptied": lambda folder: os.truncate(folder / "g000002.index", 0),
    "no file": lambda folder: (folder / "g000002.index").unlink(),
    "a folder": lambda folder: ((folder / "g000002.index").unlink(), (folder / "g000002.index").mkdir()),
    "another file": lambda folder: shutil.copy(folder / "g000001.index", folder / "g000002.index"),
    "manifest is no json": lambda folder: (folder / "g000002.json").write_text("{"),
    "manifest is not text": lambda folder: (folder / "g000002.json").write_bytes(b"\xff\xfe"),
    "manifest is a list": lambda folder: (folder / "g000002.json").write_text("[]"),
    "manifest lacks a field": lambda folder: (folder / "g000002.json").write_text('{"format": 1}'),
    "format unknown": lambda folder: replace_field(folder / "g000002.json", format=2),
    "other dimension": lambda folder: replace_field(folder / "g000002.json", dim=9),
    "other space": lambda folder: replace_field(folder / "g000002.json", fingerprint="beef"),
    "other count": lambda folder: replace_field(folder / "g000002.json", count=7),
    "lower ids": lambda folder: replace_field(folder / "g000002.json", highest_id=11),
}


@pytest.mark.parametrize("what", DAMAGE)
def test_a_damaged_generation_is_noticed_and_the_one_before_taken(opened, filled, what):
    filled.put_many(10)
    index = opened()
    index.save_generation()
    filled.put_many(5, "more")
    index.save_generation()
    DAMAGE[what](directory(filled))
    index = opened()
    assert index.generation == 1
    assert index.notes[0].startswith("index generation 2 was not used: ")
    assert_true(index)


@pytest.mark.parametrize("what", ["a byte of a vector", "no file", "manifest is no json"])
def test_with_no_good_generation_it_is_built_anew_and_says_so(opened, filled, what):
    filled.put_many(10)
    index = opened()
    index.save_generation()
    index.save_generation(force=True)
    (directory(filled) / "g000001.json").unlink()
    DAMAGE[what](directory(filled))
    index = opened()
    assert index.generation is None
    assert index.notes == [index.notes[0], "the index was built anew from the catalog, nothing is lost"]
    assert_true(index)
    assert index.save_generation()
    assert opened().notes == []
    assert_true(opened())


def test_every_single_byte_counts(filled):
    filled.put_many(3)
    index = SpaceIndex.open(filled.folder, filled.catalog, filled.space)
    index.save_generation()
    path = directory(filled) / "g000001.index"
    whole = path.read_bytes()
    for position in range(0, len(whole), 7):
        flip_a_byte(path, position)
        index = SpaceIndex.open(filled.folder, filled.catalog, filled.space)
        assert index.generation is None, position
        assert_true(index)
        path.write_bytes(whole)


def test_a_lost_folder_is_no_news(opened, filled):
    filled.put_many(10)
    opened().save_generation()
    shutil.rmtree(filled.folder.index_dir)
    index = opened()
    assert index.notes == []
    assert_true(index)


def test_a_catalog_restored_from_a_backup(opened, filled):
    """Its ids are used again for other vectors, and then count and highest id are those of the index."""
    filled.put_many(10)
    backup = filled.folder.path / "copy.db"
    with filled.catalog.database.reading() as connection:
        connection.exec_driver_sql("SELECT 1")
    filled.catalog.database.close()
    shutil.copy(filled.folder.catalog, backup)
    filled = Filled(Catalog.open(filled.folder), filled.source.root)
    filled.put_many(5, "first")
    SpaceIndex.open(filled.folder, filled.catalog, filled.space).save_generation()
    filled.catalog.close()
    shutil.copy(backup, filled.folder.catalog)
    with Catalog.open(filled.folder) as catalog:
        filled = Filled(catalog, filled.source.root)
        index = SpaceIndex.open(filled.folder, catalog, filled.space)
        assert index.generation == 1
        assert len(index) == 10
        assert_true(index)
        filled.put_many(5, "second")
        index.refresh()
        assert_true(index)
        index = SpaceIndex.open(filled.folder, catalog, filled.space)
        assert "its vectors are not those of the catalog" in index.notes[0]
        assert_true(index)


def test_files_of_another_backend(filled):
    filled.put_many(10)
    SpaceIndex.open(filled.folder, filled.catalog, filled.space, backend="faiss").save_generation()
    index = SpaceIndex.open(filled.folder, filled.catalog, filled.space, backend="numpy")
    assert "it was written by faiss, and numpy is used here" in index.notes[0]
    assert_true(index)


def test_damaged_vectors_in_the_catalog(opened, filled):
    filled.put_many(10)
    with filled.catalog.database.writing() as connection:
        connection.exec_driver_sql("UPDATE embedding SET vector = x'0000' WHERE id = 3")
    index = opened()
    assert sorted(i for i, _ in answers(index)[0]) == [1, 2, 4, 5, 6, 7, 8, 9, 10]
    index.save_generation()
    again = opened()
    assert (again.generation, len(again), again.notes) == (1, 9, [])
    delete(filled, 1)
    again.refresh()
    assert again.notes == ["1 vectors in the catalog cannot be used: run  anyseek doctor"]


# Writing


def test_a_read_only_library_is_searched_all_the_same(unprivileged):
    with Catalog.create(LibraryFolder(unprivileged / "l.anyseek")) as catalog:
        filled = Filled(catalog, unprivileged)
        filled.put_many(10)
        SpaceIndex.open(filled.folder, catalog, filled.space).save_generation()
        filled.put("new.jpg")
    for path in [*filled.folder.path.rglob("*"), filled.folder.path]:
        path.chmod(0o500)
    with Catalog.open(filled.folder, readonly=True) as catalog:
        index = SpaceIndex.open(filled.folder, catalog, filled.space)
        assert index.generation == 1
        assert_true(index)
        assert not index.save_generation(force=True)
        assert not index.save_generation(force=True)
        assert [note for note in index.notes if "cannot be kept" in note] == index.notes
        assert len(index.notes) == 1
        assert_true(index)


def test_a_full_disk_leaves_no_trace(opened, filled, monkeypatch):
    filled.put_many(10)
    index = opened()
    index.save_generation()

    def full(fd):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(StorageFull):
        index.save_generation(force=True)
    assert names(filled) == ["g000001.index", "g000001.json"]
    assert_true(index)
    monkeypatch.undo()
    assert_true(opened())


SAVE_FOREVER = """
import sys
from pathlib import Path
from anyseek.storage.catalog import Catalog
from anyseek.storage.layout import LibraryFolder
from anyseek.storage.space_index import SpaceIndex
from anyseek.types import Kind, MediaInfo, Modality, Segment
folder = LibraryFolder(Path(sys.argv[1]))
with Catalog.open(folder) as catalog:
    index = SpaceIndex.open(folder, catalog, catalog.spaces()[0])
    for _ in range(int(sys.argv[2])):
        index.save_generation(force=True)
        print("saved", flush=True)
"""


@pytest.mark.parametrize("round_", range(6))
def test_a_process_killed_while_saving(filled, round_):
    filled.put_many(400)
    random.seed(round_)
    with subprocess.Popen([sys.executable, "-c", SAVE_FOREVER, filled.folder.path, "100000"], stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        time.sleep(random.uniform(0.001, 0.03))
        process.send_signal(signal.SIGKILL)
    index = SpaceIndex.open(filled.folder, filled.catalog, filled.space)
    assert index.generation is not None  # the one before the one that was being written
    assert index.notes == []
    assert_true(index)
    assert index.save_generation(force=True)
    assert Generations(directory(filled), SPACE).leftovers() == []
    assert len(names(filled)) == 4


def test_a_process_that_died_between_the_two_files(opened, filled, monkeypatch):
    filled.put_many(10)
    index = opened()
    index.save_generation()
    monkeypatch.setattr(generations.Generations, "_manifest_path", lambda self, number: self.path / "missing" / "x.json")
    with pytest.raises(FileNotFoundError):
        index.save_generation(force=True)
    monkeypatch.undo()
    (directory(filled) / "g000007.index.tmp-0123").write_bytes(b"x")
    assert Generations(directory(filled), SPACE).leftovers() == [
        directory(filled) / "g000002.index",
        directory(filled) / "g000007.index.tmp-0123",
    ]
    index = opened()
    assert (index.generation, index.notes) == (1, [])
    assert index.save_generation(force=True)
    assert index.generation == 3  # a number that was ever used is not used again
    assert names(filled) == ["g000001.index", "g000001.json", "g000003.index", "g000003.json"]


def test_several_processes_save_at_once(filled):
    filled.put_many(200)
    processes = [
        subprocess.Popen([sys.executable, "-c", SAVE_FOREVER, filled.folder.path, "15"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        for _ in range(3)
    ]
    while any(process.poll() is None for process in processes):
        if directory(filled).exists():
            assert_true(SpaceIndex.open(filled.folder, filled.catalog, filled.space))
    for process in processes:
        assert process.communicate()[1] == b""
        assert process.returncode == 0
    index = SpaceIndex.open(filled.folder, filled.catalog, filled.space)
    assert index.notes == []
    assert index.generation is not None


def test_only_one_process_writes_at_a_time(opened, filled):
    filled.put_many(10)
    index = opened()
    with Generations(directory(filled), SPACE).exclusive():
        assert not index.save_generation(force=True)
    assert index.save_generation(force=True)


def test_searching_while_another_thread_refreshes_and_saves(opened, filled, monkeypatch):
    monkeypatch.setattr(space_index, "REBUILD_AT_LEAST", 20)
    filled.put("target.jpg", vector=axis(0))
    filled.put_many(50)
    index = opened()
    wrong, done = [], threading.Event()

    def search():
        while not done.is_set():
            scores, ids = index.search(axis(0)[None], 5)
            if ids[0, 0] != 1 or scores[0, 0] != 1 or (np.diff(scores[0]) > 0).any():
                wrong.append((scores, ids))

    threads = [threading.Thread(target=search) for _ in range(3)]
    for thread in threads:
        thread.start()
    for n in range(15):
        filled.put_many(4, f"n{n}")
        delete(filled, 2 + n)
        index.refresh()
        if n % 5 == 0:
            index.save_generation(force=True)
    done.set()
    for thread in threads:
        thread.join()
    assert not wrong
    assert_true(index)
