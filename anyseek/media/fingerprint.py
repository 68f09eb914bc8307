"""What a picture, a film or a sound is like to the eye and the ear, in few bytes: for telling copies of it that are not the same bytes.

Unlike a vector, which says what is to be seen, a fingerprint says how its pixels and its spectrum lie: two dogs have none in common, and
one photo in two formats has nearly the same one. Fingerprints are stored; `VERSION` is the first byte of each, and another one means that
it has to be taken anew.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from ..errors import FailureCode, MediaError
from ..types import Kind, Modality, Picture
from .audio import windows
from .containers import summarize
from .frames_pyav import PyavFrames
from .image import ImageFile
from .protocol import DecodeOptions, Limits, Tick

__all__ = ["FRAME_STEP_MS", "PICTURE", "SOUND_STEP_MS", "VERSION", "film_fingerprint", "fingerprint", "picture_fingerprint", "sound_hashes"]

VERSION = 1

PICTURE = np.dtype([("version", "u1"), ("contrast", "u1"), ("blue", "u1"), ("red", "u1"), ("coarse", "<u8"), ("fine", "u1", 32)])
"""A picture: the deviation of its grey, its mean Cb and Cr, and its perceptual hash (pHash) in 64 and in 256 bits."""

FRAME_STEP_MS = 500
SOUND_STEP_MS = 64

_PICTURE_SIZE = 128
_FRAME_SIZE = 64
_FLAT = 4.0  # deviation of grey below which a picture is plain, and its hash that of its noise
_RATE = 8_000
_WINDOW_MS = 32_000
_SLACK_MS = 2.0
_STEP = _RATE * SOUND_STEP_MS // 1000
_SPAN = 3_200
_BANDS_HZ = (300, 2_000, 33)
_SILENT = 1e-6  # mean power, -60 dB of full scale


def fingerprint(path: Path, kind: Kind, limits: Limits | None = None, tick: Tick = lambda: None) -> bytes:
    """Take the fingerprint of a file.

    Args:
        path: A local file.
        kind: What it is.
        limits: See `Limits`.
        tick: Called at least once a second of work; what it raises ends the work.

    Returns:
        One `PICTURE`, or what `anyseek.duplicates.films.Track` reads: the version, the count of frames as four bytes, then
        little-endian hashes of frames (8 bytes each, one every `FRAME_STEP_MS`) and of sound (4 bytes, one every `SOUND_STEP_MS`), where
        0 stands for what is plain, silent or missing.

    Raises:
        MediaError: It cannot be read, or is something else by now.
    """
    limits = limits or Limits()
    return picture_fingerprint(path, limits) if kind is Kind.IMAGE else film_fingerprint(path, kind, limits, tick)


def picture_fingerprint(path: Path, limits: Limits) -> bytes:
    """Take the fingerprint of a picture, upright; of several frames or pages that of the first."""
    options = DecodeOptions(modalities=frozenset({Modality.IMAGE}), image_size=_PICTURE_SIZE, limits=limits)
    with ImageFile(path, options) as file:
        first = next(iter(file.segments()))
    assert isinstance(first, Picture)
    from imagehash import phash
    from PIL import Image

    image = Image.fromarray(first.pixels)
    _, blue, red = (round(float(np.asarray(band).mean())) for band in image.convert("YCbCr").split())
    contrast = min(255, int(np.asarray(image.convert("L"), np.float32).std()))
    coarse = _packed(phash(image).hash)
    fine = np.packbits(phash(image, hash_size=16).hash)
    return np.array([(VERSION, contrast, blue, red, coarse, fine)], PICTURE).tobytes()


def film_fingerprint(path: Path, kind: Kind, limits: Limits, tick: Tick) -> bytes:
    """Take the fingerprint of a film, seen and heard, or of a sound."""
    summary = summarize(path, limits)
    if (Kind.VIDEO if summary.has_picture else Kind.AUDIO) is not kind:
        raise MediaError(FailureCode.CHANGED, "it is something else by now", path)
    frames = _frame_hashes(path, limits, tick) if summary.has_picture else np.zeros(0, np.uint64)
    heard = np.zeros(0, np.uint32)
    if summary.has_sound:
        try:
            heard = _heard(path, limits, summary.starts_at_ms if summary.has_picture else None, tick)
        except MediaError:
            if not len(frames):
                raise  # a film whose sound is damaged has its pictures still
    return bytes([VERSION]) + len(frames).to_bytes(4, "little") + frames.astype("<u8").tobytes() + heard.astype("<u4").tobytes()


def _frame_hashes(path: Path, limits: Limits, tick: Tick) -> npt.NDArray[np.uint64]:
    from imagehash import phash
    from PIL import Image

    reader = PyavFrames()
    times, hashes = [], []
    for frame in reader.frames(path, interval_ms=FRAME_STEP_MS, image_size=_FRAME_SIZE, limits=limits, tick=tick):
        image = Image.fromarray(frame.pixels).convert("L")
        flat = float(np.asarray(image, np.float32).std()) < _FLAT
        times.append(frame.at_ms)
        hashes.append(0 if flat else _packed(phash(image).hash))
    steps = np.arange(0, max(reader.end_ms, 1), FRAME_STEP_MS)
    return np.array(hashes, np.uint64)[np.maximum(np.searchsorted(times, steps, side="right") - 1, 0)]


def _heard(path: Path, limits: Limits, zero_ms: float | None, tick: Tick) -> npt.NDArray[np.uint32]:
    """The hashes of a sound track, by their time."""
    parts: list[tuple[int, npt.NDArray[np.uint32]]] = []
    rest, rest_ms = np.zeros(0, np.float32), 0.0
    for sound in windows(path, sample_rate=_RATE, window_ms=_WINDOW_MS, limits=limits, tick=tick, zero_ms=zero_ms):
        follows = abs(rest_ms + len(rest) * 1000 / _RATE - sound.segment.start_ms) < _SLACK_MS
        samples = np.concatenate([rest, sound.samples]) if follows else sound.samples
        rest_ms = rest_ms if follows else sound.segment.start_ms
        hashes = sound_hashes(samples)
        parts.append((round(rest_ms / SOUND_STEP_MS), hashes))
        done = max(len(hashes) - 1, 0)  # the last is taken again: the next needs it for what has changed since
        rest, rest_ms = samples[done * _STEP :], rest_ms + done * SOUND_STEP_MS
    heard = np.zeros(max((at + len(hashes) for at, hashes in parts), default=0), np.uint32)
    for at, hashes in parts:
        known = hashes != 0
        heard[at : at + len(hashes)][known] = hashes[known]
    return heard


def sound_hashes(samples: np.ndarray) -> npt.NDArray[np.uint32]:
    """Hash a stretch of sound: 32 bits for every `SOUND_STEP_MS`, each of 0.4 s.

    A bit says whether the difference in energy between two neighbouring bands has grown since the step before, as in J. Haitsma and
    T. Kalker, A Highly Robust Audio Fingerprinting System, ISMIR 2002. It is the same for a louder, a quieter and a recompressed sound.

    Args:
        samples: (n,) float32 at 8 kHz.

    Returns:
        (steps,) uint32; 0 for the first and for silence.
    """
    if len(samples) < _SPAN:
        return np.zeros(0, np.uint32)
    spans = np.lib.stride_tricks.sliding_window_view(samples, _SPAN)[::_STEP]
    power = np.abs(np.fft.rfft(spans * np.hanning(_SPAN).astype(np.float32), axis=1)) ** 2
    edges = np.geomspace(*_BANDS_HZ[:2], _BANDS_HZ[2] + 1) * _SPAN / _RATE
    bands = np.add.reduceat(power, edges.astype(np.int64), axis=1)[:, :-1]
    slopes = bands[:, :-1] - bands[:, 1:]
    bits = slopes[1:] > slopes[:-1]
    hashes = np.zeros(len(spans), np.uint32)
    hashes[1:] = bits @ (np.uint32(1) << np.arange(bits.shape[1], dtype=np.uint32))
    hashes[np.mean(np.square(spans), axis=1) < _SILENT] = 0
    return hashes


def _packed(bits: np.ndarray) -> int:
    return int.from_bytes(np.packbits(bits.ravel()).tobytes(), "big")
