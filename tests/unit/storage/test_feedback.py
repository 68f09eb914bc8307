"""What people thought of answers: kept by content, replaced when said again, gone with its content, and forgotten for good."""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta, timezone

import pytest

from anyseek.search.references import Reference
from anyseek.storage import doctor
from anyseek.storage.catalog import QueryKey
from anyseek.storage.doctor import examine, repair
from anyseek.storage.space_index import SpaceIndex

DOG = QueryKey.words("a dog")
NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


@pytest.fixture
def contents(filled):
    """The contents of three pictures."""
    filled.put("a.jpg", "b.jpg", "c.jpg")
    assets = filled.catalog.assets(filled.source.id)
    return [assets[name].content_id for name in ("a.jpg", "b.jpg", "c.jpg")]


def put(catalog, content, verdict="liked", query=DOG, session="s", at=NOON, stretch=(0, 0)):
    with catalog.transaction() as writer:
        writer.put_feedback(query, content, verdict, session=session, at=at, stretch=stretch)


def told(catalog, **wanted):
    return [(row.session, row.query, row.content_id, row.verdict) for row in catalog.feedback(**wanted)]


def test_a_row_says_all_that_was_written_down(filled, contents):
    put(filled.catalog, contents[0], stretch=(500, 1500))
    (row,) = filled.catalog.feedback()
    assert row == (1, NOON, "s", "a dog", "text", filled.source.root / "a.jpg", contents[0], 500, 1500, "liked")
    assert row.at.tzinfo is not None


def test_a_query_is_known_again_by_its_words_or_its_stretch():
    assert QueryKey.words("  a \n dog ") == ("text", "a dog", None)
    assert QueryKey.words("A dog") != DOG
    assert QueryKey.like(12) == ("like", "12", 12)
    assert QueryKey.like(12).stretch == (0, 0)
    assert QueryKey.like(12, (3000, 4500)) == ("like", "12@3000-4500", 12)
    assert QueryKey.like(12, (3000, 4500)).stretch == (3000, 4500)
    assert QueryKey.words("12@3000-4500") != QueryKey.like(12, (3000, 4500))


def test_a_repeated_verdict_replaces_and_to_open_says_less_than_to_like(catalog, contents):
    a, b, _ = contents
    put(catalog, a, "liked")
    put(catalog, a, "rejected", at=NOON + timedelta(hours=1))
    assert [(row.verdict, row.at) for row in catalog.feedback()] == [("rejected", NOON + timedelta(hours=1))]
    put(catalog, a, "opened", at=NOON + timedelta(hours=2))
    assert [(row.verdict, row.at) for row in catalog.feedback()] == [("rejected", NOON + timedelta(hours=1))]
    put(catalog, b, "opened")
    put(catalog, b, "opened", at=NOON + timedelta(hours=3))
    put(catalog, b, "liked", at=NOON + timedelta(hours=4))
    assert [(row.content_id, row.verdict) for row in catalog.feedback()] == [(a, "rejected"), (b, "liked")]
    assert catalog.feedback_counts() == {"rejected": 1, "liked": 1}


def test_other_queries_sessions_and_stretches_are_other_answers(catalog, contents):
    a, *_ = contents
    put(catalog, a)
    put(catalog, a, "rejected", query=QueryKey.words("a cat"))
    put(catalog, a, "rejected", session="t")
    put(catalog, a, "rejected", stretch=(0, 1000))
    put(catalog, a, "rejected", query=QueryKey.like(a))
    assert catalog.feedback_counts() == {"rejected": 4, "liked": 1}
    assert catalog.feedback_sessions() == ["s", "t"]
    assert told(catalog, session="t") == [("t", "a dog", a, "rejected")]
    assert told(catalog, query=QueryKey.words("a  cat")) == [("s", "a cat", a, "rejected")]
    assert told(catalog, verdicts=["liked"]) == [("s", "a dog", a, "liked")]
    assert told(catalog, verdicts=[]) == []


def test_feedback_survives_a_rename_as_answer_and_as_query(filled, contents):
    a, b, _ = contents
    put(filled.catalog, a, query=QueryKey.like(b, (3000, 4500)))
    ids = {path: row.id for path, row in filled.catalog.assets(filled.source.id).items()}
    with filled.catalog.transaction() as writer:
        writer.move_asset(ids["a.jpg"], filled.source.id, "new/a.jpg", 1, 1)
        writer.move_asset(ids["b.jpg"], filled.source.id, "new/b.jpg", 1, 1)
    (row,) = filled.catalog.feedback()
    assert row.path == filled.source.root / "new/a.jpg"
    assert Reference.read(row.query) == Reference(filled.source.root / "new/b.jpg", 3000, 4500)
    with filled.catalog.transaction() as writer:
        writer.delete_assets(ids.values())
    (row,) = filled.catalog.feedback()
    assert (row.path, row.query, row.content_id) == (None, "", a)


@pytest.mark.parametrize("gone", [0, 1])
def test_feedback_goes_with_its_content_and_with_that_of_its_query(filled, contents, gone):
    put(filled.catalog, contents[0], query=QueryKey.like(contents[1]))
    put(filled.catalog, contents[2])
    name = ("a.jpg", "b.jpg")[gone]
    with filled.catalog.transaction() as writer:
        writer.delete_assets([filled.catalog.assets(filled.source.id)[name].id])
        writer.purge()
    assert told(filled.catalog) == [("s", "a dog", contents[2], "liked")]


def test_a_copy_keeps_the_feedback(filled, contents):
    put(filled.catalog, contents[0])
    with filled.catalog.transaction() as writer:
        writer.put_asset(filled.source.id, "z.jpg", 1, 1, contents[0])
        writer.delete_assets([filled.catalog.assets(filled.source.id)["a.jpg"].id])
        writer.purge()
    assert [row.path.name for row in filled.catalog.feedback()] == ["z.jpg"]


@pytest.mark.parametrize(
    ("wanted", "left"),
    [
        ({}, []),
        ({"session": "s"}, [3]),
        ({"session": "none"}, [1, 2, 3]),
        ({"query": DOG}, [2]),
        ({"query": DOG, "session": "t"}, [1, 2]),
        ({"before": NOON}, [2, 3]),
        ({"before": NOON + timedelta(seconds=1)}, [3]),
        ({"before": datetime(2026, 5, 1, 14, tzinfo=timezone(timedelta(hours=2)))}, [2, 3]),
        ({"before": datetime(2026, 5, 1, 12)}, [2, 3]),
    ],
)
def test_forgetting_is_by_every_condition_that_is_given(catalog, contents, wanted, left):
    put(catalog, contents[0], at=NOON - timedelta(seconds=1))
    put(catalog, contents[1], query=QueryKey.words("a cat"), at=NOON)
    put(catalog, contents[2], session="t", at=NOON + timedelta(days=1))
    assert [row.id for row in catalog.feedback(**wanted)] == [number for number in (1, 2, 3) if number not in left]
    with catalog.transaction() as writer:
        assert writer.forget_feedback(**wanted) == 3 - len(left)
    assert [row.id for row in catalog.feedback()] == left


def test_what_was_forgotten_is_in_no_file_any_more(filled, contents):
    """SQLite leaves what is deleted where it was until something else needs the room: somebody may have searched for an illness."""
    for number in range(300):
        put(filled.catalog, contents[number % 3], query=QueryKey.words(f"hypochondria number {number}"))
    put(filled.catalog, contents[0], query=QueryKey.words("kept words"))
    with filled.catalog.transaction() as writer:
        writer.forget_feedback(before=NOON + timedelta(days=1))
        writer.put_feedback(QueryKey.words("kept words"), contents[0], "liked", session="s")
    filled.catalog.close()
    found = b"".join(path.read_bytes() for path in filled.folder.path.glob("catalog.db*"))
    assert b"kept words" in found
    assert b"hypochondria" not in found


def test_nothing_is_recorded_unless_somebody_said_so(catalog):
    assert not catalog.feedback_enabled
    for value, enabled in (("on", True), ("off", False)):
        with catalog.transaction() as writer:
            writer.put_setting("feedback", value)
        assert catalog.feedback_enabled is enabled


def test_the_doctor_removes_feedback_about_nothing(filled, contents, monkeypatch):
    monkeypatch.setattr(doctor, "check_faiss", lambda: iter(()))
    put(filled.catalog, contents[0])
    put(filled.catalog, contents[0], query=QueryKey.like(contents[1]))
    SpaceIndex.open(filled.folder, filled.catalog, filled.space).save_generation()
    assert examine(filled.folder).findings == []
    with closing(sqlite3.connect(filled.folder.catalog)) as raw:
        for query_content, content in (("NULL", 999), ("999", contents[0])):
            raw.execute(
                "INSERT INTO feedback (at, session, query_kind, query, query_content_id, content_id, start_ms, end_ms, verdict) "
                f"VALUES ('2026', '', 'like', 'x', {query_content}, {content}, 0, 0, 'liked')"
            )
        raw.commit()
    assert [finding.code for finding in examine(filled.folder).findings] == ["orphan_rows"]
    assert repair(filled.folder).findings == []
    assert len(filled.catalog.feedback()) == 2
