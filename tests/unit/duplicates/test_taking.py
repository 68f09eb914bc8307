import threading
from pathlib import Path

import pytest
from indexing import Bench
from samples import write_picture

from anyseek.duplicates import taking
from anyseek.duplicates.taking import Taking
from anyseek.media.fingerprint import VERSION, fingerprint
from anyseek.storage.catalog import Catalog
from anyseek.storage.fingerprints import Fingerprints
from anyseek.storage.layout import LibraryFolder
from anyseek.storage.lock import WriterLock
from anyseek.types import Kind

COLOURS = ("red", "green", "blue", "black")


@pytest.fixture
def library(tmp_path: Path) -> LibraryFolder:
    """Four pictures, one of them twice."""
    bench = Bench(tmp_path)
    for colour in COLOURS:
        write_picture(bench.media / f"{colour}.png", colour)
    (bench.media / "zweimal.png").write_bytes((bench.media / "red.png").read_bytes())
    bench.index()
    return LibraryFolder(bench.library)


def take(catalog: Catalog, stop: threading.Event | None = None, calls: list[int] | None = None) -> tuple[Taking, dict[str, bytes]]:
    stored = Fingerprints(catalog)
    contents = stored.contents([Kind.IMAGE])
    paths = {content.id: content.path for content in contents}
    one = Taking(stored, lambda what, done, total: (calls if calls is not None else []).append(done), stop or threading.Event())
    return one, {paths[id_]: taken for id_, taken in one.of(contents, "looking").items()}


def kept(catalog: Catalog) -> int:
    stored = Fingerprints(catalog)
    return len(stored.read([content.id for content in stored.contents()], VERSION))


def test_what_was_taken_is_stored_and_not_taken_again(library: LibraryFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    media = library.path.parent / "media"
    with Catalog.open(library) as catalog:
        calls: list[int] = []
        one, found = take(catalog, calls=calls)
        assert found == {f"{colour}.png": fingerprint(media / f"{colour}.png", Kind.IMAGE) for colour in COLOURS}
        assert calls == [1, 2, 3, 4]
        assert (one.unread, one.not_kept, kept(catalog)) == ([], 0, 4)
    monkeypatch.setattr(taking, "fingerprint", None)
    with Catalog.open(library) as catalog:
        assert take(catalog, calls=calls)[1] == found
        assert len(calls) == 4


def test_a_fingerprint_of_another_version_is_taken_anew(library: LibraryFolder) -> None:
    with Catalog.open(library) as catalog:
        stored = Fingerprints(catalog)
        first = stored.contents()[0]
        stored.store({first.id: bytes([VERSION + 1]) + bytes(40)})
        assert kept(catalog) == 0
        take(catalog)
        assert kept(catalog) == 4


def test_a_copy_will_do_where_the_first_place_has_changed(library: LibraryFolder) -> None:
    media = library.path.parent / "media"
    red = fingerprint(media / "red.png", Kind.IMAGE)
    (media / "red.png").write_bytes((media / "blue.png").read_bytes())
    (media / "green.png").unlink()
    with Catalog.open(library) as catalog:
        one, found = take(catalog)
        assert found["red.png"] == red
        assert [path.name for path in one.unread] == ["green.png"]
        assert kept(catalog) == 3


def test_a_file_that_changed_is_not_taken_for_what_it_was(library: LibraryFolder) -> None:
    media = library.path.parent / "media"
    (media / "black.png").write_bytes((media / "blue.png").read_bytes())
    with Catalog.open(library) as catalog:
        one, found = take(catalog)
        assert "black.png" not in found
        assert [path.name for path in one.unread] == ["black.png"]


def test_without_leave_to_write_nothing_is_stored(library: LibraryFolder) -> None:
    with Catalog.open(library, readonly=True) as catalog:
        one, found = take(catalog)
        assert len(found) == 4
        assert (one.not_kept, one.because, kept(catalog)) == (4, "it was opened for reading only", 0)


def test_beside_another_writer_they_are_had_but_not_stored(library: LibraryFolder) -> None:
    with Catalog.open(library) as catalog:
        with WriterLock(library, "indexing"):
            one, found = take(catalog)
        assert len(found) == 4
        assert one.not_kept == 4
        assert "indexing" in one.because
        assert kept(catalog) == 0


def test_what_was_taken_before_a_stop_is_stored(library: LibraryFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(taking.os, "cpu_count", lambda: 1)
    stop = threading.Event()

    def once(path: Path, kind: Kind, **options: object) -> bytes:
        if stop.is_set():
            raise AssertionError("a file was begun after the stop")
        stop.set()
        return fingerprint(path, kind)

    monkeypatch.setattr(taking, "fingerprint", once)
    with Catalog.open(library) as catalog:
        one, _ = take(catalog, stop)
        assert kept(catalog) == 1
        assert one.unread == []


def test_a_stop_is_heard_in_the_middle_of_a_file(library: LibraryFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    stop = threading.Event()

    def endless(path: Path, kind: Kind, *, tick) -> bytes:
        stop.set()
        while True:
            tick()

    monkeypatch.setattr(taking, "fingerprint", endless)
    with Catalog.open(library) as catalog:
        one, found = take(catalog, stop)
        assert (found, one.unread, kept(catalog)) == ({}, [], 0)


def test_many_are_stored_batch_by_batch(library: LibraryFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(taking, "STORED_AT_ONCE", 2)
    monkeypatch.setattr(taking, "STORED_AFTER_SECONDS", 3600.0)
    sizes: list[int] = []
    store = Fingerprints.store
    monkeypatch.setattr(Fingerprints, "store", lambda self, taken: (sizes.append(len(taken)), store(self, taken))[1])
    with Catalog.open(library) as catalog:
        take(catalog)
        assert sizes == [2, 2]
        assert kept(catalog) == 4
