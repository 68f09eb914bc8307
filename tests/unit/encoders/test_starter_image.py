import numpy as np
import pytest

from anyseek.encoders.starter import image


def test_exact_values_of_a_plain_picture():
    pixels = np.zeros((400, 300, 3), np.uint8)
    pixels[:] = (255, 127, 0)
    network = image.network_input(pixels)
    assert network.shape == (1, 3, 260, 260)
    assert network.dtype == np.float32
    np.testing.assert_array_equal(np.unique(network[0, 0]), [1.0])
    np.testing.assert_array_equal(np.unique(network[0, 1]), [0.0])
    np.testing.assert_array_equal(np.unique(network[0, 2]), [np.float32(-127 / 128)])


def test_a_picture_of_292_is_cropped_and_nothing_else():
    pixels = np.random.default_rng(0).integers(0, 256, (292, 292, 3), dtype=np.uint8)
    expected = (pixels[16:276, 16:276].astype(np.float32) - 127) / 128
    np.testing.assert_array_equal(image.network_input(pixels)[0], expected.transpose(2, 0, 1))


@pytest.mark.parametrize("shape", [(292, 700), (700, 292)])
def test_the_middle_of_a_long_picture_is_what_counts(shape):
    pixels = np.random.default_rng(0).integers(0, 256, (*shape, 3), dtype=np.uint8)
    top, left = (shape[0] - 292) // 2, (shape[1] - 292) // 2
    np.testing.assert_array_equal(image.network_input(pixels), image.network_input(pixels[top : top + 292, left : left + 292]))


def test_shrinking_averages_instead_of_picking():
    fine = np.zeros((2920, 2920, 3), np.uint8)
    fine[:, ::2] = 254
    assert np.abs(image.network_input(fine)).max() < 0.02


def test_pinned_values():
    y, x = np.mgrid[0:300, 0:400]
    pixels = np.stack([x * 255 // 399, y * 255 // 299, (x + y) % 256], -1).astype(np.uint8)
    network = image.network_input(pixels)[0]
    np.testing.assert_array_equal(network[0, 100, 50:53], [-0.40625, -0.3984375, -0.3984375])
    np.testing.assert_array_equal(network[1, 100, 50:53], [-0.203125] * 3)
    np.testing.assert_array_equal(network[2, 100, 50:53], [0.859375, 0.8671875, 0.875])
