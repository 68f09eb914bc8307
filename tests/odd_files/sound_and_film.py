"""Makers of odd sounds and films."""

from __future__ import annotations

import os
import struct
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from films import ordinary_priority

os.environ.setdefault("SVT_LOG", "1")  # the AV1 encoder tells its whole configuration otherwise

Maker = Callable[[Path], None]
RATE = 16_000


def tone(seconds: float, rate: int = RATE, channels: int = 1, hertz: float = 440.0) -> np.ndarray:
    """(samples, channels) float32 of a sine at half of full scale."""
    wave = 0.5 * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)
    return np.repeat(wave.astype(np.float32)[:, None], channels, axis=1)


def wav_bytes(samples: np.ndarray, rate: int = RATE, bits: int = 16) -> bytes:
    """RIFF WAVE of (samples, channels) float32, as integers of 8, 16 or 24 bits, or as floats of 32."""
    channels = samples.shape[1]
    if bits == 32:
        data, code = samples.astype("<f4").tobytes(), 3
    else:
        whole = np.rint(samples.astype(np.float64) * (2 ** (bits - 1) - 1)).astype("<i4")
        data, code = (
            (whole + 128).astype(np.uint8).tobytes() if bits == 8 else whole.view(np.uint8).reshape(-1, 4)[:, : bits // 8].tobytes(),
            1,
        )
    frame = channels * bits // 8
    head = struct.pack("<4sIHHIIHH", b"fmt ", 16, code, channels, rate, rate * frame, frame, bits)
    body = b"WAVE" + head + struct.pack("<4sI", b"data", len(data)) + data
    return b"RIFF" + struct.pack("<I", len(body)) + body


def wav(samples: np.ndarray, bits: int = 16) -> Maker:
    return lambda path: path.write_bytes(wav_bytes(samples, bits=bits)) and None


def with_nan() -> np.ndarray:
    samples = tone(2.0)
    samples[1000:1010] = np.nan
    samples[2000] = np.inf
    return samples


def sound(path: Path, *, codec: str, format: str, rate: int = RATE, channels: int = 1, seconds: float = 2.0) -> None:  # noqa: A002
    """A tone in that container and codec."""
    with av.open(str(path), "w", format=format) as container:
        _encode_sound(container, _sound_track(container, codec, rate, channels), seconds)


@ordinary_priority()
def film(
    path: Path,
    *,
    codec: str = "libx264",
    format: str = "mp4",  # noqa: A002
    size: tuple[int, int] = (64, 48),
    at: Sequence[float] = tuple(number / 10 for number in range(30)),
    pixels: str = "yuv420p",
    sound_codec: str | None = None,
    options: dict[str, str] | None = None,
    codec_options: dict[str, str] | None = None,
) -> None:
    """A film whose frames, shown at the seconds `at`, are red in the first half and blue in the second."""
    with av.open(str(path), "w", format=format, options=options or {}) as container:
        track = container.add_stream(codec, rate=10, options=codec_options or {})
        track.width, track.height = size
        track.pix_fmt = pixels
        track.codec_context.time_base = Fraction(1, 1000 if codec != "mpeg2video" else 10)
        heard = _sound_track(container, sound_codec, 48_000, 1) if sound_codec else None
        ticks = track.codec_context.time_base.denominator
        for second in at:
            colour = (200, 30, 40) if second < at[-1] / 2 else (10, 20, 220)
            frame = av.VideoFrame.from_ndarray(np.full((size[1], size[0], 3), colour, np.uint8), "rgb24")
            frame.pts = round(second * ticks)
            frame.time_base = Fraction(1, ticks)
            for packet in track.encode(frame.reformat(format=pixels)):
                container.mux(packet)
        for packet in track.encode(None):
            container.mux(packet)
        if heard is not None:
            _encode_sound(container, heard, at[-1])


def _sound_track(container: av.container.OutputContainer, codec: str, rate: int, channels: int) -> av.AudioStream:
    return container.add_stream(codec, rate=rate, layout="mono" if channels == 1 else "stereo")


def _encode_sound(container: av.container.OutputContainer, track: av.AudioStream, seconds: float) -> None:
    rate, layout = track.codec_context.sample_rate, track.codec_context.layout.name
    samples = tone(seconds, rate, track.codec_context.layout.nb_channels)
    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples.T), "fltp", layout)
    frame.sample_rate = rate
    frame.pts, frame.time_base = 0, Fraction(1, rate)
    resampler = av.AudioResampler(
        format=track.codec_context.format, layout=layout, rate=rate, frame_size=track.codec_context.frame_size or 1024
    )
    for piece in (*resampler.resample(frame), *resampler.resample(None)):
        for packet in track.encode(piece):
            container.mux(packet)
    for packet in track.encode(None):
        container.mux(packet)


def filmed(**how: object) -> Maker:
    return lambda path: film(path, **how)


def sounding(**how: object) -> Maker:
    return lambda path: sound(path, **how)


def cut(make: Maker, share: float) -> Maker:
    """Only the first `share` of the bytes arrived."""

    def made(path: Path) -> None:
        make(path)
        data = path.read_bytes()
        path.write_bytes(data[: int(len(data) * share)])

    return made


def rotated_film(path: Path) -> None:
    """A film to be turned by 90 degrees, which MP4 says with a matrix in the track's header."""
    film(path)
    data = bytearray(path.read_bytes())
    matrix = data.index(b"tkhd") + 4 + 40
    struct.pack_into(">9i", data, matrix, 0, 65536, 0, -65536, 0, 0, 48 << 16, 0, 1 << 30)
    path.write_bytes(data)


def corrupt_film(path: Path) -> None:
    """Single bytes of the pictures are changed, the index is whole."""
    film(path, size=(128, 96), at=[number / 10 for number in range(60)], options={"movflags": "faststart"}, codec_options={"g": "10"})
    data = bytearray(path.read_bytes())
    payload = data.index(b"mdat") + 1000
    for at in np.random.default_rng(3).integers(payload, len(data), 12):
        data[at] ^= 0x55
    path.write_bytes(data)


def changing_mp3(path: Path) -> None:
    """44.1 kHz stereo, then 22.05 kHz mono in the same file."""
    parts = []
    for rate, channels in ((44_100, 2), (22_050, 1)):
        sound(path, codec="libmp3lame", format="mp3", rate=rate, channels=channels, seconds=3.0)
        parts.append(path.read_bytes())
    path.write_bytes(b"".join(parts))


def playlist_behind_id3(path: Path) -> None:
    """An ID3 tag, as an MP3 has, and then a playlist: FFmpeg skips the one and would follow the other."""
    path.write_bytes(b"ID3\x03\0\0\0\0\0\x0a" + b"\0" * 10 + b"#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\nplain.wav\n#EXT-X-ENDLIST\n")
