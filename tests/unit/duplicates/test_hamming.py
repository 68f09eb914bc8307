import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anyseek.duplicates import hamming
from anyseek.duplicates.hamming import bits_set, pairs_within

HASH = st.integers(0, 2**64 - 1)


def brute(hashes: list[int], distance: int) -> list[list[int]]:
    return [
        [one, other]
        for one in range(len(hashes))
        for other in range(one + 1, len(hashes))
        if (hashes[one] ^ hashes[other]).bit_count() <= distance
    ]


@st.composite
def related_hashes(draw: st.DrawFn) -> list[int]:
    """Random ones would hardly ever be near each other: most are another one with some bits turned."""
    hashes = draw(st.lists(HASH, min_size=1, max_size=4))
    for _ in range(draw(st.integers(0, 24))):
        turned = draw(st.lists(st.integers(0, 63), max_size=14))
        hashes.append(draw(st.sampled_from(hashes)) ^ sum(1 << bit for bit in set(turned)))
    return list(dict.fromkeys(hashes))


@given(related_hashes(), st.integers(0, 11))
def test_all_pairs_are_found_and_no_others(hashes: list[int], distance: int) -> None:
    assert pairs_within(np.array(hashes, np.uint64), distance).tolist() == brute(hashes, distance)


@pytest.mark.parametrize("block", [1, 7, 1 << 22])
def test_the_size_of_blocks_changes_nothing(monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    monkeypatch.setattr(hamming, "BLOCK", block)
    random = np.random.default_rng(3)
    near = random.integers(0, 2**64, dtype=np.uint64) ^ (np.uint64(1) << np.arange(40, dtype=np.uint64))
    hashes = np.concatenate([near, random.integers(0, 2**64, 40, dtype=np.uint64)])
    found = pairs_within(hashes, 2)
    assert len(found) == 40 * 39 // 2
    assert found.tolist() == brute([int(one) for one in hashes], 2)


@pytest.mark.parametrize("count", [0, 1])
def test_few_have_no_pairs(count: int) -> None:
    assert pairs_within(np.arange(count, dtype=np.uint64), 7).shape == (0, 2)


def test_bits_are_counted_with_an_old_numpy_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    words = np.array([[0, 1, 2**64 - 1], [2**63, 0xF0F0, 12345678901234567]], np.uint64)
    wanted = [[int(word).bit_count() for word in row] for row in words]
    assert bits_set(words).tolist() == wanted
    monkeypatch.delattr(np, "bitwise_count", raising=False)
    assert bits_set(words).tolist() == wanted
