from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from odd_files import pictures
from odd_files import sound_and_film as av

from anyseek.errors import FailureCode, MediaError
from anyseek.media.kinds import Family, Signature, kind_by_suffix, sniff, translate_os_error
from anyseek.media.protocol import Limits
from anyseek.media.signatures import av_format, id3_end, image_format, unread_format
from anyseek.types import Kind

ADTS = bytes.fromhex("fff15080017ffc") + b"\0" * 4  # one frame of 11 bytes
MP3 = bytes.fromhex("fffb9064").ljust(417, b"\0")  # one frame: 128 kb/s at 44.1 kHz


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("photo.jpg", Kind.IMAGE),
        ("PHOTO.JPEG", Kind.IMAGE),
        ("a.b.heic", Kind.IMAGE),
        ("film.MTS", Kind.VIDEO),
        ("song.m4a", Kind.AUDIO),
        ("voice\n.opus", Kind.AUDIO),
        ("raw.nef", None),
        ("drawing.svg", None),
        ("next.jxl", None),
        ("list.m3u8", None),
        (".jpg", None),
        ("jpg", None),
        ("photo.jpg.xmp", None),
        ("", None),
    ],
)
def test_suffix_tells_the_likely_kind(name: str, kind: Kind | None) -> None:
    assert kind_by_suffix(name) is kind


@pytest.mark.parametrize(
    ("format", "make"),
    [
        ("jpeg", pictures.saved("JPEG")),
        ("png", pictures.saved("PNG")),
        ("gif", pictures.saved("GIF")),
        ("webp", pictures.saved("WEBP")),
        ("avif", pictures.saved("AVIF")),
        ("avif", pictures.animation("AVIF")),
        ("tiff", pictures.saved("TIFF")),
        ("tiff", pictures.saved("TIFF", big_tiff=True)),
        ("bmp", pictures.saved("BMP")),
        ("jpeg2000", pictures.saved("JPEG2000")),
        ("jpeg2000", pictures.saved("JPEG2000", no_jp2=True)),
        ("heif", pictures.heic),
    ],
)
def test_pictures_are_known_by_content_whatever_their_name(tmp_path: Path, format: str, make: pictures.Maker) -> None:  # noqa: A002
    path = tmp_path / "song.mp3"
    make(path)
    assert sniff(path, Limits()) == Signature(Family.IMAGE, format)


@pytest.mark.parametrize(
    ("format", "make"),
    [
        ("wav", av.wav(av.tone(0.1))),
        ("mp3", av.sounding(codec="libmp3lame", format="mp3", rate=44_100)),
        ("aac", av.sounding(codec="aac", format="adts", rate=44_100)),
        ("flac", av.sounding(codec="flac", format="flac")),
        ("ogg", av.sounding(codec="libopus", format="ogg", rate=48_000)),
        ("aiff", av.sounding(codec="pcm_s16be", format="aiff")),
        ("au", av.sounding(codec="pcm_s16be", format="au")),
        ("caf", av.sounding(codec="pcm_s16le", format="caf")),
        ("w64", av.sounding(codec="pcm_s16le", format="w64")),
        ("ac3", av.sounding(codec="ac3", format="ac3", rate=48_000)),
        ("asf", av.sounding(codec="libmp3lame", format="asf", rate=44_100)),
        ("amr", av.sounding(codec="libopencore_amrnb", format="amr", rate=8_000)),
        ("mp4", av.sounding(codec="aac", format="ipod", rate=44_100)),
        ("matroska", av.filmed(format="matroska")),
        ("mp4", av.filmed(format="mov")),
        ("avi", av.filmed(codec="mpeg4", format="avi")),
        ("flv", av.filmed(format="flv")),
        ("mpegts", av.filmed(format="mpegts")),
        ("mpeg", av.filmed(codec="mpeg2video", format="mpeg")),
    ],
)
def test_sound_and_film_are_known_by_content_whatever_their_name(tmp_path: Path, format: str, make: av.Maker) -> None:  # noqa: A002
    path = tmp_path / "photo.jpg"
    make(path)
    assert sniff(path, Limits()) == Signature(Family.AV, format)


def test_transport_stream_may_start_inside_a_packet_and_have_longer_packets() -> None:
    packets = b"".join(b"G" + bytes(range(187)) for _ in range(8))
    m2ts = b"".join(b"\1\2\3\4G" + bytes(187) for _ in range(8))
    assert [av_format(packets[50:]), av_format(m2ts), av_format(packets[: 3 * 188])] == ["mpegts", "mpegts", None]


@pytest.mark.parametrize(
    ("head", "format"),
    [
        ("060e2b34020501010d0102010102040000000000", "mxf"),
        ("000001b3160120230000000000", "mpegvideo"),
        ("1f0700bf0000000000000000", "dv"),
        ("0000002066726565000000000000", "mp4"),  # an old QuickTime film: no ftyp
        ("2e524d46000000120001000000000000", "rm"),
        ("7ffe8001fc3c7f000000", "dts"),
        ("7776706b000000000000", "wv"),
        ("4d414320960f0000", "ape"),
    ],
)
def test_formats_that_cannot_be_made_here_are_known_by_their_first_bytes(head: str, format: str) -> None:  # noqa: A002
    assert av_format(bytes.fromhex(head)) == format


def test_mpeg_sound_needs_frames_that_lead_on_unless_the_file_is_shorter() -> None:
    junk = b"junk \xff\xfa\xff\xe0"
    assert [av_format(MP3 * 3), av_format(junk + MP3 * 3), av_format(MP3[:200]), av_format(ADTS * 3)] == ["mp3", "mp3", "mp3", "aac"]
    assert [av_format(junk + MP3), av_format(MP3 + junk * 3), av_format(junk + ADTS * 2 + junk)] == [None, None, None]


@pytest.mark.parametrize(
    ("header", "length"),
    [
        ("fffb9064", 417),  # MPEG-1 layer III, 128 kb/s, 44.1 kHz
        ("fffb9264", 418),  # the same, padded
        ("fffd8400", 384),  # MPEG-1 layer II, 128 kb/s, 48 kHz
        ("fff38064", 208),  # MPEG-2 layer III, 64 kb/s, 22.05 kHz
        ("ffe38064", 417),  # MPEG-2.5 layer III, 64 kb/s, 11.025 kHz
    ],
)
def test_mpeg_frames_have_the_length_of_the_standard(header: str, length: int) -> None:
    frame = bytes.fromhex(header)
    row = b"".join(frame.ljust(length, b"\0") for _ in range(3))
    assert av_format(row) == "mp3"
    assert av_format(b"".join(frame.ljust(length + 1, b"\0") for _ in range(4))) is None


def test_sound_behind_an_id3_tag_is_seen_even_when_the_tag_is_long(tmp_path: Path) -> None:
    path = tmp_path / "long tag.mp3"
    cover = 300_000
    size = bytes([cover >> 21 & 127, cover >> 14 & 127, cover >> 7 & 127, cover & 127])
    path.write_bytes(b"ID3\x04\0\0" + size + b"\xff" * cover + MP3 * 3)
    assert sniff(path, Limits()) == Signature(Family.AV, "mp3")


def test_id3_end_counts_the_footer_and_refuses_sizes_that_are_not_syncsafe() -> None:
    assert id3_end(b"ID3\x04\0\0\0\0\x01\x05") == 10 + 133
    assert id3_end(b"ID3\x04\0\x10\0\0\x01\x05") == 10 + 133 + 10
    assert id3_end(b"ID3\x04\0\0\0\0\x01\x85") == 0
    assert id3_end(b"ID3") == 0


@pytest.mark.parametrize(
    "head",
    [
        b"II*\0\x10\0\0\0CR\x02\0",
        b"\0\0\0\x18ftypcrx \0\0\0\x01crx isom",
        b"FUJIFILMCCD-RAW 0201",
        b"II*\0\x08\0\0\0\x01\0\x12\xc6\x01\0\x04\0\0\0\x01\x04\0\0",  # the tag DNGVersion
    ],
)
def test_camera_raw_is_named_and_never_read_as_the_thumbnail_it_starts_with(head: bytes) -> None:
    assert (image_format(head), av_format(head), unread_format(head)) == (None, None, "camera raw")


@pytest.mark.parametrize(
    "head", [b"", b"B", b"BM text", b"\0\0\0\x18", b"\0\0\0\x18ftyp", b"II*\0\xff\xff\xff\xff", b"\xff" * 70_000, b"G" * 188]
)
def test_scraps_are_nothing(head: bytes) -> None:
    assert av_format(head) in (None, "mp4")
    assert image_format(head) in (None, "tiff")
    assert unread_format(head) is None


def test_a_file_over_the_byte_limit_is_refused_with_both_figures(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    pictures.saved("PNG")(path)
    size = path.stat().st_size
    with pytest.raises(MediaError, match=f"{size} bytes, the limit is 10") as caught:
        sniff(path, Limits(max_bytes=10))
    assert caught.value.code is FailureCode.TOO_LARGE
    assert sniff(path, Limits(max_bytes=size)).format == "png"


def test_what_is_no_file_is_not_opened(tmp_path: Path) -> None:
    folder = tmp_path / "folder.jpg"
    folder.mkdir()
    os.mkfifo(tmp_path / "pipe.mp4")
    for path in (folder, tmp_path / "pipe.mp4"):
        with pytest.raises(MediaError) as caught:
            sniff(path, Limits())
        assert caught.value.code is FailureCode.NOT_MEDIA
        assert caught.value.path == path


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (errno.ENOENT, FailureCode.VANISHED),
        (errno.ENOTDIR, FailureCode.VANISHED),
        (errno.EACCES, FailureCode.PERMISSION),
        (errno.EPERM, FailureCode.PERMISSION),
        (errno.EISDIR, FailureCode.NOT_MEDIA),
        (errno.ENOMEM, FailureCode.MEMORY),
        (errno.EIO, FailureCode.READ_ERROR),
        (errno.ELOOP, FailureCode.READ_ERROR),
        (None, FailureCode.READ_ERROR),
    ],
)
def test_system_errors_become_reasons(number: int | None, code: FailureCode) -> None:
    error = OSError(number, "words of the system") if number else OSError("words of a library")
    assert translate_os_error(error, "a.jpg").code is code
