"""A wrong pair of a word that the model knows goes; no pair of a word that it does not know ever does."""

from __future__ import annotations

import numpy as np
import pytest
from pairing import examples_of, rows

from anyseek.training.examples import Examples
from anyseek.training.selection import agreeing


def setting(known: bool, answers: int = 8, wrong: int = 1, seed: int = 0, others: int = 40) -> Examples:
    """A word whose right files lie about it, or anywhere else together; the last of its pairs name files of other words."""
    generator = np.random.default_rng(seed)
    word = rows(generator, 1, 32)
    centre = word if known else rows(generator, 1, 32)
    right = centre + 0.5 * rows(generator, answers - wrong, 32)
    away = rows(generator, others, 32)
    targets = np.concatenate([right, away])
    targets = np.asarray(targets / np.linalg.norm(targets, axis=1, keepdims=True), np.float32)
    worst = np.argsort(targets[len(right) :] @ word[0])[:wrong] + len(right)
    rest = [row for row in range(len(right), len(targets)) if row not in worst]
    edges = [(0, row, True) for row in range(len(right))] + [(0, int(row), True) for row in worst] + [(1, row, True) for row in rest]
    return examples_of(edges, list(range(len(targets))), vectors=(np.concatenate([word, rows(generator, 1, 32)]), targets))


def test_a_wrong_pair_of_a_known_word_goes() -> None:
    for seed in range(20):
        examples = setting(known=True, seed=seed)
        kept = agreeing(examples, np.ones(len(examples), bool))
        assert kept[:7].all()
        assert not kept[7]


@pytest.mark.parametrize("seed", range(20))
def test_no_pair_of_an_unknown_word_goes(seed: int) -> None:
    """Its files are like each other, but nobody knows that it means them; half of them are less like it than others are."""
    examples = setting(known=False, seed=seed, wrong=0)
    assert agreeing(examples, np.ones(len(examples), bool)).all()


def test_words_with_few_files_are_left_alone() -> None:
    for examples in (setting(known=True, answers=3), setting(known=True, others=7)):
        assert agreeing(examples, np.ones(len(examples), bool))[:3].all()


def test_only_what_is_asked_about_is_looked_at() -> None:
    examples = setting(known=True)
    mask = np.ones(len(examples), bool)
    mask[7] = False
    np.testing.assert_array_equal(agreeing(examples, mask), mask)
    mask = np.zeros(len(examples), bool)
    mask[:8] = True  # without others there is no telling
    np.testing.assert_array_equal(agreeing(examples, mask), mask)


def test_wrong_pairs_stay() -> None:
    examples = setting(known=True)
    examples.positive[7] = False
    assert agreeing(examples, np.ones(len(examples), bool)).all()
