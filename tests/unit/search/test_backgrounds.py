"""What cosines are like by chance, by hand; and what is drawn from a library to know it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from shelf import Shelf

from anyseek.search.backgrounds import (
    LEAST_DEVIATION,
    PRIOR_WEIGHT,
    Chance,
    chance_of,
    middle_for_media,
    middle_for_texts,
    steepness_for_alike,
)
from anyseek.search.samples import LARGEST, draw
from anyseek.types import Kind, Modality, Segment

AXES = np.eye(4, dtype=np.float32)


def test_mean_and_deviation_by_hand() -> None:
    found = chance_of(AXES[:2] @ AXES[:1].T)  # cosines 1 and 0
    assert found == pytest.approx((0.5, 0.5))
    nearly = chance_of(AXES[:2] @ AXES[:1].T, usual=0.1)
    assert nearly == pytest.approx((0.5, ((PRIOR_WEIGHT * 0.01 + 1 * 0.25) / (PRIOR_WEIGHT + 1)) ** 0.5))


def test_pairs_that_do_not_count() -> None:
    apart = ~np.eye(3, dtype=bool)
    assert chance_of(AXES[:3] @ AXES[:3].T, apart) == pytest.approx((0.0, LEAST_DEVIATION))
    assert chance_of(AXES[:1] @ AXES[:1].T, np.zeros((1, 1), bool), usual=0.3) == pytest.approx((0.0, 0.3))


def test_a_lone_vector_does_not_make_a_deviation_of_nothing() -> None:
    assert chance_of(AXES[:1] @ AXES[1:2].T, usual=0.3) == pytest.approx((0.0, 0.3))


def test_where_chance_ends_for_texts_by_hand() -> None:
    """Ten captions and two vectors: the mean is 0.2, the better half of the vectors reach 0.9 with their best caption."""
    cosines = np.full((10, 2), 0.1)
    cosines[0] = 1.0, 0.8
    cosines[1] = 0.4, 0.2
    chance = Chance(0.2, 0.1)
    best = [1.0, 0.4, *[0.1] * 8]
    assert np.quantile(best, 0.9) == pytest.approx(0.46)  # less than 0.7 of the way from 0.2 to 0.9
    assert middle_for_texts(cosines, chance) == pytest.approx(0.7 * (0.9 - 0.2) / 0.1)
    cosines[1:4, 0] = 0.78
    assert middle_for_texts(cosines, chance) == pytest.approx((np.quantile([1.0, *[0.78] * 3, *[0.1] * 6], 0.9) - 0.2) / 0.1)
    cosines[1:4, 0] = 1.0
    assert middle_for_texts(cosines, chance) == pytest.approx(0.9 * (0.9 - 0.2) / 0.1)


def test_where_chance_ends_does_not_depend_on_how_much_there_is_of_the_same() -> None:
    random = np.random.default_rng(0)
    cosines = random.uniform(-1, 1, (50, 100))
    chance = chance_of(cosines)
    assert middle_for_texts(np.repeat(cosines, 7, axis=1), chance) == pytest.approx(middle_for_texts(cosines, chance))


def test_where_chance_ends_for_media_by_hand() -> None:
    cosines = np.array([[1.0, 0.1, 0.2], [0.1, 1.0, 0.8], [0.2, 0.8, 1.0]])
    apart = ~np.eye(3, dtype=bool)  # the best of others are 0.2, 0.8 and 0.8
    assert middle_for_media(cosines, Chance(0.2, 0.1), apart) == 2.7
    assert middle_for_media(cosines, Chance(0.2, 0.2), apart) == 2.7
    assert middle_for_media(cosines, Chance(0.2, 0.3), apart) == pytest.approx(0.9 * (0.8 - 0.2) / 0.3)
    assert middle_for_media(cosines, Chance(0.2, 0.4)) == pytest.approx(0.9 * (1 - 0.2) / 0.4)
    assert middle_for_media(np.zeros((3, 3)), Chance(0.0, 0.2), apart) == 1.0  # nothing suits anything
    assert middle_for_media(np.zeros((0, 3)), Chance(0.2, 0.4)) == pytest.approx(0.9 * (1 - 0.2) / 0.4)


def test_what_is_equal_gets_the_same_score_in_every_space() -> None:
    for chance, middle in ((Chance(0.2, 0.1), 2.7), (Chance(0.9, 0.08), 1.1)):
        standard = (1 - chance.mean) / chance.deviation
        assert steepness_for_alike(middle, chance) * (standard - middle) == pytest.approx(8)


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
