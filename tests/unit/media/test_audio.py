"""Sound as windows: the mean of the channels, true times, and nothing a damaged file can do."""

from __future__ import annotations

import struct
import tracemalloc
import wave
from pathlib import Path

import av
import numpy as np
import pytest
from films import film, flat, remux, sound, tone

from anyseek.errors import FailureCode, MediaError
from anyseek.media.audio import is_silent, mono, windows
from anyseek.media.protocol import Limits
from anyseek.types import Modality, Sound

RATE = 16_000


def read(path: Path, window_ms: int = 5000, sample_rate: int = RATE, zero_ms: float | None = None, **limits: int) -> list[Sound]:
    return list(windows(path, sample_rate=sample_rate, window_ms=window_ms, limits=Limits(**limits), tick=lambda: None, zero_ms=zero_ms))


def rms(samples: np.ndarray) -> float:
    return float(np.sqrt(np.mean(samples.astype(np.float64) ** 2)))


def hertz(samples: np.ndarray, rate: int = RATE) -> float:
    """The strongest frequency."""
    return float(np.abs(np.fft.rfft(samples * np.hanning(len(samples)))).argmax() * rate / len(samples))


def times(sounds: list[Sound]) -> list[tuple[int, int]]:
    return [(s.segment.start_ms, s.segment.end_ms) for s in sounds]


def test_one_channel_silent_gives_half_and_not_ffmpegs_louder_downmix(tmp_path: Path) -> None:
    left = tone(2, loudness=0.5)
    path = sound(tmp_path / "s.wav", np.stack([left, np.zeros_like(left)]))
    (heard,) = read(path)
    assert rms(heard.samples) == pytest.approx(0.25 / np.sqrt(2), rel=1e-3)  # FFmpeg's own downmix gives 0.25
    assert heard.samples == pytest.approx(left / 2, abs=1e-4)
    assert heard.samples.dtype == np.float32


def test_opposite_channels_cancel(tmp_path: Path) -> None:
    left = tone(1)
    (heard,) = read(sound(tmp_path / "s.wav", np.stack([left, -left])))
    assert np.abs(heard.samples).max() < 1e-4


def test_six_channels_count_alike(tmp_path: Path) -> None:
    (heard,) = read(sound(tmp_path / "s.wav", np.stack([tone(1), *[np.zeros(RATE, np.float32)] * 5])))
    assert np.abs(heard.samples).max() == pytest.approx(0.5 / 6, rel=1e-2)


@pytest.mark.parametrize(
    ("codec", "suffix"),
    [("pcm_u8", "wav"), ("pcm_s16le", "wav"), ("pcm_s24le", "wav"), ("pcm_f32le", "wav"), ("pcm_f64le", "wav"), ("flac", "flac")],
)
def test_every_sample_format_gives_the_same(tmp_path: Path, codec: str, suffix: str) -> None:
    (heard,) = read(sound(tmp_path / f"s.{suffix}", tone(1)[None], codec=codec))
    assert heard.samples == pytest.approx(tone(1), abs=1 / 64 if codec == "pcm_u8" else 1e-4)


@pytest.mark.parametrize("rate", [8000, 11_025, 22_050, 44_100, 48_000])
def test_any_rate_becomes_the_one_asked_for(tmp_path: Path, rate: int) -> None:
    (heard,) = read(sound(tmp_path / "s.wav", tone(2, rate=rate)[None], rate=rate))
    assert len(heard.samples) == pytest.approx(2 * RATE, abs=2)
    assert hertz(heard.samples) == pytest.approx(440, abs=1)
    assert rms(heard.samples) == pytest.approx(0.5 / np.sqrt(2), rel=5e-3)


@pytest.mark.parametrize(
    ("codec", "suffix"), [("libmp3lame", "mp3"), ("aac", "m4a"), ("libopus", "ogg"), ("libopus", "webm"), ("aac", "mkv")]
)
def test_windows_follow_one_another_and_the_last_may_be_shorter(tmp_path: Path, codec: str, suffix: str) -> None:
    heard = read(sound(tmp_path / f"s.{suffix}", tone(5.5, rate=48_000)[None], rate=48_000, codec=codec), 2000)
    assert times(heard)[:2] == [(0, 2000), (2000, 4000)]
    assert heard[2].segment.start_ms == 4000
    assert heard[2].segment.end_ms == pytest.approx(5500, abs=45)  # AAC in Matroska keeps its last frame whole
    assert [len(s.samples) for s in heard[:2]] == [2 * RATE] * 2
    assert all(s.segment.modality is Modality.AUDIO and s.segment.frame_ms is None for s in heard)


def test_a_remainder_too_short_to_say_anything_is_dropped_unless_it_is_all(tmp_path: Path) -> None:
    assert times(read(sound(tmp_path / "a.wav", tone(2.2)[None]), 1000)) == [(0, 1000), (1000, 2000)]
    assert times(read(sound(tmp_path / "b.wav", tone(2.3)[None]), 1000)) == [(0, 1000), (1000, 2000), (2000, 2300)]
    assert times(read(sound(tmp_path / "c.wav", tone(0.1)[None]), 1000)) == [(0, 100)]


def test_what_is_no_number_is_silence_and_what_is_too_loud_is_clipped(tmp_path: Path) -> None:
    samples = tone(1)
    samples[100:110], samples[200], samples[300], samples[400] = np.nan, np.inf, -np.inf, 1717.0
    data = samples.astype("<f4").tobytes()
    head = b"WAVE" + struct.pack("<4sIHHIIHH", b"fmt ", 16, 3, 1, RATE, RATE * 4, 4, 32) + struct.pack("<4sI", b"data", len(data))
    path = tmp_path / "s.wav"
    path.write_bytes(b"RIFF" + struct.pack("<I", len(head) + len(data)) + head + data)
    (heard,) = read(path)
    assert not heard.samples[100:110].any()
    assert heard.samples[[200, 300, 400]].tolist() == [1.0, -1.0, 1.0]
    (slower,) = read(path, sample_rate=8000)
    assert np.isfinite(slower.samples).all()
    assert np.abs(slower.samples).max() <= 1


def test_numbers_too_large_for_single_precision_are_clipped() -> None:
    frame = av.AudioFrame.from_ndarray(np.array([[1e300, -1e300, np.nan, 0.25]]), format="dblp", layout="mono")
    assert mono(frame).tolist() == [1.0, -1.0, 0.0, 0.25]


@pytest.mark.parametrize("layout", ["7.1", "hexadecagonal", "23 channels"])
def test_eight_channels_and_more_crash_nothing(layout: str) -> None:
    channels = av.AudioLayout(layout).nb_channels
    packed = av.AudioFrame.from_ndarray(np.tile(np.float32([0.5] + [0.0] * (channels - 1)), 1024)[None], format="flt", layout=layout)
    packed.sample_rate = RATE
    (planar,) = av.AudioResampler(format="fltp", layout=layout, rate=RATE).resample(packed)
    assert planar.format.is_planar
    assert mono(planar) == pytest.approx(np.full(1024, 0.5 / channels), rel=1e-6)


def test_cinema_sound_in_aac_is_read(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "s.m4a"), "w") as container:
        track = container.add_stream("aac", rate=48_000, layout="7.1")
        packed = av.AudioFrame.from_ndarray(np.repeat(tone(2, rate=48_000), 8)[None], format="flt", layout="7.1")
        packed.sample_rate, packed.pts = 48_000, 0
        resampler = av.AudioResampler(format="fltp", layout="7.1", rate=48_000, frame_size=1024)
        for frame in (*resampler.resample(packed), *resampler.resample(None), None):
            for packet in track.encode(frame):
                container.mux(packet)
    (heard,) = read(tmp_path / "s.m4a")
    assert hertz(heard.samples) == pytest.approx(440, abs=1)
    assert rms(heard.samples) == pytest.approx(0.5 * 7 / 8 / np.sqrt(2), rel=0.03)  # AAC keeps no high tones in the bass channel


def test_a_file_whose_format_changes_half_way_is_read_to_its_end(tmp_path: Path) -> None:
    one = sound(tmp_path / "1.mp3", np.stack([tone(3, hertz=440, rate=44_100)] * 2), rate=44_100, codec="libmp3lame")
    two = sound(tmp_path / "2.mp3", tone(3, hertz=1000, rate=48_000)[None], rate=48_000, codec="libmp3lame")
    both = tmp_path / "both.mp3"
    both.write_bytes(one.read_bytes() + two.read_bytes())
    heard = read(both, 1000)
    assert heard[-1].segment.end_ms == pytest.approx(6000, abs=150)
    assert [round(hertz(s.samples), -1) for s in heard[:2] + heard[4:6]] == [440, 440, 1000, 1000]
    assert rms(heard[0].samples) == pytest.approx(rms(heard[4].samples), rel=0.02)


def test_broken_packets_leave_a_hole_and_what_follows_keeps_its_time(tmp_path: Path) -> None:
    samples = np.concatenate([tone(4, hertz=440, rate=48_000), tone(4, hertz=1000, rate=48_000)])
    path = sound(tmp_path / "s.mkv", samples[None], rate=48_000, codec="aac")
    holed = remux(path, tmp_path / "h.mkv", lambda packet: not 1.5 < float(packet.pts * packet.time_base) < 3.0)
    heard = read(holed, 1000)
    assert times(heard)[0] == (0, 1000)
    assert heard[1].segment.end_ms == pytest.approx(1500, abs=60)
    assert heard[2].segment.start_ms == pytest.approx(3000, abs=60)
    after = [s for s in heard if s.segment.start_ms >= 4000]
    assert [round(hertz(s.samples), -1) for s in after[:2]] == [1000, 1000]
    assert heard[-1].segment.end_ms == pytest.approx(8000, abs=60)


def test_garbage_inside_an_mp3_costs_no_more_than_itself(tmp_path: Path) -> None:
    path = sound(tmp_path / "s.mp3", tone(10, rate=44_100)[None], rate=44_100, codec="libmp3lame")
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 3000] = np.random.default_rng(1).bytes(3000)
    path.write_bytes(data)
    heard = read(path, 1000)
    assert heard[-1].segment.end_ms == pytest.approx(10_000, abs=700)
    assert all(np.abs(s.samples).max() <= 1 for s in heard)


def test_of_a_torn_flac_what_exists_is_read(tmp_path: Path) -> None:
    noise = np.random.default_rng(1).uniform(-0.5, 0.5, (1, 10 * RATE)).astype(np.float32)
    data = sound(tmp_path / "s.flac", noise, codec="flac").read_bytes()
    (tmp_path / "t.flac").write_bytes(data[: len(data) * 64 // 100])
    assert read(tmp_path / "t.flac")[-1].segment.end_ms == pytest.approx(6400, abs=300)


@pytest.mark.parametrize(("start", "suffix"), [(1.5, "mkv"), (1.5, "mp4"), (1.5, "ts")])
def test_sound_that_starts_after_the_picture_keeps_its_time(tmp_path: Path, start: float, suffix: str) -> None:
    samples = np.concatenate([np.zeros(24_000, np.float32), tone(2, rate=48_000)])[None]  # the tone begins half a second into it
    path = film(tmp_path / f"f.{suffix}", paint=flat((9, 9, 99), frames_each=1), sounds=[(samples, 48_000, start)])
    with av.open(str(path)) as container:
        first = next(container.decode(video=0))
        zero_ms = float(first.pts * container.streams.video[0].time_base * 1000)
    heard = read(path, 10_000, zero_ms=zero_ms)
    assert heard[0].segment.start_ms == pytest.approx(1500, abs=60)
    onset = heard[0].segment.start_ms + int(np.argmax(np.abs(heard[0].samples) > 0.2)) * 1000 / RATE
    assert onset == pytest.approx(2000, abs=30)


def test_sound_before_the_first_picture_is_left_out(tmp_path: Path) -> None:
    samples = np.concatenate([np.zeros(48_000, np.float32), tone(2, rate=48_000)])[None]
    path = sound(tmp_path / "s.mkv", samples, rate=48_000, codec="libopus")
    (heard,) = read(path, zero_ms=1000.0)
    assert times([heard])[0] == pytest.approx((0, 2000), abs=30)
    assert rms(heard.samples[:1600]) > 0.2


def test_a_broadcast_whose_clock_starts_anew_goes_on(tmp_path: Path) -> None:
    parts = [
        film(
            tmp_path / f"{n}.ts",
            at=[0, 0.5, 1.0, 1.5],
            sounds=[(tone(2, rate=48_000)[None], 48_000, 0.0)],
            mux_options={"output_ts_offset": n},
        )
        for n in ("9000", "0")
    ]
    both = tmp_path / "both.ts"
    both.write_bytes(b"".join(part.read_bytes() for part in parts))
    heard = read(both, 1000)
    assert heard[-1].segment.end_ms == pytest.approx(4000, abs=150)
    assert [s.segment.start_ms for s in heard][:4] == [0, 1000, 2000, 3000]


def test_the_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    path = tmp_path / "long.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((2, 2, 44_100, 0, "NONE", ""))
        for _ in range(60):
            file.writeframes(bytes(44_100 * 4))
    read(sound(tmp_path / "warm up.wav", tone(1)[None]))
    tracemalloc.start()
    for _ in windows(path, sample_rate=RATE, window_ms=5000, limits=Limits(), tick=lambda: None):
        pass
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 3_000_000  # the whole is 3.8 MB at 16 kHz, 21 MB as it was decoded


def test_silence_is_told_by_its_power() -> None:
    assert is_silent(np.zeros(100, np.float32), -60)
    assert is_silent(np.zeros(0, np.float32), -60)
    assert is_silent(tone(1, loudness=0.0013), -60)  # RMS 0.00092
    assert not is_silent(tone(1, loudness=0.0015), -60)  # RMS 0.00106
    assert not is_silent(tone(1, loudness=0.0013), -70)


def test_planar_and_packed_frames_are_the_same() -> None:
    left, right = np.float32([0.5, -0.5, 1.0]), np.float32([0.1, 0.3, -1.0])
    planar = av.AudioFrame.from_ndarray(np.stack([left, right]), format="fltp", layout="stereo")
    packed = av.AudioFrame.from_ndarray(np.stack([left, right], 1).reshape(1, -1), format="flt", layout="stereo")
    assert mono(planar).tolist() == mono(packed).tolist() == pytest.approx([0.3, -0.1, 0.0])


def test_refusals_name_their_reason(tmp_path: Path) -> None:
    mute = film(tmp_path / "f.mp4", at=[0.0, 0.1])
    empty = tmp_path / "e.wav"
    with wave.open(str(empty), "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
    long = sound(tmp_path / "l.wav", tone(3)[None])
    for path, limits, code in [
        (mute, {}, FailureCode.NO_CONTENT),
        (empty, {}, FailureCode.NO_CONTENT),
        (long, {"max_duration_ms": 2000}, FailureCode.TOO_LONG),
        (tmp_path / "none.wav", {}, FailureCode.VANISHED),
    ]:
        with pytest.raises(MediaError) as caught:
            read(path, 1000, **limits)
        assert caught.value.code is code
