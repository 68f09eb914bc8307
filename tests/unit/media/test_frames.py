"""What PyavFrames does beyond the contract: how little it decodes, how little it holds, and what it survives."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import av
import pytest
from films import film, number_in, remux

from anyseek.errors import BadInput, MissingExtra
from anyseek.media import frames_pyav
from anyseek.media.frames_decord import DecordFrames
from anyseek.media.frames_pyav import PyavFrames
from anyseek.media.protocol import Frame, Limits
from anyseek.media.video import frame_reader

TEN_SECONDS = [number / 25 for number in range(250)]


def read(path: Path, interval_ms: int = 1000) -> list[Frame]:
    return list(PyavFrames().frames(path, interval_ms=interval_ms, image_size=320, limits=Limits(), tick=lambda: None))


class CountingCodec:
    """A codec context that counts what it is given."""

    def __init__(self, codec: av.VideoCodecContext) -> None:
        self._codec = codec
        self.decoded = 0

    def decode(self, packet: av.Packet | None) -> list[av.VideoFrame]:
        self.decoded += packet is not None
        return self._codec.decode(packet)

    def flush_buffers(self) -> None:
        self._codec.flush_buffers()


def count_decoded(path: Path, interval_ms: int) -> int:
    with av.open(str(path)) as container:
        track = container.streams.video[0]
        codec = CountingCodec(track.codec_context)
        counted = SimpleNamespace(codec_context=codec, time_base=track.time_base, average_rate=track.average_rate, sample_aspect_ratio=None)
        sampler = frames_pyav._Sampler(counted, interval_ms, 320)
        list(sampler.run((packet for packet in container.demux(track) if packet.size), jumps=False))
    return codec.decoded


@pytest.mark.parametrize("codec", ["libx264", "libvpx-vp9"])  # VP9's decoder ignores skip_frame: only packets left out save work
def test_near_key_frames_one_packet_a_frame_is_decoded(tmp_path: Path, codec: str) -> None:
    fast = {"cpu-used": "8", "deadline": "realtime", "lag-in-frames": "0"} if codec == "libvpx-vp9" else {}
    path = film(tmp_path / "f.mkv", at=TEN_SECONDS, codec=codec, codec_options=fast)
    assert count_decoded(path, 1000) <= 14
    assert count_decoded(path, 2000) <= 10


def test_of_long_groups_the_end_is_not_decoded(tmp_path: Path) -> None:
    path = film(tmp_path / "f.mp4", at=TEN_SECONDS, gop=125)
    assert count_decoded(path, 4000) <= 115  # 0 and 5 s are near key frames; 8 s lies 75 frames into its group


def test_one_long_group_is_not_held_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    held = []
    go_on = frames_pyav._Sampler._go_on

    def noting(self: frames_pyav._Sampler, at: float, packet: av.Packet) -> object:
        yield from go_on(self, at, packet)
        held.append(len(self._group))

    monkeypatch.setattr(frames_pyav._Sampler, "_go_on", noting)
    path = film(tmp_path / "f.mp4", at=TEN_SECONDS, gop=1000)
    read(path, 1000)
    assert max(held) < 1.5 * 25 + 5
    monkeypatch.setattr(frames_pyav, "_MAX_GROUP_BYTES", 1)
    held.clear()
    assert [number_in(frame.pixels) * 40 for frame in read(path, 4000)] == pytest.approx([0, 4000, 8000], abs=160)
    assert max(held) == 0


def test_where_most_frames_are_needed_by_no_other_all_are_decoded(tmp_path: Path) -> None:
    path = film(tmp_path / "f.mp4", at=TEN_SECONDS, gop=1000, codec_options={"bf": "16", "b-adapt": "0", "b-pyramid": "none"})
    times = [frame.at_ms for frame in read(path, 640)]  # one interval is less than the 17 frames from one P-frame to the next
    assert max(after - before for before, after in pairwise(times[2:])) <= 680


def test_broken_packets_are_passed_over(tmp_path: Path) -> None:
    path = film(tmp_path / "f.mkv", at=TEN_SECONDS, gop=25)
    data = bytearray(path.read_bytes())
    with av.open(str(path)) as container:
        places = [(packet.pos, packet.size) for packet in container.demux(video=0) if packet.size and packet.is_keyframe]
    for pos, size in (places[3], places[4]):  # the key frames at 3 s and 4 s
        data[pos + 8 : pos + size] = bytes(size - 8)
    broken = tmp_path / "b.mkv"
    broken.write_bytes(data)
    good = [frame for frame in read(broken) if frame.at_ms == number_in(frame.pixels) * 40]
    assert {0, 1000, 2000, 5000, 6000, 7000, 8000, 9000} <= {frame.at_ms for frame in good}


def test_a_broadcast_whose_clock_starts_anew_goes_on(tmp_path: Path) -> None:
    late = film(tmp_path / "1.ts", at=TEN_SECONDS[:100], mux_options={"output_ts_offset": "5000"})
    early = film(tmp_path / "2.ts", at=TEN_SECONDS[:100])
    both = tmp_path / "both.ts"
    both.write_bytes(late.read_bytes() + early.read_bytes())
    reader = PyavFrames()
    frames = list(reader.frames(both, interval_ms=1000, image_size=320, limits=Limits(), tick=lambda: None))
    assert [frame.at_ms for frame in frames] == pytest.approx([0, 1000, 2000, 3000, 4000, 5000, 6000, 7000], abs=80)
    assert [number_in(frame.pixels) for frame in frames] == [0, 25, 50, 75] * 2
    assert reader.end_ms == pytest.approx(8000, abs=80)


def test_what_an_edit_list_cuts_off_is_not_shown(tmp_path: Path) -> None:
    path = film(tmp_path / "f.mp4", at=[second - 0.6 for second in TEN_SECONDS], mux_options={"avoid_negative_ts": "disabled"})
    with av.open(str(path)) as container:
        assert next(container.demux(video=0)).is_discard  # the film is made as it should be
    frames = read(path)
    assert [frame.at_ms for frame in frames] == [(number_in(frame.pixels) - 15) * 40 for frame in frames]
    assert frames[0].at_ms == 0


def test_a_torn_group_at_the_start_costs_only_itself(tmp_path: Path) -> None:
    seen = []

    def from_the_middle(packet: av.Packet) -> bool:
        seen.append(packet)
        return len(seen) > 10

    path = remux(film(tmp_path / "f.ts", at=TEN_SECONDS), tmp_path / "r.ts", from_the_middle)
    frames = read(path)
    assert [number_in(frame.pixels) for frame in frames] == [25, 50, 75, 100, 125, 150, 175, 200, 225]
    assert [frame.at_ms for frame in frames] == list(range(0, 9000, 1000))


def test_a_display_matrix_of_zeros_is_no_rotation(tmp_path: Path) -> None:
    path = film(tmp_path / "f.mp4", at=TEN_SECONDS[:10], rotation=90)
    data = bytearray(path.read_bytes())
    matrix = data.index(b"tkhd") + 4 + 40
    data[matrix : matrix + 36] = bytes(36)
    path.write_bytes(data)
    assert read(path)[0].pixels.shape == (48, 160, 3)


def test_decord_reads_the_plain_and_leaves_the_rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    used = []
    fallback = PyavFrames.frames
    monkeypatch.setattr(PyavFrames, "frames", lambda self, path, **how: used.append(path.name) or fallback(self, path, **how))
    uneven = [0, 0.04, 0.08, 0.5, 0.9, 2.0]
    films = {
        "plain.mp4": {},
        "plain.mkv": {},
        "uneven.mp4": {"at": uneven},
        "turned.mp4": {"rotation": 90},
        "broadcast.ts": {},
        "hevc.mp4": {"codec": "libx265", "codec_options": {"x265-params": "log-level=none"}},
    }
    for name, how in films.items():
        path = film(tmp_path / name, **{"at": TEN_SECONDS[:50], **how})
        list(DecordFrames().frames(path, interval_ms=1000, image_size=64, limits=Limits(), tick=lambda: None))
    assert used == ["uneven.mp4", "turned.mp4", "broadcast.ts", "hevc.mp4"]


def test_where_decord_fails_pyav_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from decord.base import DECORDError

    from anyseek.media import frames_decord

    reads = frames_decord._read

    def failing(*args: object) -> object:
        for number, frame in enumerate(reads(*args)):
            if number == 2:
                raise DECORDError("Check failed")
            yield frame

    monkeypatch.setattr(frames_decord, "_read", failing)
    path = film(tmp_path / "f.mp4", at=TEN_SECONDS)
    reader = DecordFrames()
    frames = list(reader.frames(path, interval_ms=1000, image_size=320, limits=Limits(), tick=lambda: None))
    assert [number_in(frame.pixels) * 40 for frame in frames] == list(range(0, 10_000, 1000))
    assert reader.end_ms == 10_000


def test_a_missing_decord_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match=r"pip install 'anyseek\[decord\]'"):
        frame_reader("decord")


def test_an_unknown_backend_is_refused() -> None:
    assert frame_reader("pyav").name == "pyav"
    with pytest.raises(BadInput, match="opencv"):
        frame_reader("opencv")


def test_rates_that_are_fractions_keep_their_times(tmp_path: Path) -> None:
    at = [float(number * Fraction(1001, 30_000)) for number in range(120)]
    for frame in read(film(tmp_path / "f.mp4", at=at, rate=30, gop=30), 500):
        assert frame.at_ms == round(at[number_in(frame.pixels)] * 1000)
