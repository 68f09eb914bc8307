import numpy as np
import pytest

from anyseek.encoders.starter import audio


def sweep():
    """Two seconds that rise from 200 to 1400 Hz."""
    t = np.arange(32_000) / 16_000
    return (0.4 * np.sin(2 * np.pi * (200 + 300 * t) * t)).astype(np.float32)


def test_log_mel_equals_the_original_front_end():
    # Printed by the published YAMNet's own TensorFlow graph for the same sweep.
    spectrogram = audio.log_mel(sweep())
    assert spectrogram.shape == (198, 64)
    np.testing.assert_allclose(spectrogram[0, :5], [2.43428, 3.4747, 3.65344, 2.99324, 0.49718], atol=5e-5)
    beginning = [-4.27562, -5.21751, -3.79614, -2.88204, -2.66225, -2.80481, -1.55395, -0.18294, 1.74049, 3.51632, 3.8017, 2.99953]
    np.testing.assert_allclose(spectrogram[50, :12], beginning, atol=5e-5)
    np.testing.assert_allclose(spectrogram[195, 60:], [-6.87645, -6.88162, -6.88692, -6.89143], atol=2e-3)  # nearly silent: rounding shows


def test_silence_is_the_logarithm_of_the_offset():
    np.testing.assert_allclose(audio.log_mel(np.zeros(400, np.float32)), np.log(np.float32(0.001)), rtol=1e-6)


def test_a_constant_counts_nowhere_but_at_its_edges():
    # The window spreads a constant over the two lowest bins; no mel band starts below 125 Hz = bin 4.
    spectrogram = audio.log_mel(np.ones(400, np.float32))
    assert spectrogram.max() < 0


def test_a_tone_lands_in_its_band():
    t = np.arange(400) / 16_000
    for hertz in (300, 1000, 3000, 6000):
        edges = np.linspace(1127 * np.log1p(125 / 700), 1127 * np.log1p(7500 / 700), 66)
        band = np.searchsorted(edges[1:-1], 1127 * np.log1p(hertz / 700))
        assert abs(int(audio.log_mel(np.sin(2 * np.pi * hertz * t).astype(np.float32))[0].argmax()) - band) <= 1


@pytest.mark.parametrize(
    ("samples", "count"),
    [(1, 1), (15_600, 1), (15_759, 1), (15_760, 2), (23_280, 2), (23_440, 3), (160_000, 20)],
)
def test_patches_cover_the_sound(samples, count):
    # One patch is 96 frames = 15 600 samples, the next starts 48 frames = 7 680 samples later, and the last ends with the sound.
    assert audio.patches(np.ones(samples, np.float32)).shape == (count, 96, 64)


def test_the_last_patch_ends_with_the_sound():
    spectrogram = audio.log_mel(sweep())
    found = audio.patches(sweep())
    np.testing.assert_array_equal(found[0], spectrogram[:96])
    np.testing.assert_array_equal(found[1], spectrogram[48:144])
    np.testing.assert_array_equal(found[-1], spectrogram[-96:])


def test_a_short_sound_is_repeated():
    short = sweep()[:5000]
    np.testing.assert_array_equal(audio.patches(short), audio.patches(np.tile(short, 4)[:15_600]))


def test_what_is_too_loud_is_clipped():
    loud = sweep() * 5
    np.testing.assert_array_equal(audio.patches(loud), audio.patches(np.clip(loud, -1, 1)))
