"""What cosines are like by chance, by hand; and what is drawn from a library to know it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from shelf import Shelf

from anyseek.search.backgrounds import LEAST_DEVIATION, PRIOR_WEIGHT, background_of
from anyseek.search.samples import LARGEST, draw
from anyseek.types import Kind, Modality, Segment

AXES = np.eye(4, dtype=np.float32)


def test_mean_and_deviation_by_hand() -> None:
    found = background_of(AXES[:2], AXES[:1])  # cosines 1 and 0
    assert found == pytest.approx((0.5, 0.5))
    nearly = background_of(AXES[:2], AXES[:1], usual=0.1)
    assert nearly == pytest.approx((0.5, ((PRIOR_WEIGHT * 0.01 + 1 * 0.25) / (PRIOR_WEIGHT + 1)) ** 0.5))


def test_pairs_that_do_not_count() -> None:
    apart = ~np.eye(3, dtype=bool)
    assert background_of(AXES[:3], AXES[:3], apart) == pytest.approx((0.0, LEAST_DEVIATION))
    assert background_of(AXES[:1], AXES[:1], np.zeros((1, 1), bool), usual=0.3) == pytest.approx((0.0, 0.3))


def test_a_lone_vector_does_not_make_a_deviation_of_nothing() -> None:
    assert background_of(AXES[:1], AXES[1:2], usual=0.3) == pytest.approx((0.0, 0.3))


def test_a_sample_is_spread_over_all_that_can_be_found(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "library")
    row = np.eye(8, dtype=np.float32)[0]
    for number in range(30):
        shelf.put(f"{number:02}.mp4", Kind.VIDEO, *((Segment(Modality.IMAGE, i, i + 1), row) for i in range(50)))
    shelf.put("a.ogg", Kind.AUDIO, (Segment(Modality.AUDIO, 0, 1), row))
    gone = shelf.put("gone.mp4", Kind.VIDEO, (Segment(Modality.IMAGE, 0, 1), row))
    shelf.delete("gone.mp4")
    sample = draw(shelf.catalog, shelf.space, Modality.IMAGE)
    assert (len(sample), sample.of, sample.distinct) == (LARGEST, 1500, 30)
    assert gone not in sample.contents
    counts = np.unique(sample.contents, return_counts=True)[1]
    assert counts.min() >= 32
    assert counts.max() <= 35
    np.testing.assert_array_equal(draw(shelf.catalog, shelf.space, Modality.IMAGE).contents, sample.contents)
    nothing = draw(shelf.catalog, shelf.space, Modality.VIDEO)
    assert (nothing.vectors.shape, nothing.of) == ((0, 8), 0)
    shelf.catalog.close()
