"""Answers against brute force over the same vectors: order, filters, moments, copies, deletions."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from fakes import ColourEncoder
from shelf import Shelf, unit

from anyseek.errors import BadQuery, UnsupportedModality
from anyseek.search.query import Example, Query, Stored, Text, Vectors
from anyseek.types import Capture, Kind, MediaInfo, Modality, Picture, Segment

KINDS = (Kind.IMAGE, Kind.AUDIO, Kind.VIDEO)


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    shelf = Shelf(tmp_path / "library")
    yield shelf
    shelf.catalog.close()


@pytest.fixture
def full(shelf: Shelf) -> Shelf:
    """300 contents of 1 to 40 segments with random vectors: films would drown pictures if segments were counted as hits."""
    random = np.random.default_rng(7)
    for number in range(300):
        kind = KINDS[number % 3]
        count = 1 if kind is Kind.IMAGE else int(random.integers(1, 40))
        modality = Modality.AUDIO if kind is Kind.AUDIO else Modality.IMAGE
        segments = [
            (Segment(modality, i * 1000 * (kind is not Kind.IMAGE), (i + 1) * 1000 * (kind is not Kind.IMAGE)), unit(random.normal(size=8)))
            for i in range(count)
        ]
        shelf.put(f"{number:03}.{kind}", kind, *segments)
    return shelf


def given(vector: np.ndarray) -> Stored:
    return Stored({1: Vectors(vector[None], (Modality.IMAGE,))})


def names(answer: object) -> list[str]:
    """Names in order of score; cosines that are equal but for rounding in order of name."""
    hits = [(hit.path.name, hit.cosine) for hit in answer]  # type: ignore[attr-defined]
    assert [score for _, score in hits] == sorted((score for _, score in hits), reverse=True)
    return in_order(hits)


def in_order(scored: list[tuple[str, float]]) -> list[str]:
    return [name for name, score in sorted(scored, key=lambda item: (-round(item[1], 5), item[0]))]


@pytest.mark.parametrize("limit", [1, 7, 50, 400])
@pytest.mark.parametrize("kinds", [frozenset(), frozenset({Kind.IMAGE}), frozenset({Kind.AUDIO, Kind.VIDEO})])
def test_hits_are_the_best_assets_in_order(full: Shelf, limit: int, kinds: frozenset[Kind]) -> None:
    engine = full.engine(calibrated=False)
    for seed in range(5):
        vector = unit(np.random.default_rng(100 + seed).normal(size=8))
        answer = engine.answer(Query((given(vector),), kinds, limit))
        wanted = full.brute(vector, limit, kinds)
        assert names(answer) == in_order(wanted)
        np.testing.assert_allclose([hit.cosine for hit in answer], [cosine for _, cosine in wanted], atol=1e-6)


def test_deleted_assets_starve_nobody(full: Shelf) -> None:
    engine = full.engine(calibrated=False)
    vector = unit(np.random.default_rng(1).normal(size=8))
    best = [name for name, _ in full.brute(vector, 250)]
    full.delete(*best)
    assert names(engine.answer(Query((given(vector),), limit=10))) == in_order(full.brute(vector, 10))


def test_parts_are_fused_by_their_weights(full: Shelf) -> None:
    engine = full.engine(calibrated=False)
    red = np.full((8, 8, 3), (255, 0, 0), np.uint8)
    parts = (Text("blue"), Example(Kind.IMAGE, {1: (Picture(Segment(Modality.IMAGE), red),)}, weight=3.0))
    vector = unit(np.array([3, 0, 1, 0, 0, 0, 0, 0], np.float64))
    assert names(engine.answer(Query(parts, limit=20))) == in_order(full.brute(vector, 20))


def test_a_hit_tells_its_moments_whatever_the_limit(shelf: Shelf) -> None:
    red, green = np.eye(8, dtype=np.float32)[:2]
    at = [Segment(Modality.IMAGE, 1000 * i, 1000 * (i + 1), 1000 * i + 500) for i in range(6)]
    shelf.put("film", Kind.VIDEO, *zip(at, [green, red, red, green, green, red], strict=True))
    (hit,) = shelf.engine(calibrated=False).answer(Query((Text("red"),), limit=1))
    assert (hit.start_ms, hit.end_ms, hit.best_ms) == (1000, 3000, 1500)
    assert [(moment.start_ms, moment.end_ms) for moment in hit.moments] == [(1000, 3000), (5000, 6000)]
    assert hit.signals == ("seen",)
    assert hit.cosine == pytest.approx(1.0)


def test_every_copy_is_a_hit_and_a_picture_has_no_moments(shelf: Shelf) -> None:
    content = shelf.put("a.png", Kind.IMAGE, (Segment(Modality.IMAGE), np.eye(8, dtype=np.float32)[0]))
    shelf.copy(content, "b.png")
    answer = shelf.engine(calibrated=False).answer(Query((Text("red"),)))
    assert [(hit.path.name, hit.start_ms, hit.moments) for hit in answer] == [("a.png", None, ()), ("b.png", None, ())]
    assert answer.searched == 1


def test_the_example_itself_can_be_left_out(shelf: Shelf) -> None:
    rows = np.eye(8, dtype=np.float32)
    first = shelf.put("a.png", Kind.IMAGE, (Segment(Modality.IMAGE), rows[0]))
    shelf.put("b.png", Kind.IMAGE, (Segment(Modality.IMAGE), unit(rows[0] + rows[1])))
    answer = shelf.engine(calibrated=False).answer(Query((given(rows[0]),), without=frozenset({first})))
    assert [hit.path.name for hit in answer] == ["b.png"]


def test_empty_answers_say_why(shelf: Shelf) -> None:
    empty = shelf.engine().answer(Query((Text("red"),)))
    assert not len(empty)
    assert any("anyseek index" in note for note in empty.notes)
    shelf.put("a.png", Kind.IMAGE, (Segment(Modality.IMAGE), np.eye(8, dtype=np.float32)[0]))
    no_sound = shelf.engine().answer(Query((Text("red"),), kinds=frozenset({Kind.AUDIO})))
    assert not len(no_sound)
    assert "the library holds no audio yet" in no_sound.notes


def test_queries_that_cannot_be_asked() -> None:
    with pytest.raises(BadQuery, match="nothing to search for"):
        Query(())
    with pytest.raises(BadQuery, match="limit of 0"):
        Query((Text("x"),), limit=0)
    with pytest.raises(BadQuery, match="weights are 0"):
        Query((Text("x", weight=0.0),))


def test_parts_that_cancel_out_or_are_not_understood(shelf: Shelf) -> None:
    engine = shelf.engine()
    with pytest.raises(BadQuery, match="cancel each other out"):
        engine.answer(Query((given(np.eye(8)[0]), given(-np.eye(8)[0]))))
    shelf.encoders = (ColourEncoder(modalities=frozenset({Modality.IMAGE})),)
    engine = shelf.engine()
    with pytest.raises(UnsupportedModality, match="does not understand text"):
        engine.answer(Query((Text("red"),)))
    with pytest.raises(BadQuery, match="holds nothing to search with"):
        engine.answer(Query((Example(Kind.AUDIO, {}),)))


def test_a_hit_says_when_it_was_taken_and_how_that_is_known(shelf: Shelf) -> None:
    red = np.eye(8, dtype=np.float32)[0]
    shelf.put("plain.png", Kind.IMAGE, (Segment(Modality.IMAGE), red))
    capture = Capture(datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC), "exif")
    info = MediaInfo(Kind.IMAGE, "jpeg", capture=capture)
    with shelf.catalog.transaction() as writer:
        content_id = writer.begin_content(b"0123456789abcdef", 1, info)
        writer.add_embeddings(content_id, shelf.space.id, [(Segment(Modality.IMAGE), red)])
        writer.finish_content(content_id, shelf.space.id, info, [Segment(Modality.IMAGE)])
        writer.put_asset(shelf.source.id, "dated.jpg", 1, 1, content_id)
    captured = {hit.path.name: hit.captured for hit in shelf.engine(calibrated=False).answer(Query((Text("red"),)))}
    assert captured == {"plain.png": Capture(datetime(1970, 1, 1, tzinfo=UTC), "mtime"), "dated.jpg": capture}
