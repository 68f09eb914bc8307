"""The parts share no file and nothing nearly like it, whatever the pairs are; texts are spread; the order of input is of no matter."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pairing import examples_of, rows

from anyseek.errors import BadInput
from anyseek.training.examples import Examples
from anyseek.training.groups import near_groups
from anyseek.training.split import CROSSING, split
from anyseek.types import Modality


@st.composite
def many(draw: st.DrawFn) -> Examples:
    """Any pairs of texts and files with files, in any groups."""
    groups = draw(st.lists(st.integers(0, 12), min_size=1, max_size=40))
    asked = draw(st.lists(st.integers(-1, 15), min_size=1, max_size=10))
    edge = st.tuples(st.integers(0, len(asked) - 1), st.integers(0, len(groups) - 1), st.booleans())
    return examples_of(draw(st.lists(edge, min_size=1, max_size=80)), groups, asked)


@settings(max_examples=200)
@given(many(), st.integers(0, 2**32))
def test_no_group_is_in_two_parts(examples: Examples, seed: int) -> None:
    parts = split(examples, seed)
    masks = np.stack([parts.train, parts.validation, parts.test])
    assert masks.sum(axis=0).max() <= 1
    of_group: dict[int, set[int]] = {}
    for part, mask in enumerate(masks):
        for edge in np.flatnonzero(mask).tolist():
            touched = {int(examples.groups[examples.target_of[edge]]), int(examples.query_groups[examples.query_of[edge]])} - {-1}
            for group in touched:
                of_group.setdefault(group, set()).add(part)
    assert all(len(in_parts) == 1 for in_parts in of_group.values())
    assert int((masks.sum(axis=0) == 0).sum()) == parts.left_out.get(CROSSING, 0)


@settings(max_examples=60)
@given(st.integers(0, 10**6), st.integers(2, 60), st.integers(1, 8))
def test_no_two_files_of_different_parts_are_nearly_the_same(seed: int, count: int, words: int) -> None:
    """From vectors to parts: whatever lies within the threshold of each other is on one side, however they hang together."""
    generator = np.random.default_rng(seed)
    vectors = rows(generator, count, 3)
    groups = near_groups(list(range(count)), vectors, [Modality.IMAGE] * count, least=0.9)
    edges = [(int(generator.integers(words)), row, True) for row in range(count)]
    parts = np.array(_part(split(examples_of(edges, [groups[row] for row in range(count)]), seed)))
    assert (parts >= 0).all()
    near = vectors @ vectors.T >= 0.9
    assert (parts[:, None] == parts)[near].all()


@settings(max_examples=50)
@given(many(), st.integers(0, 2**32))
def test_the_same_seed_gives_the_same_parts(examples: Examples, seed: int) -> None:
    one, other = split(examples, seed), split(examples, seed)
    for name in ("train", "validation", "test"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


def by_part(examples: Examples, seed: int = 0) -> list[Counter[int]]:
    """How many groups of right answers each query has in each part."""
    parts = split(examples, seed)
    pairs = {(int(q), int(examples.groups[t]), p) for q, t, p in zip(examples.query_of, examples.target_of, _part(parts), strict=True)}
    return [Counter(query for query, _, part in pairs if part == number) for number in range(3)]


def _part(parts: object) -> list[int]:
    masks = np.stack([getattr(parts, name) for name in ("train", "validation", "test")])
    return [int(np.argmax(masks[:, edge])) if masks[:, edge].any() else -1 for edge in range(masks.shape[1])]


@pytest.mark.parametrize("seed", range(5))
def test_texts_are_spread(seed: int) -> None:
    """Three words of ten groups each, of which one has ten files to a group."""
    edges, groups = [], []
    for query in range(3):
        for group in range(10):
            for _ in range(10 if query == 2 else 1):
                edges.append((query, len(groups), True))
                groups.append(10 * query + group)
    train, validation, test = by_part(examples_of(edges, groups), seed)
    assert train == {0: 7, 1: 7, 2: 7}
    assert all(validation[query] + test[query] == 3 and validation[query] in (1, 2) for query in range(3))


@pytest.mark.parametrize(("count", "taught"), [(2, 1), (3, 2), (4, 3), (5, 3), (6, 4), (7, 5), (20, 14), (100, 70)])
def test_few_groups_of_a_text(count: int, taught: int) -> None:
    train, validation, test = by_part(examples_of([(0, row, True) for row in range(count)], list(range(count))))
    assert train[0] == taught
    assert count < 5 or (validation[0] and test[0])
    assert abs(validation[0] - test[0]) <= 1


def test_captions_of_one_file_each_are_shared_out() -> None:
    """Nothing is spread, so that the shares hold of all of them; and the first of the alphabet are not all in one part."""
    examples = examples_of([(row, row, True) for row in range(2000)], list(range(2000)))
    parts = split(examples, 3)
    counts = [int(mask.sum()) for mask in (parts.train, parts.validation, parts.test)]
    assert sum(counts) == 2000
    np.testing.assert_allclose(counts, [1400, 300, 300], atol=60)
    assert abs(int(parts.train[:1000].sum()) - int(parts.train[1000:].sum())) < 80


def test_frequent_words_and_rare_ones_at_once() -> None:
    """Each file has a keyword of its own class, and one that half of them have."""
    edges = [(row % 20, row, True) for row in range(400)] + [(20, row, True) for row in range(0, 400, 2)]
    train, validation, test = by_part(examples_of(edges, list(range(400))))
    assert all(train[query] == 14 and validation[query] == test[query] == 3 for query in range(20))
    assert abs(train[20] - 140) <= 10
    assert abs(validation[20] - 30) <= 10


def test_a_text_of_one_file_is_learnt_where_others_can_judge() -> None:
    """A long tail: were its only file held out, nothing of it could be learnt. Where most texts are like that, some of them must judge."""
    tail = [(1 + row, 60 + row, True) for row in range(59)]
    examples = examples_of([(0, row, True) for row in range(60)] + tail, list(range(119)))
    parts = split(examples, 0)
    assert parts.train[60:].all()
    assert int(parts.train[:60].sum()) == 42
    more = examples_of([(0, row, True) for row in range(60)] + [*tail, (60, 119, True)], list(range(120)))
    held_out = split(more, 0)
    assert not held_out.train[60:].all()


def test_captions_of_each_file_do_not_keep_its_keywords_from_being_spread() -> None:
    edges = [(row // 10, row, True) for row in range(100)] + [(10 + row, row, True) for row in range(100)]
    train, validation, test = by_part(examples_of(edges, list(range(100))))
    assert all(train[query] == 7 and validation[query] in (1, 2) and test[query] in (1, 2) for query in range(10))


def test_what_is_wrong_follows_its_target() -> None:
    edges = [(0, row, True) for row in range(20)] + [(1, row, False) for row in range(20)]
    parts = split(examples_of(edges, list(range(20))), 0)
    for mask in (parts.train, parts.validation, parts.test):
        np.testing.assert_array_equal(mask[:20], mask[20:])


def test_pairs_of_files_stay_together() -> None:
    """A sound for each of a hundred pictures: none is torn apart."""
    edges = [(row, row, True) for row in range(100)]
    parts = split(examples_of(edges, list(range(100)), query_groups=list(range(100, 200))), 0)
    assert not parts.left_out
    assert abs(int(parts.train.sum()) - 70) <= 15


def test_a_lump_is_torn_apart_and_told() -> None:
    """One sound for all of fifty pictures: only as many stay with it as make no lump."""
    edges = [(0, row, True) for row in range(50)]
    examples = examples_of(edges, list(range(50)), query_groups=[50])
    parts = split(examples, 0)
    lost = parts.left_out[CROSSING]
    assert 0 < lost <= 46
    assert int(parts.train.sum() + parts.validation.sum() + parts.test.sum()) == 50 - lost


def test_shares() -> None:
    examples = examples_of([(0, row, True) for row in range(10)], list(range(10)))
    parts = split(examples, 0, (1, 0, 0))
    assert parts.train.all()
    halves = split(examples, 0, (0.5, 0, 0.5))
    assert (int(halves.train.sum()), int(halves.validation.sum()), int(halves.test.sum())) == (5, 0, 5)
    for wrong in ((0.7, 0.2), (0.5, 0.5, 0.5), (0, 0.5, 0.5), (1.2, -0.1, -0.1)):
        with pytest.raises(BadInput, match="three that make 1"):
            split(examples, 0, wrong)


def test_nothing_at_all() -> None:
    assert split(examples_of([], []), 0).left_out == {}
