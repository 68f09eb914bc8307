"""Answers are kept as long as there is room, and those that were asked for last stay longest."""

import numpy as np

from anyseek.storage.kept_ids import KeptIds


def ids(count):
    return np.arange(count, dtype=np.int64)


def test_what_was_not_asked_for_the_longest_goes_first():
    kept = KeptIds(most_bytes=800)
    for name in "abcd":
        kept.keep(name, ids(25))
    assert kept.get("a") is not None
    kept.keep("e", ids(25))
    assert kept.get("b") is None
    assert [kept.get(name) is not None for name in "acde"] == [True] * 4
    kept.keep("f", ids(60))
    assert [kept.get(name) is not None for name in "acdef"] == [False, False, False, True, True]


def test_what_is_too_large_is_kept_alone():
    kept = KeptIds(most_bytes=800)
    kept.keep("a", ids(25))
    large = ids(1000)
    kept.keep("large", large)
    assert (len(kept), kept.get("large") is large) == (1, True)
    kept.keep("b", ids(25))
    assert (len(kept), kept.get("large")) == (1, None)


def test_empty_answers_are_answers_and_are_bounded_too():
    kept = KeptIds(most_bytes=800, most=3)
    for name in "abcd":
        kept.keep(name, ids(0))
    assert len(kept) == 3
    assert kept.get("a") is None
    assert len(kept.get("d")) == 0
    kept.clear()
    assert len(kept) == 0
