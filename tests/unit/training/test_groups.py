"""Groups of near-duplicates: by hand, and against connected components that a plain search finds."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from pairing import rows

from anyseek.media.fingerprint import PICTURE, VERSION
from anyseek.training.groups import NEAR, Alike, near_groups
from anyseek.types import Modality

IMAGE, AUDIO = Modality.IMAGE, Modality.AUDIO


def at(*degrees: float) -> np.ndarray:
    angles = np.radians(degrees)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)


def stored(coarse: int, fine: bytes = bytes(32), contrast: int = 50) -> bytes:
    return np.array([(VERSION, contrast, 128, 128, coarse, np.frombuffer(fine, np.uint8))], PICTURE).tobytes()


@given(st.integers(1, 30), st.lists(st.tuples(st.integers(0, 29), st.integers(0, 29)), max_size=40))
def test_groups_are_connected_components(count: int, joined: list[tuple[int, int]]) -> None:
    edges = [(one % count, other % count) for one, other in joined]
    alike = Alike(range(count))
    for one, other in edges:
        alike.join(one, other)
    neighbours = {thing: {b for a, b in edges if a == thing} | {a for a, b in edges if b == thing} for thing in range(count)}
    expected: dict[int, int] = {}
    for thing in range(count):
        if thing in expected:
            continue
        number, found = len(set(expected.values())), [thing]
        while found:
            each = found.pop()
            if each not in expected:
                expected[each] = number
                found += neighbours[each]
    assert alike.groups() == expected


def test_chains_are_one_group() -> None:
    """0° and 20° have nothing in common but that both are near 10°."""
    least = float(np.cos(np.radians(11)))
    assert near_groups([7, 8, 9, 3], at(0, 10, 20, 90), [IMAGE] * 4, least=least) == {3: 0, 7: 1, 8: 1, 9: 1}


def test_what_is_seen_is_not_held_against_what_is_heard() -> None:
    assert near_groups([1, 2, 3], at(0, 0, 0), [IMAGE, AUDIO, IMAGE]) == {1: 0, 2: 1, 3: 0}


def test_a_film_is_near_by_either_side_and_by_any_of_its_moments() -> None:
    contents = [1, 1, 2, 3, 3]
    vectors, modalities = at(0, 90, 90, 45, 0), [IMAGE, AUDIO, AUDIO, IMAGE, IMAGE]
    assert near_groups(contents, vectors, modalities) == {1: 0, 2: 0, 3: 0}


def test_the_threshold_itself_is_near() -> None:
    vectors = np.array([[1, 0], [0.5, 0.75**0.5]], np.float32)
    assert near_groups([1, 2], vectors, [IMAGE] * 2, least=float(vectors[0] @ vectors[1])) == {1: 0, 2: 0}
    assert near_groups([1, 2], vectors, [IMAGE] * 2, least=0.5001) == {1: 0, 2: 1}
    assert near_groups([1, 2], vectors, [IMAGE] * 2) == {1: 0, 2: 1}


def test_where_all_cosines_are_high_more_is_asked_for() -> None:
    """Vectors in a narrow cone: by the ordinary threshold all would be one group."""
    generator = np.random.default_rng(5)
    cone = np.concatenate([np.ones((60, 1)), 0.02 * generator.normal(size=(60, 30))], axis=1)
    cone = np.concatenate([cone, cone[:1] + 1e-4 * generator.normal(size=(1, 31))])
    vectors = np.asarray(cone / np.linalg.norm(cone, axis=1, keepdims=True), np.float32)
    assert (vectors @ vectors.T).min() > NEAR
    groups = near_groups(list(range(61)), vectors, [IMAGE] * 61)
    assert groups[60] == groups[0]
    assert len(set(groups.values())) == 60


def test_pictures_that_look_alike_by_their_hashes() -> None:
    """Seven of 64 bits may differ, and 31 of 256; plain pictures have a hash of noise."""
    apart = rows(np.random.default_rng(1), 6, 50)
    prints = {
        1: stored(0b0),
        2: stored(0b1111111),
        3: stored(0b11111111 << 20),
        4: stored(1 << 63, bytes([255] * 4 + [0] * 28)),
        5: stored(1 << 63, bytes([255] * 3 + [127] + [0] * 28)),
        6: stored(0b0, contrast=3),
    }
    assert near_groups([1, 2, 3, 4, 6], apart[:5], [IMAGE] * 5, prints) == {1: 0, 2: 0, 3: 1, 4: 2, 6: 3}
    assert near_groups([1, 2, 3, 4, 5, 6], apart, [IMAGE] * 6, prints) == {1: 0, 2: 0, 3: 1, 4: 0, 5: 0, 6: 2}


@settings(max_examples=30)
@given(st.integers(0, 10**6))
def test_no_two_of_different_groups_are_near(seed: int) -> None:
    generator = np.random.default_rng(seed)
    vectors = rows(generator, 60, 3)
    contents = generator.integers(0, 40, 60).tolist()
    modalities = [IMAGE if generator.random() < 0.5 else AUDIO for _ in contents]
    groups = near_groups(contents, vectors, modalities, least=0.97)
    order = generator.permutation(60)
    assert groups == near_groups([contents[i] for i in order], vectors[order], [modalities[i] for i in order], least=0.97)
    near = (vectors @ vectors.T >= 0.97) & (np.array(modalities)[:, None] == np.array(modalities)[None])
    for one, other in np.argwhere(near).tolist():
        assert groups[contents[one]] == groups[contents[other]]
