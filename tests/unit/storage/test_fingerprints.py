from pathlib import Path

import numpy as np
from shelf import Shelf

from anyseek.filters import parse
from anyseek.storage.fingerprints import Fingerprints
from anyseek.types import Kind, Modality, Segment

VECTOR = np.eye(8, dtype=np.float32)[0]


def shelf_of(folder: Path) -> tuple[Shelf, dict[str, int]]:
    shelf = Shelf(folder / "library")
    ids = {
        name: shelf.put(name, kind, (Segment(modality), VECTOR))
        for name, kind, modality in (
            ("b/one.jpg", Kind.IMAGE, Modality.IMAGE),
            ("two.jpg", Kind.IMAGE, Modality.IMAGE),
            ("song.ogg", Kind.AUDIO, Modality.AUDIO),
        )
    }
    shelf.copy(ids["b/one.jpg"], "a/copy.jpg")
    return shelf, ids


def test_contents_are_told_with_their_places(tmp_path: Path) -> None:
    shelf, ids = shelf_of(tmp_path)
    stored = Fingerprints(shelf.catalog)
    assert [(one.id, one.kind, one.places, one.path) for one in stored.contents()] == [
        (ids["b/one.jpg"], Kind.IMAGE, 2, "a/copy.jpg"),
        (ids["two.jpg"], Kind.IMAGE, 1, "two.jpg"),
        (ids["song.ogg"], Kind.AUDIO, 1, "song.ogg"),
    ]
    assert [one.path for one in stored.contents([Kind.AUDIO])] == ["song.ogg"]
    shelf.delete("two.jpg", "a/copy.jpg")
    assert [(one.places, one.path) for one in stored.contents([Kind.IMAGE])] == [(1, "b/one.jpg")]
    shelf.catalog.close()


def test_only_places_that_satisfy_a_condition_count(tmp_path: Path) -> None:
    shelf, _ = shelf_of(tmp_path)
    found = Fingerprints(shelf.catalog).contents(where=parse("path:b/*"))
    assert [(one.places, one.path) for one in found] == [(1, "b/one.jpg")]
    shelf.catalog.close()


def test_fingerprints_come_back_by_their_version(tmp_path: Path) -> None:
    shelf, ids = shelf_of(tmp_path)
    stored = Fingerprints(shelf.catalog)
    one, two, song = ids.values()
    stored.store({one: b"\1abc", song: b"\2xyz"})
    assert stored.read([one, two, song], 1) == {one: b"\1abc"}
    assert stored.read([one, two, song], 2) == {song: b"\2xyz"}
    stored.store({one: b"\2new"})
    assert stored.read([two, one], 2) == {one: b"\2new"}
    shelf.catalog.close()
