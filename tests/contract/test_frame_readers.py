"""What every frame reader promises: each frame is the one its label says, in order, upright, and none is missing for long."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from films import SIZE, film, number_in, numbered, sound, tone

from anyseek.errors import FailureCode, MediaError
from anyseek.media.frames_decord import DecordFrames
from anyseek.media.frames_pyav import PyavFrames
from anyseek.media.protocol import Frame, FrameReader, Limits

EVEN = [number / 25 for number in range(100)]
UNEVEN = [number / 30 for number in range(60)] + [2 + number / 5 for number in range(15)] + [5 + number / 30 for number in range(60)]
LARGE = (1000, 300)

FILMS: dict[str, Callable[[Path], tuple[Path, list[float]]]] = {
    "mp4": lambda d: (film(d / "f.mp4", at=EVEN), EVEN),
    "one key frame": lambda d: (film(d / "f.mp4", at=EVEN, gop=1000), EVEN),
    "open groups": lambda d: (film(d / "f.mkv", at=EVEN, gop=12, codec_options={"x264-params": "open-gop=1", "bf": "3"}), EVEN),
    "all key frames": lambda d: (film(d / "f.mp4", at=EVEN, gop=1), EVEN),
    "mkv": lambda d: (film(d / "f.mkv", at=EVEN), EVEN),
    "variable rate": lambda d: (film(d / "f.mp4", at=UNEVEN, gop=40), UNEVEN),
    "variable rate, one key frame": lambda d: (film(d / "f.mkv", at=UNEVEN, gop=1000), UNEVEN),
    "mpeg-ts": lambda d: (film(d / "f.ts", at=EVEN), EVEN),
    "mpeg-ts, late start": lambda d: (film(d / "f.ts", at=EVEN, mux_options={"output_ts_offset": "3600"}), EVEN),
    "mpeg-ps": lambda d: (film(d / "f.mpg", at=EVEN, codec="mpeg2video", format="vob", gop=12), EVEN),
    "vp9": lambda d: (
        film(d / "f.webm", at=EVEN[:60], codec="libvpx-vp9", codec_options={"cpu-used": "8", "deadline": "realtime"}),
        EVEN[:60],
    ),
    "av1": lambda d: (film(d / "f.mkv", at=EVEN[:60], codec="libsvtav1", codec_options={"preset": "12"}), EVEN[:60]),
    "hevc": lambda d: (film(d / "f.mp4", at=EVEN[:60], codec="libx265", codec_options={"x265-params": "log-level=none"}), EVEN[:60]),
    "10 bits": lambda d: (film(d / "f.mp4", at=EVEN, pixels="yuv420p10le"), EVEN),
    "odd size": lambda d: (film(d / "f.mp4", at=EVEN, pixels="yuv444p", paint=lambda n: numbered(n, (161, 47))), EVEN),
    "one frame": lambda d: (film(d / "f.mp4", at=[0.0]), [0.0]),
    "two a second": lambda d: (
        film(d / "f.mp4", at=[n / 2 for n in range(30)], rate=2, codec_options={"bf": "3"}),
        [n / 2 for n in range(30)],
    ),
    "starts at 7 s": lambda d: (film(d / "f.mkv", at=[7 + second for second in EVEN]), EVEN),
    "large": lambda d: (film(d / "f.mp4", at=EVEN[:30], paint=lambda n: numbered(n, LARGE)), EVEN[:30]),
}


@pytest.fixture(params=["pyav", "decord"])
def reader(request: pytest.FixtureRequest) -> FrameReader:
    return PyavFrames() if request.param == "pyav" else DecordFrames()


@pytest.fixture(scope="module", params=FILMS)
def a_film(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[float]]:
    return FILMS[request.param](tmp_path_factory.mktemp("film"))


def read(reader: FrameReader, path: Path, interval_ms: int = 1000, image_size: int = 320, **limits: int) -> list[Frame]:
    return list(reader.frames(path, interval_ms=interval_ms, image_size=image_size, limits=Limits(**limits), tick=lambda: None))


@pytest.mark.parametrize("interval_ms", [300, 1000, 2000])
def test_each_frame_is_the_one_its_label_says(reader: FrameReader, a_film: tuple[Path, list[float]], interval_ms: int) -> None:
    path, at = a_film
    for frame in read(reader, path, interval_ms):
        assert frame.at_ms == pytest.approx(1000 * at[number_in(frame.pixels)], abs=1)


@pytest.mark.parametrize("interval_ms", [300, 1000, 2000])
def test_frames_come_in_order_and_less_than_two_intervals_apart(
    reader: FrameReader, a_film: tuple[Path, list[float]], interval_ms: int
) -> None:
    path, at = a_film
    times = [frame.at_ms for frame in read(reader, path, interval_ms)]
    assert times[0] == 0
    assert times == sorted(set(times))
    step = 1000 * max((b - a for a, b in pairwise(at)), default=0)
    gaps = [after - before for before, after in zip(times, [*times[1:], 1000 * at[-1]], strict=True)]
    assert max(gaps) < 2 * interval_ms + 2 * step
    assert len(times) <= 1000 * at[-1] / interval_ms + 2


def test_the_end_is_where_the_last_frame_ends(reader: FrameReader, a_film: tuple[Path, list[float]]) -> None:
    path, at = a_film
    read(reader, path)
    last_step = 1000 * (at[-1] - at[-2]) if len(at) > 1 else 40
    assert reader.end_ms == pytest.approx(1000 * at[-1] + last_step, abs=41)


def test_large_frames_are_shrunk_to_the_short_side_and_small_ones_left(reader: FrameReader, tmp_path: Path) -> None:
    path = film(tmp_path / "f.mp4", at=EVEN[:10], paint=lambda n: numbered(n, LARGE))
    (frame,) = read(reader, path, image_size=60)
    assert frame.pixels.shape == (60, 200, 3)
    assert frame.pixels.dtype == np.uint8
    assert read(reader, path, image_size=500)[0].pixels.shape == (300, 1000, 3)


@pytest.mark.parametrize("rotation", [90, 180, -90])
def test_a_film_stands_upright(reader: FrameReader, tmp_path: Path, rotation: int) -> None:
    frames = read(reader, film(tmp_path / "f.mp4", rotation=rotation))
    for frame in frames:
        lying = np.rot90(frame.pixels, -rotation // 90)
        assert lying.shape == (SIZE[1], SIZE[0], 3)
        assert frame.at_ms == number_in(lying) * 40
        assert lying[-3, 5, 0] > 150 > lying[-3, 5, 1]  # the red floor, turned back


def test_pixels_become_square(reader: FrameReader, tmp_path: Path) -> None:
    (frame,) = read(reader, film(tmp_path / "f.mp4", at=EVEN[:5], aspect=Fraction(2, 1)))
    assert frame.pixels.shape == (48, 320, 3)


def test_colours_are_those_of_the_film(reader: FrameReader, tmp_path: Path) -> None:
    colour = (200, 30, 40)
    (frame,) = read(reader, film(tmp_path / "f.mp4", at=EVEN[:5], paint=lambda n: np.full((48, 64, 3), colour, np.uint8)))
    assert np.abs(frame.pixels.astype(int) - colour).max() <= 4


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".ts"])
def test_of_a_torn_film_what_exists_is_read(reader: FrameReader, tmp_path: Path, suffix: str) -> None:
    paint = lambda n: np.vstack([numbered(n), np.random.default_rng(n).integers(0, 255, (48, 160, 3), np.uint8)])  # noqa: E731
    whole = film(tmp_path / f"w{suffix}", paint=paint, mux_options={"movflags": "faststart"} if suffix == ".mp4" else None)
    data = whole.read_bytes()
    torn = tmp_path / f"t{suffix}"
    torn.write_bytes(data[: len(data) * 6 // 10])
    frames = read(reader, torn, 500)
    assert [frame.at_ms for frame in frames] == [number_in(frame.pixels[:48]) * 40 for frame in frames]
    assert 2000 < reader.end_ms < 2800
    assert frames[-1].at_ms < reader.end_ms


def test_a_sign_of_life_is_given(reader: FrameReader, tmp_path: Path) -> None:
    ticks: list[int] = []
    path = film(tmp_path / "f.mp4", at=EVEN[:10])
    list(reader.frames(path, interval_ms=1000, image_size=64, limits=Limits(), tick=lambda: ticks.append(1)))
    assert ticks


def test_refusals_name_their_reason(reader: FrameReader, tmp_path: Path) -> None:
    path = film(tmp_path / "f.mp4")
    no_pictures = sound(tmp_path / "s.wav", tone(1)[None])
    garbage = tmp_path / "g.mp4"
    garbage.write_bytes(path.read_bytes()[:300])
    for bad, limits, code in [
        (path, {"max_pixels": 160 * 48 - 1}, FailureCode.TOO_LARGE),
        (path, {"max_duration_ms": 1000}, FailureCode.TOO_LONG),
        (no_pictures, {}, FailureCode.NO_CONTENT),
        (garbage, {}, FailureCode.DAMAGED),
        (tmp_path / "none.mp4", {}, FailureCode.VANISHED),
    ]:
        with pytest.raises(MediaError) as caught:
            read(reader, bad, **limits)
        assert caught.value.code is code
        assert caught.value.path == bad
