"""Texts about contents: what is replaced, what stays, and what goes with its content."""

import sqlite3
from contextlib import closing

import pytest

from anyseek.filters import parse
from anyseek.storage import doctor
from anyseek.storage.doctor import examine, repair
from anyseek.storage.space_index import SpaceIndex
from anyseek.types import Annotation, AnnotationType

TAG = AnnotationType.TAG
CAPTION = AnnotationType.CAPTION


def tag(text, confidence=0.5, at=(0, 0), origin="mine"):
    return Annotation(TAG, origin, text, *at, confidence)


@pytest.fixture
def contents(filled):
    """The contents of three pictures."""
    filled.put("a.jpg", "b.jpg", "c.jpg")
    assets = filled.catalog.assets(filled.source.id)
    return [assets[name].content_id for name in ("a.jpg", "b.jpg", "c.jpg")]


def write(catalog, *annotations, content, of=TAG, origin="mine"):
    with catalog.transaction() as writer:
        writer.replace_annotations(of, origin, {content: annotations})


def test_annotations_come_back_in_order_of_text_and_time(catalog, contents):
    a, b, c = contents
    dog, later, earlier = tag("dog", 0.9), tag("bark", 0.7, (5000, 6000)), tag("bark", None, (0, 1500))
    write(catalog, dog, later, earlier, content=a)
    write(catalog, tag("cat"), content=b)
    assert catalog.annotations([a, b, c]) == {a: [earlier, later, dog], b: [tag("cat")]}
    assert catalog.annotations([c]) == {}


def test_only_the_same_type_and_origin_of_the_same_contents_are_replaced(catalog, contents):
    a, b, _ = contents
    other, caption = tag("cow", origin="other"), Annotation(CAPTION, "mine", "a cow in the snow")
    write(catalog, tag("dog"), tag("cat"), content=a)
    write(catalog, tag("dog"), content=b)
    write(catalog, other, content=a, origin="other")
    write(catalog, caption, content=a, of=CAPTION)
    write(catalog, tag("hen"), content=a)
    assert catalog.annotations([a, b]) == {a: [caption, other, tag("hen")], b: [tag("dog")]}
    assert catalog.annotations([a], of=TAG) == {a: [other, tag("hen")]}
    assert catalog.annotations([a], of=TAG, origin="mine") == {a: [tag("hen")]}
    write(catalog, content=a)
    assert catalog.annotations([a]) == {a: [caption, other]}


def test_an_annotation_of_another_origin_is_refused_and_nothing_is_written(catalog, contents):
    a, *_ = contents
    write(catalog, tag("dog"), content=a)
    with pytest.raises(ValueError, match="is not one of type tag from 'mine'"):
        write(catalog, tag("cat"), tag("cow", origin="other"), content=a)
    assert catalog.annotations([a]) == {a: [tag("dog")]}


def test_removing_is_by_origin_and_content(catalog, contents):
    a, b, _ = contents
    for content in (a, b):
        write(catalog, tag("dog"), tag("cat"), content=content)
        write(catalog, tag("cow", origin="other"), content=content, origin="other")
    with catalog.transaction() as writer:
        assert writer.remove_annotations(TAG, origins=["mine"], content_ids=[a]) == 2
    assert catalog.annotated_contents(TAG, ["mine"]) == [b]
    assert catalog.annotated_contents(TAG, ["mine", "other"]) == [a, b]
    assert catalog.annotated_contents(CAPTION, ["mine"]) == []
    assert catalog.annotation_origins(TAG) == ["mine", "other"]
    with catalog.transaction() as writer:
        assert writer.remove_annotations(TAG, origins=["mine"]) == 2
    assert catalog.annotation_origins(TAG) == ["other"]
    with catalog.transaction() as writer:
        assert writer.remove_annotations(TAG) == 2
    assert catalog.annotations([a, b]) == {}


def test_tags_are_told_once_by_their_highest_confidence_the_surest_first(catalog, contents):
    a, b, _ = contents
    write(catalog, tag("dog", 0.6), tag("bark", 0.7, (0, 1000)), tag("bark", 0.9, (4000, 5000)), tag("mine", None), content=a)
    write(catalog, tag("dog", 0.8, origin="other"), content=a, origin="other")
    write(catalog, Annotation(CAPTION, "mine", "no tag"), content=b, of=CAPTION)
    assert catalog.tags_of([a, b]) == {a: {"bark": 0.9, "dog": 0.8, "mine": None}}
    assert list(catalog.tags_of([a])[a]) == ["bark", "dog", "mine"]


def test_what_was_written_can_be_filtered_by(filled, contents):
    catalog, (a, b, _) = filled.catalog, contents
    write(catalog, tag("dog", 0.6), content=a)
    write(catalog, tag("dog", 0.9), content=b)
    write(catalog, Annotation(AnnotationType.TAGGED, "mine", "dog"), content=contents[2], of=AnnotationType.TAGGED)

    def found(text):
        return set(catalog.assets_of(contents, parse(text)))

    assert found("tag:dog") == found("has:tag") == {a, b}
    assert found("tag:Dog>=0.7") == {b}


def test_annotations_go_with_their_content(filled, contents):
    a, b, _ = contents
    for content in (a, b):
        write(filled.catalog, tag("dog"), content=content)
    ids = {path: row.id for path, row in filled.catalog.assets(filled.source.id).items()}
    with filled.catalog.transaction() as writer:
        writer.delete_assets([ids["a.jpg"]])
    assert set(filled.catalog.annotations(contents)) == {a, b}
    with filled.catalog.transaction() as writer:
        writer.purge()
    assert set(filled.catalog.annotations(contents)) == {b}


def test_the_doctor_finds_nothing_wrong_with_annotations_and_removes_those_of_nothing(filled, contents, monkeypatch):
    monkeypatch.setattr(doctor, "check_faiss", lambda: iter(()))
    write(filled.catalog, tag("dog"), content=contents[0])
    SpaceIndex.open(filled.folder, filled.catalog, filled.space).save_generation()
    assert examine(filled.folder).findings == []
    with closing(sqlite3.connect(filled.folder.catalog)) as raw:
        raw.execute("INSERT INTO annotation (content_id, type, origin, text, start_ms, end_ms) VALUES (999, 'tag', 'mine', 'lost', 0, 0)")
        raw.commit()
    assert [finding.code for finding in examine(filled.folder).findings] == ["orphan_rows"]
    assert repair(filled.folder).findings == []
    assert filled.catalog.annotations([contents[0], 999]) == {contents[0]: [tag("dog")]}
