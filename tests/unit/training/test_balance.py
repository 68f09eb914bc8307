"""Each means against imbalance by its switch, and none of them beyond the training part."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from pairing import examples_of

from anyseek.training.balance import TOO_ALIKE, balanced
from anyseek.training.options import Balancing
from anyseek.training.sampling import Sampling, class_weights

OFF = Balancing.off()
EXAMPLES = examples_of(
    [(0, row, True) for row in range(10)] + [(1, 10, True), (1, 11, True), (0, 12, True), (0, 13, True)],
    [0] * 5 + list(range(1, 10)),
    sources=[0] * 9 + [1] * 5,
)
TRAIN = np.array([True] * 12 + [False] * 2)


def test_nothing_is_done_where_all_is_off() -> None:
    found = balanced(EXAMPLES, TRAIN, OFF, 0)
    np.testing.assert_array_equal(found.train, TRAIN)
    np.testing.assert_array_equal(found.weights, EXAMPLES.weights)
    assert (found.draw, found.augment, found.left_out) == (None, None, {})


def test_caps() -> None:
    found = balanced(EXAMPLES, TRAIN, replace(OFF, caps=True), 0)
    assert int(found.train.sum()) == 10
    assert found.left_out == {TOO_ALIKE: 2}
    assert not (found.train & ~TRAIN).any()


def test_weights() -> None:
    """Those of the paper where each pair is seen once; of what is held out nothing changes."""
    found = balanced(EXAMPLES, TRAIN, replace(OFF, weights=True), 0)
    expected = np.repeat(class_weights([10, 2]), [10, 2])
    np.testing.assert_allclose(found.weights[TRAIN], expected / expected.mean(), rtol=1e-6)
    np.testing.assert_array_equal(found.weights[~TRAIN], [1, 1])
    together = replace(OFF, weights=True, classes=True, sources=True)
    np.testing.assert_array_equal(balanced(EXAMPLES, TRAIN, together, 0, drawn=False).weights, found.weights)
    sampled = Sampling(EXAMPLES.edges(TRAIN), EXAMPLES.source_of[TRAIN]).weights()
    np.testing.assert_array_equal(balanced(EXAMPLES, TRAIN, together, 0).weights[TRAIN], sampled)


def test_drawing_and_varying() -> None:
    for name in ("classes", "sources"):
        found = balanced(EXAMPLES, TRAIN, replace(OFF, **{name: True}), 0, batch=5)
        assert found.draw is not None
        batches = list(found.draw(np.random.default_rng(0)))
        assert [len(batch) for batch in batches] == [5, 5, 2]
        assert max(int(batch.max()) for batch in batches) < 12
        assert balanced(EXAMPLES, TRAIN, replace(OFF, **{name: True}), 0, drawn=False).draw is None
    for name in ("mixing", "noise"):
        assert balanced(EXAMPLES, TRAIN, replace(OFF, **{name: True}), 0).augment is not None
        assert balanced(EXAMPLES, TRAIN, replace(OFF, **{name: True}), 0, drawn=False).augment is None


def test_the_same_seed_does_the_same() -> None:
    one, other = (balanced(EXAMPLES, TRAIN, Balancing(), 4) for _ in range(2))
    np.testing.assert_array_equal(one.train, other.train)
    np.testing.assert_array_equal(one.weights, other.weights)
