"""The front end of the sound tower: samples → log-mel patches, as YAMNet was trained on.

Source: the published YAMNet (AudioSet, Apache-2.0): 16 kHz, frames of 25 ms every 10 ms, 64 mel bands from 125 to 7500 Hz,
log(mel + 0.001), patches of 96 frames (0.96 s) every 48. The tests pin it against values of the original.
"""

from __future__ import annotations

from functools import cache

import numpy as np

__all__ = ["BANDS", "MAX_AUDIO_MS", "PATCH_FRAMES", "SAMPLE_RATE", "log_mel", "patches"]

SAMPLE_RATE = 16_000
MAX_AUDIO_MS = 10_000
BANDS = 64
PATCH_FRAMES = 96
PATCH_HOP = 48

FRAME, HOP, FFT = 400, 160, 512  # samples
LOWEST_HZ, HIGHEST_HZ = 125.0, 7500.0
LOG_OFFSET = 0.001
SHORTEST = (PATCH_FRAMES - 1) * HOP + FRAME  # samples of one patch


def patches(samples: np.ndarray) -> np.ndarray:
    """Cut a window of sound into overlapping log-mel patches, (n, 96, 64) float32.

    What lies beyond [-1, 1] is clipped. A sound shorter than one patch is repeated until it fills one; the last patch ends where the
    sound ends, so that every sample but the last incomplete frame is heard and none is made up.
    """
    samples = np.clip(samples, -1, 1)
    if samples.size < SHORTEST:
        samples = np.resize(samples, SHORTEST)
    frames = log_mel(samples)
    last = len(frames) - PATCH_FRAMES
    starts = sorted({*range(0, last + 1, PATCH_HOP), last})
    return np.stack([frames[start : start + PATCH_FRAMES] for start in starts])


def log_mel(samples: np.ndarray) -> np.ndarray:
    """Compute the log-mel spectrogram, (frames, 64) float32, of (n,) samples, n of at least one frame."""
    frames = np.lib.stride_tricks.sliding_window_view(samples, FRAME)[::HOP]
    spectrum = np.abs(np.fft.rfft(frames * _hann(), FFT)).astype(np.float32)
    return np.asarray(np.log(spectrum @ _mel_weights() + np.float32(LOG_OFFSET)))


@cache
def _hann() -> np.ndarray:
    """The periodic Hann window, (400,) float32."""
    return (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(FRAME) / FRAME)).astype(np.float32)


@cache
def _mel_weights() -> np.ndarray:
    """Triangles on the HTK mel scale, (257, 64) float32; the constant part of a sound counts nowhere."""
    edges = np.linspace(_mel(LOWEST_HZ), _mel(HIGHEST_HZ), BANDS + 2)
    bins = _mel(np.linspace(0, SAMPLE_RATE / 2, FFT // 2 + 1)[1:, None])
    rising = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - bins) / (edges[2:] - edges[1:-1])
    triangles = np.maximum(0, np.minimum(rising, falling))
    return np.vstack([np.zeros((1, BANDS)), triangles]).astype(np.float32)


def _mel(hertz: float | np.ndarray) -> np.ndarray:
    return np.asarray(1127.0 * np.log1p(np.asarray(hertz, np.float64) / 700.0))
