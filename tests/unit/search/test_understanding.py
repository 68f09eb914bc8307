"""What a space makes of a part of a query, by hand; and that a vector is always the sum of its sides."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from fakes import ColourEncoder, MovementEncoder
from shelf import Shelf, unit

from anyseek.search.backgrounds import Origin
from anyseek.search.probe import Probe, Understood, Weighed
from anyseek.search.query import Example, Query, Stored, Text, Vectors
from anyseek.search.spaces import SearchSpace
from anyseek.search.timings import Stopwatch
from anyseek.search.understanding import understand
from anyseek.storage.catalog import SpaceRow
from anyseek.types import ENCODED, Clip, Decoded, Kind, Modality, Picture, Segment, Sound

RED, GREEN, BLUE = np.eye(8, dtype=np.float32)[:3]
ALL = frozenset(ENCODED)


def space_of(encoder: ColourEncoder) -> SearchSpace:
    return SearchSpace(SpaceRow(1, encoder.space, "serving"), lambda: encoder, lambda: pytest.fail("nothing is looked up here"))


def sum_of_sides(found: Understood | Probe) -> np.ndarray:
    return np.sum([side.share * side.vector for side in found.sides], axis=0)


def picture(*colour: int) -> Picture:
    return Picture(Segment(Modality.IMAGE), np.full((2, 2, 3), colour, np.uint8))


def clip() -> Clip:
    """From black to blue."""
    frames = np.stack([np.zeros((2, 2, 3), np.uint8), np.full((2, 2, 3), (0, 0, 255), np.uint8)])
    return Clip(Segment(Modality.VIDEO, 0, 1000), frames, np.array([0, 500]))


def tone() -> Sound:
    return Sound(Segment(Modality.AUDIO, 0, 1000), np.sin(2 * np.pi * 1000 * np.arange(8000) / 8000).astype(np.float32))


def test_what_is_seen_counts_as_much_as_what_is_heard() -> None:
    segments: tuple[Decoded, ...] = (picture(255, 0, 0), picture(255, 0, 0), picture(255, 0, 0), tone())
    found = understand(Example(Kind.VIDEO, {1: segments}), space_of(ColourEncoder()), Stopwatch())
    assert found is not None
    np.testing.assert_allclose(found.vector, unit(RED + GREEN), atol=1e-5)
    assert [side.origin for side in found.sides] == [Origin(Modality.IMAGE), Origin(Modality.AUDIO)]
    np.testing.assert_allclose(sum_of_sides(found), found.vector, atol=1e-6)


def test_frames_and_shots_as_a_whole_are_both_seen() -> None:
    encoder = MovementEncoder(modalities=ALL)
    (moved,) = encoder.encode_video([clip()])
    segments: tuple[Decoded, ...] = (picture(255, 0, 0), clip(), tone())
    found = understand(Example(Kind.VIDEO, {1: segments}), space_of(encoder), Stopwatch())
    assert found is not None
    np.testing.assert_allclose(found.vector, unit(unit(RED + moved) + GREEN), atol=1e-5)
    assert [side.origin.modality for side in found.sides] == [Modality.IMAGE, Modality.VIDEO, Modality.AUDIO]
    np.testing.assert_allclose(sum_of_sides(found), found.vector, atol=1e-6)


def test_a_space_takes_what_it_understands_and_leaves_the_rest() -> None:
    segments: tuple[Decoded, ...] = (picture(255, 0, 0), clip(), tone())
    deaf = space_of(ColourEncoder(modalities=frozenset({Modality.IMAGE})))
    found = understand(Example(Kind.VIDEO, {1: segments}), deaf, Stopwatch())
    assert found is not None
    np.testing.assert_array_equal(found.vector, RED)
    assert understand(Text("red"), deaf, Stopwatch()) is None
    assert understand(Example(Kind.VIDEO, {2: segments}), deaf, Stopwatch()) is None
    assert understand(Stored({2: Vectors(RED[None], (Modality.IMAGE,))}), deaf, Stopwatch()) is None


def test_of_what_is_stored_every_vector_counts_alike() -> None:
    rows = np.stack([RED, RED, GREEN])
    stored = Stored({1: Vectors(rows, (Modality.IMAGE, Modality.IMAGE, Modality.AUDIO))})
    found = understand(stored, space_of(ColourEncoder()), Stopwatch())
    assert found is not None
    np.testing.assert_allclose(found.vector, np.array([2, 1, 0, 0, 0, 0, 0, 0]) / math.sqrt(5), atol=1e-6)
    assert [side.share for side in found.sides] == pytest.approx([2 / math.sqrt(5), 1 / math.sqrt(5)])
    np.testing.assert_allclose(sum_of_sides(found), found.vector, atol=1e-6)


def test_a_probe_is_the_sum_of_its_sides_whatever_their_weights() -> None:
    space = space_of(ColourEncoder())
    parts = [
        understand(part, space, Stopwatch()) for part in (Text("red"), Text("blue green"), Example(Kind.IMAGE, {1: (picture(0, 255, 0),)}))
    ]
    weighed = [
        Weighed(number, part, weight) for number, (part, weight) in enumerate(zip(parts, (2.0, -0.5, 0.7), strict=True)) if part is not None
    ]
    probe = Probe.of(space, weighed)
    np.testing.assert_allclose(probe.vector, unit(2 * RED - 0.5 * unit(BLUE + GREEN) + 0.7 * GREEN), atol=1e-6)
    np.testing.assert_allclose(sum_of_sides(probe), probe.vector, atol=1e-6)
    assert [side.part for side in probe.sides] == [0, 1, 2]


def test_a_shot_that_moves_as_the_example_does_is_found_and_counts_as_seen(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "library", MovementEncoder(modalities=ALL))
    (moved,) = shelf.encoders[0].encode_video([clip()])  # type: ignore[attr-defined]
    shelf.put("moves.mp4", Kind.VIDEO, (Segment(Modality.VIDEO, 0, 2000), moved), (Segment(Modality.IMAGE, 0, 1000, 500), RED))
    shelf.put("rests.mp4", Kind.VIDEO, (Segment(Modality.IMAGE, 0, 1000, 500), RED))
    answer = shelf.engine(calibrated=False).answer(Query((Example(Kind.VIDEO, {1: (clip(),)}),)))
    shelf.catalog.close()
    best = answer.hits[0]
    assert (best.path.name, best.signals, best.start_ms, best.end_ms) == ("moves.mp4", ("seen",), 0, 2000)
    assert best.cosine == pytest.approx(1.0, abs=1e-3)
