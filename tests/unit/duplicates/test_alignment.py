import numpy as np
import pytest

from anyseek.duplicates.alignment import agreement_at, align, repeats, signs_of

RANDOM = np.random.default_rng(5)


def hashes(count: int, width: type[np.unsignedinteger] = np.uint32) -> np.ndarray:
    return RANDOM.integers(1, np.iinfo(width).max, count, dtype=width)


def test_hashes_are_spelt_out_and_zero_says_nothing() -> None:
    signs = signs_of(np.array([0x8000_0001, 0], np.uint32))
    assert signs.shape == (2, 32)
    assert signs[0].tolist() == [1.0] + [-1.0] * 30 + [1.0]
    assert not signs[1].any()
    assert signs_of(np.array([1], np.uint64))[0].tolist() == [-1.0] * 63 + [1.0]


def test_a_part_is_found_where_it_was_cut_out() -> None:
    whole = hashes(500)
    found = align(signs_of(whole[123:223]), signs_of(whole), 0.5)
    assert found is not None
    assert (found.offset, found.shared, found.coverage) == (123, 100, 1.0)
    assert found.agreement == pytest.approx(1.0)


def test_what_begins_before_has_a_negative_offset() -> None:
    whole = hashes(100)
    found = align(signs_of(whole[:96]), signs_of(whole[4:]), 0.5)
    assert found is not None
    assert (found.offset, found.shared) == (-4, 92)


def test_the_best_is_that_of_all_offsets_one_by_one() -> None:
    one, other = hashes(40), hashes(64)
    one[[3, 4, 17]] = 0
    other[[8, 30]] = 0
    noise = np.uint32(0xFFFF)
    other[11:51] = one ^ (hashes(40) & noise)
    long, short = signs_of(other), signs_of(one)
    found = align(short, long, 0.5)
    assert found is not None

    def told(offset: int) -> int:
        return sum(bool(one[step]) and 0 <= step + offset < 64 and bool(other[step + offset]) for step in range(40))

    possible = [offset for offset in range(-39, 64) if told(offset) >= 0.9 * 37 and min(40, 64 - offset) - max(0, -offset) >= 36]
    assert found.offset == max(possible, key=lambda offset: agreement_at(short, long, offset)) == 11
    assert found.agreement == pytest.approx(agreement_at(short, long, 11))
    rows = [float(short[step] @ long[step + 11]) / 32 for step in range(40) if one[step] and other[step + 11]]
    assert found.agreement == pytest.approx(np.mean(rows))


def test_a_half_that_fits_does_not_make_up_for_one_that_does_not() -> None:
    whole = hashes(200)
    half = np.concatenate([whole[50:90], hashes(40)])
    found = align(signs_of(half), signs_of(whole), 0.4)
    assert found is not None
    assert found.offset == 50
    assert found.agreement == pytest.approx(0.5, abs=0.05)
    assert found.coverage == 0.5


def test_silence_aligns_with_nothing() -> None:
    assert align(signs_of(np.zeros(20, np.uint32)), signs_of(hashes(50)), 0.5) is None


def test_where_only_the_ends_overlap_nothing_is_said() -> None:
    whole = hashes(150)
    found = align(signs_of(whole[:100]), signs_of(whole[50:]), 0.5)
    assert found is not None
    assert found.agreement < 0.3


def test_a_sequence_that_stands_still_repeats_itself() -> None:
    still = np.full(60, 0xDEAD_BEEF, np.uint32)
    assert repeats(signs_of(still), 4) == pytest.approx(1.0)
    assert repeats(signs_of(hashes(60)), 4) < 0.3
    assert repeats(signs_of(hashes(7)), 4) == 1.0
    assert repeats(signs_of(np.tile(hashes(10), 6)), 4) == pytest.approx(1.0)
