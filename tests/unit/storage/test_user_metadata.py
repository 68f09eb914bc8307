"""What a person writes down of a file is kept beside its asset and found by filters."""

import json

import pytest

from anyseek.errors import BadInput
from anyseek.filters import parse


def put(filled, asset_id, **changes):
    with filled.catalog.transaction() as writer:
        return writer.put_user_metadata(asset_id, changes)


def stored(filled, asset_id):
    with filled.catalog.database.reading() as connection:
        return connection.exec_driver_sql("SELECT user_metadata FROM asset WHERE id = ?", (asset_id,)).scalar()


def found(filled, text):
    return filled.catalog.live_embeddings(filled.space.id, where=parse(text)).tolist()


def test_values_are_added_changed_and_taken_away(filled):
    (asset_id,) = filled.put("a.jpg")
    assert filled.catalog.user_metadata(asset_id) == {}
    assert put(filled, asset_id, project="Leuchtturm 🗼", stars=4) == {"project": "Leuchtturm 🗼", "stars": 4}
    assert put(filled, asset_id, stars=4.5, ok=True) == {"project": "Leuchtturm 🗼", "stars": 4.5, "ok": True}
    assert put(filled, asset_id, project=None, never=None) == {"stars": 4.5, "ok": True}
    assert filled.catalog.user_metadata(asset_id) == json.loads(stored(filled, asset_id)) == {"stars": 4.5, "ok": True}
    assert put(filled, asset_id, stars=None, ok=None) == {}
    assert stored(filled, asset_id) is None


def test_filters_find_it_at_once(filled):
    filled.put("a.jpg", "b.jpg", "c.jpg")
    put(filled, 1, project="Lighthouse", stars="4")
    put(filled, 2, **{"shot by": "Ann", "stars": 5, "ok": False})
    assert found(filled, "meta.project=lighthouse") == [1]
    assert found(filled, "meta.project:light*") == [1]
    assert found(filled, "meta.project=light*") == []
    assert found(filled, "meta.stars>=4") == [1, 2]
    assert found(filled, "meta.stars>4") == [2]
    assert found(filled, "meta.stars:4") == [1]
    assert found(filled, 'meta."shot by":ann') == [2]
    assert found(filled, "meta.ok:false") == [2]
    assert found(filled, "not has:meta") == [3]
    put(filled, 1, project=None)
    assert found(filled, "meta.project:*") == []


def test_copies_have_their_own(filled):
    filled.put("a.jpg")
    with filled.catalog.transaction() as writer:
        copy = writer.put_asset(filled.source.id, "copy.jpg", 1, 1, 1)
    put(filled, copy, project="x")
    assert filled.catalog.user_metadata(1) == {}
    (kept,) = filled.catalog.assets_of([1], where=parse("meta.project:x"))[1]
    assert kept.relative == "copy.jpg"


@pytest.mark.parametrize("text", ["[1, 2]", '"text"', "7", "null", "{broken", "[4"])
def test_what_is_no_json_object_is_nothing(filled, text):
    """An older or a foreign program may have written it."""
    (asset_id,) = filled.put("a.jpg")
    with filled.catalog.database.writing() as connection:
        connection.exec_driver_sql("UPDATE asset SET user_metadata = ?", (text,))
    assert filled.catalog.user_metadata(asset_id) == {}
    assert found(filled, "meta.a:*") == []
    assert found(filled, "not meta.a:*") == [1]
    assert put(filled, asset_id, a="b") == {"a": "b"}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"": "x"}, "'' is no key"),
        ({"a\0": "x"}, "is no key"),
        ({3: "x"}, "3 is no key"),
        ({"a": ["list"]}, "cannot be the value of 'a': use a text, a number, True or False"),
        ({"a": float("nan")}, "nan cannot be the value"),
        ({"a": 2**63}, "cannot be the value"),
        ({"a": "\udcff"}, "cannot be the value"),
        ({"a": "x" * 70_000}, "70,030 characters are too many to write down of one file: make it at most 65,536"),
    ],
)
def test_what_cannot_be_stored_changes_nothing(filled, changes, said):
    (asset_id,) = filled.put("a.jpg")
    put(filled, asset_id, kept=1)
    with pytest.raises(BadInput, match=said), filled.catalog.transaction() as writer:
        writer.put_user_metadata(asset_id, {"b": "c", **changes})
    assert filled.catalog.user_metadata(asset_id) == {"kept": 1}
