import numpy as np
import pytest

from anyseek.encoders.starter import conse

AXES = np.eye(4, dtype=np.float32)


def test_combine_by_hand():
    probabilities = np.array([0.6, 0.3, 0.1, 0.0], np.float32)
    row = conse.combine(probabilities, AXES, top=2, power=1)
    np.testing.assert_allclose(row, np.array([2, 1, 0, 0]) / np.sqrt(5), rtol=1e-6)
    assert row.dtype == np.float32


def test_power_flattens():
    row = conse.combine(np.array([0.64, 0.16, 0, 0], np.float32), AXES, top=4, power=0.5)
    np.testing.assert_allclose(row, np.array([2, 1, 0, 0]) / np.sqrt(5), rtol=1e-6)


def test_a_short_label_row_counts_for_less():
    labels = AXES.copy()
    labels[0] *= 0.5
    np.testing.assert_allclose(conse.combine(np.array([0.5, 0.25, 0, 0]), labels, top=2, power=1), np.array([1, 1, 0, 0]) / np.sqrt(2))


def test_ties_keep_the_first_labels():
    np.testing.assert_array_equal(conse.combine(np.full(4, 0.25), AXES, top=1, power=1), AXES[0])


def test_softmax_of_large_numbers():
    np.testing.assert_allclose(conse.softmax(np.array([1000.0, 1000.0 - np.log(3)])), [0.75, 0.25])


def test_sigmoid_of_large_numbers():
    np.testing.assert_allclose(conse.sigmoid(np.array([-1000.0, 0.0, np.log(3), 1000.0])), [0, 0.5, 0.75, 1])


def test_pool_is_the_root_mean_square():
    np.testing.assert_allclose(conse.pool(np.array([[0.6, 0.0], [0.8, 0.0]])), [np.sqrt(0.5), 0])


def test_unit():
    np.testing.assert_allclose(conse.unit(np.array([3.0, 4.0])), [0.6, 0.8], rtol=1e-6)


@pytest.mark.parametrize("top", [1, 4, 10])
def test_top_may_exceed_the_labels(top):
    assert conse.combine(np.full(4, 0.25), AXES, top=top, power=1).shape == (4,)
