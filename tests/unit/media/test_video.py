"""Films and sounds: what they say about themselves, and what is left of them when a track is damaged."""

from __future__ import annotations

import io
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from films import film, flat, remux, sound, tone
from mutagen.flac import FLAC
from mutagen.flac import Picture as Cover
from mutagen.id3 import APIC, ID3
from mutagen.mp4 import MP4, MP4Cover
from PIL import Image

from anyseek.errors import FailureCode, MediaError
from anyseek.media.open import open_media
from anyseek.media.protocol import DecodeOptions, Limits
from anyseek.media.video import AudioFile, VideoFile
from anyseek.types import Clip, Decoded, Kind, MediaInfo, Modality, Picture, Sound

RED, GREEN, BLUE = (200, 30, 40), (20, 190, 40), (20, 30, 220)
SIX_SECONDS = [number / 25 for number in range(150)]
THREE_SHOTS = flat(RED, GREEN, BLUE, frames_each=50)
SOUND = [(tone(6, rate=48_000)[None], 48_000, 0.0)]


def read(path: Path, **options: object) -> tuple[MediaInfo, list[Decoded]]:
    with open_media(path, DecodeOptions(**options)) as file:
        found = list(file.segments())
        return file.info, found


def refused(path: Path, **options: object) -> MediaError:
    with pytest.raises(MediaError) as caught:
        read(path, **options)
    return caught.value


def cover() -> bytes:
    picture = io.BytesIO()
    Image.new("RGB", (64, 64), RED).save(picture, "JPEG")
    return picture.getvalue()


def with_cover(path: Path, codec: str) -> Path:
    """A sound whose container holds a picture as an attached cover."""
    sound(path, tone(1, rate=44_100)[None], rate=44_100, codec=codec)
    if path.suffix == ".m4a":
        tags = MP4(path)
        tags["covr"] = [MP4Cover(cover(), MP4Cover.FORMAT_JPEG)]
        tags.save()
    elif path.suffix == ".flac":
        picture = Cover()
        picture.data, picture.mime, picture.type, picture.width, picture.height = cover(), "image/jpeg", 3, 64, 64
        flac = FLAC(path)
        flac.add_picture(picture)
        flac.save()
    else:
        id3 = ID3()
        id3.add(APIC(mime="image/jpeg", type=3, data=cover()))
        id3.save(path)
    return path


@pytest.mark.parametrize(("name", "codec"), [("s.mp3", "libmp3lame"), ("s.m4a", "aac"), ("s.flac", "flac")])
def test_a_cover_makes_no_film(tmp_path: Path, name: str, codec: str) -> None:
    path = with_cover(tmp_path / name, codec)
    with av.open(str(path)) as container:
        assert container.streams.video  # the file is made as it should be
    info, found = read(path)
    assert info.kind is Kind.AUDIO
    assert (info.width, info.height, info.format) == (None, None, name[2:])
    assert [type(item) for item in found] == [Sound]
    assert info.duration_ms == pytest.approx(1000, abs=30)


def test_one_frame_makes_a_film(tmp_path: Path) -> None:
    info, (picture,) = read(film(tmp_path / "f.mp4", at=[0.0]))
    assert info.kind is Kind.VIDEO
    assert picture.segment.start_ms == picture.segment.frame_ms == 0 < picture.segment.end_ms


def test_a_film_gives_its_pictures_in_order_and_then_its_sound(tmp_path: Path) -> None:
    path = film(tmp_path / "f.mp4", at=SIX_SECONDS, paint=THREE_SHOTS, sounds=SOUND)
    info, found = read(path, window_ms=2000)
    assert (info.kind, info.format, info.width, info.height, info.has_audio) == (Kind.VIDEO, "mp4", 64, 48, True)
    assert info.duration_ms == pytest.approx(6000, abs=30)
    pictures, sounds = found[:3], found[3:]
    assert all(isinstance(item, Picture) for item in pictures)
    assert [tuple(int(c) for c in item.pixels[5, 5]) for item in pictures] == [
        pytest.approx(colour, abs=4) for colour in (RED, GREEN, BLUE)
    ]
    assert [(p.segment.start_ms, p.segment.end_ms) for p in pictures] == [(0, 1500), (1500, 3500), (3500, 6000)]
    assert [(s.segment.start_ms, s.segment.end_ms) for s in sounds[:3]] == [(0, 2000), (2000, 4000), (4000, 6000)]
    assert all(isinstance(item, Sound) for item in sounds)


@pytest.mark.parametrize("backend", ["pyav", "decord"])
def test_shots_as_a_whole_are_given_to_those_who_ask(tmp_path: Path, backend: str) -> None:
    path = film(tmp_path / "f.mp4", at=SIX_SECONDS, paint=THREE_SHOTS, sounds=SOUND)
    _, found = read(path, modalities=frozenset({Modality.IMAGE, Modality.VIDEO}), video_backend=backend)
    assert [type(item) for item in found] == [Picture, Clip, Picture, Clip, Picture, Clip]
    clips = [item for item in found if isinstance(item, Clip)]
    assert [(c.segment.start_ms, c.segment.end_ms, c.times_ms.tolist()) for c in clips] == [
        (0, 1500, [0, 1000]),
        (1500, 3500, [2000, 3000]),
        (3500, 6000, [4000, 5000]),
    ]
    assert all(c.frames.shape == (2, 48, 64, 3) and c.frames.dtype == np.uint8 for c in clips)
    assert [[round(float(x)) for x in c.frames.mean(axis=(0, 1, 2))] for c in clips] == [
        [pytest.approx(x, abs=4) for x in colour] for colour in (RED, GREEN, BLUE)
    ]
    _, alone = read(path, modalities=frozenset({Modality.VIDEO}), max_clip_frames=1, video_backend=backend)
    assert [(type(item), item.segment, len(item.frames)) for item in alone] == [(Clip, c.segment, 1) for c in clips]
    assert not any(isinstance(item, Clip) for item in read(path)[1])


@pytest.mark.parametrize(
    ("name", "format_name"),
    [("f.mp4", "mp4"), ("f.mov", "mov"), ("f.mkv", "matroska"), ("f.ts", "mpegts"), ("f.avi", "avi"), ("f.flv", "flv"), ("f.3gp", "3gp")],
)
def test_containers_have_short_names(tmp_path: Path, name: str, format_name: str) -> None:
    codec = {"f.3gp": "mpeg4", "f.avi": "mpeg4"}.get(name, "libx264")
    size = (176, 144)
    info, _ = read(film(tmp_path / name, at=SIX_SECONDS[:10], paint=flat(RED, frames_each=10, size=size), codec=codec))
    assert info.format == format_name
    assert (info.width, info.height) == size


def test_webm_and_sounds_have_short_names(tmp_path: Path) -> None:
    made = {
        "s.webm": ("libopus", "webm"),
        "s.mka": ("libopus", "matroska"),
        "s.ogg": ("libopus", "ogg"),
        "s.mp3": ("libmp3lame", "mp3"),
        "s.wav": ("pcm_s16le", "wav"),
        "s.flac": ("flac", "flac"),
        "s.m4a": ("aac", "m4a"),
        "s.aiff": ("pcm_s16be", "aiff"),
    }
    for name, (codec, format_name) in made.items():
        info, _ = read(sound(tmp_path / name, tone(1, rate=48_000)[None], rate=48_000, codec=codec))
        assert (info.kind, info.format, info.has_audio) == (Kind.AUDIO, format_name, True)
        assert info.duration_ms == pytest.approx(1000, abs=60)


def test_sound_alone_in_a_container_for_films_is_a_sound(tmp_path: Path) -> None:
    info, found = read(sound(tmp_path / "s.mp4", tone(1, rate=48_000)[None], rate=48_000, codec="aac"))
    assert (info.kind, info.format, len(found)) == (Kind.AUDIO, "mp4", 1)


def test_a_turned_film_says_its_upright_size(tmp_path: Path) -> None:
    info, (picture, *_) = read(film(tmp_path / "f.mp4", rotation=90, aspect=Fraction(2, 1)))
    assert (info.width, info.height) == (48, 320)
    assert picture.pixels.shape[:2] == (320, 48)


def test_the_duration_of_a_torn_film_is_what_exists(tmp_path: Path) -> None:
    paint = lambda n: np.random.default_rng(n).integers(0, 255, (48, 64, 3), np.uint8)  # noqa: E731
    data = film(tmp_path / "w.mp4", at=SIX_SECONDS, paint=paint, mux_options={"movflags": "faststart"}).read_bytes()
    torn = tmp_path / "t.mp4"
    torn.write_bytes(data[: len(data) // 2])
    with open_media(torn, DecodeOptions()) as file:
        assert file.info.duration_ms == 6000
        found = list(file.segments())
        assert file.info.duration_ms == pytest.approx(3000, abs=200)
        assert found[-1].segment.end_ms == file.info.duration_ms


def test_only_what_the_encoder_takes_is_decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = film(tmp_path / "f.mp4", at=SIX_SECONDS, paint=THREE_SHOTS, sounds=SOUND)
    _, found = read(path, modalities=frozenset({Modality.IMAGE}))
    assert {type(item) for item in found} == {Picture}
    with monkeypatch.context() as patched:
        patched.setattr("anyseek.media.frames_pyav.PyavFrames.frames", lambda *_, **__: pytest.fail("frames were read"))
        info, found = read(path, modalities=frozenset({Modality.AUDIO}))
    assert {type(item) for item in found} == {Sound}
    assert info.kind is Kind.VIDEO
    _, found = read(sound(tmp_path / "s.wav", tone(1)[None]), modalities=frozenset({Modality.IMAGE}))
    assert found == []


def test_both_backends_see_the_same_film(tmp_path: Path) -> None:
    path = film(tmp_path / "f.mp4", at=SIX_SECONDS, paint=THREE_SHOTS, sounds=SOUND)
    one, other = read(path), read(path, video_backend="decord")
    assert one[0] == other[0]
    assert [item.segment for item in one[1]] == [item.segment for item in other[1]]


def without(track: str) -> object:
    return lambda packet: packet.stream.type != track


@pytest.mark.parametrize(("gone", "left"), [("video", Sound), ("audio", Picture)])
@pytest.mark.parametrize("backend", ["pyav", "decord"])
def test_a_film_of_which_one_track_is_broken_keeps_the_other(tmp_path: Path, gone: str, left: type, backend: str) -> None:
    whole = film(tmp_path / "f.mkv", at=SIX_SECONDS, paint=THREE_SHOTS, sounds=SOUND)
    info, found = read(remux(whole, tmp_path / "g.mkv", without(gone)), video_backend=backend)
    assert info.kind is Kind.VIDEO
    assert {type(item) for item in found} == {left}
    assert info.duration_ms == pytest.approx(6000, abs=60)


def test_pictures_that_are_garbage_leave_the_sound(tmp_path: Path) -> None:
    path = film(tmp_path / "f.mkv", at=SIX_SECONDS, paint=THREE_SHOTS, sounds=SOUND)
    data = bytearray(path.read_bytes())
    with av.open(str(path)) as container:
        for packet in container.demux(video=0):
            if packet.size and packet.pos:
                data[packet.pos + 8 : packet.pos + packet.size] = bytes(packet.size - 8)
    path.write_bytes(data)
    _, found = read(path)
    assert {type(item) for item in found} == {Sound}


def test_where_nothing_can_be_decoded_the_film_is_damaged(tmp_path: Path) -> None:
    whole = film(tmp_path / "f.mkv", at=SIX_SECONDS[:50], paint=THREE_SHOTS, sounds=SOUND)
    empty = remux(whole, tmp_path / "g.mkv", lambda packet: False)
    error = refused(empty)
    assert error.code is FailureCode.DAMAGED
    assert error.path == empty


def test_silence_is_no_content_in_a_sound_and_no_segment_in_a_film(tmp_path: Path) -> None:
    quiet = sound(tmp_path / "s.wav", tone(2, loudness=0.001)[None])
    error = refused(quiet)
    assert (error.code, error.reason) == (FailureCode.NO_CONTENT, "nothing but silence")
    assert len(read(quiet, silence_db=-80.0)[1]) == 1
    samples = np.concatenate([np.zeros(96_000, np.float32), tone(2, rate=48_000), np.zeros(96_000, np.float32)])[None]
    path = film(tmp_path / "f.mp4", at=SIX_SECONDS, paint=THREE_SHOTS, sounds=[(samples, 48_000, 0.0)])
    _, found = read(path, window_ms=1000)
    assert [item.segment.start_ms for item in found if isinstance(item, Sound)] in ([2000, 3000], [1000, 2000, 3000], [2000, 3000, 4000])
    mute = film(tmp_path / "g.mp4", at=SIX_SECONDS, paint=THREE_SHOTS, sounds=[(0 * samples, 48_000, 0.0)])
    info, found = read(mute)
    assert {type(item) for item in found} == {Picture}
    assert info.has_audio


def test_limits_are_kept_before_anything_is_decoded(tmp_path: Path) -> None:
    path = film(tmp_path / "f.mp4", at=SIX_SECONDS, paint=THREE_SHOTS)
    wav = sound(tmp_path / "s.wav", tone(3)[None])
    for bad, limits, code in [
        (path, Limits(max_duration_ms=5000), FailureCode.TOO_LONG),
        (wav, Limits(max_duration_ms=2000), FailureCode.TOO_LONG),
        (path, Limits(max_pixels=64 * 48 - 1), FailureCode.TOO_LARGE),
        (path, Limits(max_bytes=100), FailureCode.TOO_LARGE),
    ]:
        with pytest.raises(MediaError) as caught:
            open_media(bad, DecodeOptions(limits=limits))
        assert caught.value.code is code


def test_a_length_the_header_hides_is_noticed_on_the_way(tmp_path: Path) -> None:
    path = film(tmp_path / "f.mkv", at=SIX_SECONDS, paint=THREE_SHOTS, mux_options={"live": "1"})
    limits = Limits(max_duration_ms=5000)
    with open_media(path, DecodeOptions(limits=limits)) as file:
        assert file.info.duration_ms is None
    assert refused(path, limits=limits).code is FailureCode.TOO_LONG


def test_tags_come_from_the_container_and_from_the_sound(tmp_path: Path) -> None:
    path = tmp_path / "f.mp4"
    film(path, at=SIX_SECONDS[:10], paint=THREE_SHOTS)
    tagged = tmp_path / "t.mkv"
    with av.open(str(path)) as old, av.open(str(tagged), "w") as new:
        new.metadata["title"] = "A walk"
        track = new.add_stream_from_template(old.streams.video[0])
        for packet in old.demux(video=0):
            if packet.dts is not None:
                packet.stream = track
                new.mux(packet)
    with open_media(tagged, DecodeOptions()) as file:
        assert isinstance(file, VideoFile)
        assert file.info.title == "A walk"
    wav = sound(tmp_path / "s.flac", tone(1)[None], codec="flac")
    tags = FLAC(wav)
    tags["artist"], tags["title"] = "Somebody", "Something"
    tags.save()
    with open_media(wav, DecodeOptions()) as file:
        assert isinstance(file, AudioFile)
        assert (file.info.artist, file.info.title) == ("Somebody", "Something")


def test_a_title_that_is_no_utf_8_loses_nothing(tmp_path: Path) -> None:
    wav = sound(tmp_path / "s.mp3", tone(1, rate=44_100)[None], rate=44_100, codec="libmp3lame")
    raw = wav.read_bytes() + (b"TAG" + b"caf\xe9 \xff\xfe".ljust(125, b"\0"))
    wav.write_bytes(raw)
    info, found = read(wav)
    assert info.kind is Kind.AUDIO
    assert len(found) == 1
