"""Orders and pages: many small pages are one large one, whatever happens to the library between them."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shelf import Shelf, unit

from anyseek.errors import BadQuery
from anyseek.search.engine import Engine, Hit
from anyseek.search.fusion import fusion_named
from anyseek.search.paging import Cursor
from anyseek.search.query import Example, Order, Query, Stored, Text, Vectors
from anyseek.types import Capture, Clip, Kind, MediaInfo, Modality, Picture, Segment, Sound

COUNT = 120
ORDERS: tuple[Order, ...] = ("relevance", "date", "path", "duration")


def vector_of(number: int) -> np.ndarray:
    """Red to a degree that several share, so that there are ties."""
    random = np.random.default_rng(number)
    return unit(np.array([0.2 * (number % 7), *random.uniform(0, 0.05, 2), 1, 0, 0, 0, 0]))


def put(shelf: Shelf, number: int) -> None:
    kind = list(Kind)[number % 3]
    taken = datetime(2020, 1, 1, tzinfo=timezone(timedelta(hours=number % 5))) + timedelta(days=number * 37 % 50)
    capture = Capture(taken if number % 4 else taken.replace(tzinfo=None), "exif") if number % 6 else None
    info = MediaInfo(kind, "test", duration_ms=None if kind is Kind.IMAGE else 1000 * (number % 9 + 1), capture=capture)
    segment = Segment(Modality.AUDIO if kind is Kind.AUDIO else Modality.IMAGE, 0, 0 if kind is Kind.IMAGE else 1000)
    with shelf.catalog.transaction() as writer:
        content_id = writer.begin_content(f"{number:016}".encode(), 1, info)
        writer.add_embeddings(content_id, shelf.space.id, [(segment, vector_of(number % 40 if number % 5 == 0 else number))])
        writer.finish_content(content_id, shelf.space.id, info, [segment])
        writer.put_asset(shelf.source.id, f"{number * 7919 % 1000:03}/{number}", 1, number * 10**18 % (10**9 * 1_600_000_000), content_id)


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shelf]:
    shelf = Shelf(tmp_path_factory.mktemp("paging") / "library")
    for number in range(COUNT):
        put(shelf, number)
    yield shelf
    shelf.catalog.close()


def pages(engine: Engine, query: Query) -> list[list[Hit]]:
    found = []
    while True:
        answer = engine.answer(query)
        found.append(list(answer.hits))
        if answer.cursor is None:
            return found
        assert len(answer) == query.limit
        query = replace(query, cursor=answer.cursor)


def key_of(hit: Hit, order: Order) -> float | str:
    if order == "date":
        return -hit.captured.at.replace(tzinfo=UTC).timestamp()
    if order == "path":
        return str(hit.path)
    return -(hit.info.duration_ms or 0) if order == "duration" else -hit.cosine


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("limit", [1, 7, 50])
def test_pages_are_pieces_of_one_answer(shelf: Shelf, order: Order, reverse: bool, limit: int) -> None:
    engine = shelf.engine(calibrated=False)
    query = Query((Text("red"),), limit=limit, order=order, reverse=reverse)
    whole = engine.answer(replace(query, limit=10 * COUNT))
    assert whole.cursor is None
    assert len(whole) == COUNT
    keys = [key_of(hit, order) for hit in whole]
    if order == "relevance":
        np.testing.assert_allclose(keys, sorted(keys, reverse=reverse), atol=1e-6)  # type: ignore[type-var]
    else:
        assert keys == sorted(keys, reverse=reverse)  # type: ignore[type-var]
    paged = pages(engine, query)
    assert [hit.asset_id for page in paged for hit in page] == [hit.asset_id for hit in whole]


@pytest.mark.parametrize("order", ORDERS)
def test_only_what_is_relevant_is_put_in_order(shelf: Shelf, order: Order) -> None:
    engine = shelf.engine(calibrated=False)
    least = 0.8
    every = engine.answer(Query((Text("red"),), limit=10 * COUNT, min_relevance=0))
    wanted = {hit.asset_id for hit in every if hit.relevance >= least}
    assert 10 < len(wanted) < COUNT - 10
    found = [hit for page in pages(engine, Query((Text("red"),), limit=4, min_relevance=least, order=order)) for hit in page]
    assert {hit.asset_id for hit in found} == wanted
    assert len(found) == len(wanted)


@pytest.mark.parametrize("fusion", ["max", "rrf"])
def test_pages_of_joined_answers_are_pieces_of_one_too(shelf: Shelf, fusion: str) -> None:
    engine = shelf.engine(calibrated=False)
    query = Query((Text("red"), Text("green"), Text("blue", weight=-0.5)), limit=9, fusion=fusion_named(fusion))
    whole = engine.answer(replace(query, limit=10 * COUNT))
    assert [hit.asset_id for page in pages(engine, query) for hit in page] == [hit.asset_id for hit in whole]


@pytest.mark.parametrize("order", ORDERS)
def test_pages_go_on_when_the_library_changes_between_them(tmp_path: Path, order: Order) -> None:
    """What was shown is not shown again, and what stays is shown, whatever comes and goes."""
    shelf = Shelf(tmp_path / "library")
    for number in range(40):
        put(shelf, number)
    engine = shelf.engine(calibrated=False)
    query = Query((Text("red"),), limit=10, order=order)
    first = engine.answer(query)
    rest = [hit for page in pages(engine, replace(query, cursor=first.cursor)) for hit in page]
    shelf.delete(*(hit.path.relative_to(tmp_path).as_posix() for hit in [*first.hits[8:], *rest[:3]]))
    for number in range(40, 60):
        put(shelf, number)
    after = [hit.asset_id for page in pages(engine, replace(query, cursor=first.cursor)) for hit in page]
    shelf.catalog.close()
    old = {hit.asset_id for hit in [*first.hits, *rest]}
    assert [asset for asset in after if asset in old] == [hit.asset_id for hit in rest[3:]]
    assert len(after) == len(set(after))
    assert 0 < len(set(after) - old) <= 20


@pytest.mark.parametrize("text", ["", "x", "!!", "é", "eyJhIjoxfQ", "W10", "A" * 100_000, "W1" * 30_000])
def test_what_is_no_cursor_is_told(shelf: Shelf, text: str) -> None:
    with pytest.raises(BadQuery, match="is no cursor"):
        shelf.engine(calibrated=False).answer(Query((Text("red"),), cursor=text))


@pytest.mark.parametrize("key", [float("nan"), float("inf"), True, None, [1], {}])
def test_a_cursor_with_a_key_that_cannot_be_is_none(key: object) -> None:
    text = base64.urlsafe_b64encode(json.dumps(["q", key, 1]).encode()).decode()
    with pytest.raises(BadQuery, match="is no cursor"):
        Cursor.read(text, "q")


def test_a_cursor_belongs_to_its_question(shelf: Shelf) -> None:
    engine = shelf.engine(calibrated=False)
    query = Query((Text("red"),), limit=5)
    cursor = engine.answer(query).cursor
    for other in (
        Query((Text("green"),), limit=5),
        replace(query, order="date"),
        replace(query, reverse=True),
        replace(query, kinds=frozenset({Kind.IMAGE})),
        replace(query, min_relevance=0.3),
    ):
        with pytest.raises(BadQuery, match="another question"):
            engine.answer(replace(other, cursor=cursor))
    assert len(engine.answer(replace(query, limit=3, cursor=cursor))) == 3  # pages may be of different lengths


def asked_with(value: int) -> list[Query]:
    """One picture, sound, film and file of the library each, all of one name."""
    picture = Picture(Segment(Modality.IMAGE), np.full((4, 4, 3), value, np.uint8))
    sound = Sound(Segment(Modality.AUDIO, 0, 1000), np.full(100, value, np.float32))
    clip = Clip(Segment(Modality.VIDEO, 0, 1000), np.full((2, 4, 4, 3), value, np.uint8), np.array([0, 500]))
    examples = [(Kind.IMAGE, picture), (Kind.AUDIO, sound), (Kind.VIDEO, clip)]
    stored = Stored({1: Vectors(unit(np.array([1.0, value]))[None], (Modality.IMAGE,))}, label="one")
    return [Query((part,)) for part in (*(Example(kind, {1: (decoded,)}, label="one") for kind, decoded in examples), stored)]


def test_files_of_one_name_are_different_questions() -> None:
    ones, again, others = asked_with(0), asked_with(0), asked_with(1)
    assert [query.digest for query in ones] == [query.digest for query in again]
    assert len({query.digest for query in ones + others}) == 8


@given(st.text(max_size=20), st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20), st.integers(0, 2**62))
def test_cursors_are_read_as_they_were_written(question: str, key: float | str, asset_id: int) -> None:
    cursor = Cursor(question, key, asset_id)
    assert Cursor.read(cursor.text(), question) == cursor
    assert cursor.text().isascii()
