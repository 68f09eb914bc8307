"""What the first bytes of a file say about its format.

The table is our own instead of a library's: puremagic and filetype name hundreds of types by a few bytes each, but what is needed here
is stricter, not wider. A playlist must never reach FFmpeg, an MP3 may begin with junk, MP4's four letters also open HEIC, AVIF and
Canon's raw files, and a camera's raw file is a TIFF whose first picture is a thumbnail.
"""

from __future__ import annotations

import struct
from collections.abc import Callable

__all__ = ["HEAD_BYTES", "av_format", "id3_end", "image_format", "unread_format"]

HEAD_BYTES = 64 * 1024
"""How much of a file is looked at."""

_IMAGES = (
    (b"\xff\xd8\xff", "jpeg"),
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"GIF87a", "gif"),
    (b"GIF89a", "gif"),
    (b"II*\0", "tiff"),
    (b"MM\0*", "tiff"),
    (b"II+\0", "tiff"),
    (b"MM\0+", "tiff"),
    (b"\0\0\0\x0cjP  \r\n\x87\n", "jpeg2000"),
    (b"\xff\x4f\xff\x51", "jpeg2000"),
)
_AV = (
    (b"\x1a\x45\xdf\xa3", "matroska"),
    (b"OggS", "ogg"),
    (b"fLaC", "flac"),
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "asf"),
    (b"FLV\x01", "flv"),
    (b"\0\0\x01\xba", "mpeg"),
    (b"\0\0\x01\xb3", "mpegvideo"),
    (b"caff\0\x01", "caf"),
    (b".snd\0\0", "au"),
    (b"#!AMR", "amr"),
    (b"wvpk", "wv"),
    (b"MAC ", "ape"),
    (b"MPCK", "mpc"),
    (b"MP+", "mpc"),
    (b"TTA1", "tta"),
    (b"DSD \x1c", "dsf"),
    (b"riff\x2e\x91\xcf\x11", "w64"),
    (b"\x0b\x77", "ac3"),
    (b"\x7f\xfe\x80\x01", "dts"),
    (b".RMF\0", "rm"),
    (b"\x06\x0e\x2b\x34\x02\x05\x01\x01\x0d\x01\x02", "mxf"),
    (b"\x1f\x07\x00", "dv"),
    (b"YUV4MPEG2 ", "yuv4mpegpipe"),
)
_FORMS = {
    (b"RIFF", b"WAVE"): "wav",
    (b"RF64", b"WAVE"): "wav",
    (b"BW64", b"WAVE"): "wav",
    (b"RIFF", b"AVI "): "avi",
    (b"FORM", b"AIFF"): "aiff",
    (b"FORM", b"AIFC"): "aiff",
}
_UNREAD = (
    (b"\xff\x0a", "JPEG XL"),
    (b"\0\0\0\x0cJXL ", "JPEG XL"),
    (b"8BPS", "Photoshop"),
    (b"\x76\x2f\x31\x01", "OpenEXR"),
    (b"FUJIFILMCCD-RAW", "camera raw"),
    (b"IIU\0", "camera raw"),
    (b"IIRO", "camera raw"),
    (b"IIRS", "camera raw"),
    (b"MMOR", "camera raw"),
    (b"MThd", "MIDI"),
)
_BITMAP_HEADER_SIZES = {12, 40, 52, 56, 64, 108, 124}
_HEIF_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1"}
_AVIF_BRANDS = {b"avif", b"avis"}
_QUICKTIME_ATOMS = {b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"}
_TRANSPORT_PACKETS = (188, 192, 204)
_TRANSPORT_PACKETS_SEEN = 5
_SOUND_FRAMES_SEEN = 3

_KILOBITS = {
    "layer 2": (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    "layer 3": (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    "low": (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_NEW_SUBFILE_TYPE, _SUB_DIRECTORIES, _DNG_VERSION = 254, 330, 50706


def image_format(head: bytes) -> str | None:
    """Which picture format that can be read begins like this; None for all else, also for camera raw in TIFF's clothes."""
    name = _by_prefix(head, _IMAGES)
    if name == "tiff":
        return None if _is_raw_tiff(head) else name
    if name is not None:
        return name
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "webp"
    if head[:2] == b"BM" and int.from_bytes(head[14:18], "little") in _BITMAP_HEADER_SIZES:
        return "bmp"
    brands = _brands(head)
    if _AVIF_BRANDS.intersection(brands):
        return "avif"
    return "heif" if _HEIF_BRANDS.intersection(brands) else None


def av_format(head: bytes) -> str | None:
    """Which container of sound or film begins like this; None for all else.

    Text never passes, so neither do playlists (m3u8, ffconcat, pls): FFmpeg would open the files that they name.
    """
    if name := _by_prefix(head, _AV) or _FORMS.get((head[:4], head[8:12])):
        return name
    if brands := _brands(head):
        return None if brands[0] == b"crx " or image_format(head) else "mp4"
    if head[4:8] in _QUICKTIME_ATOMS and (head[0] == 0 or head[4:8] == b"mdat"):
        return "mp4"
    if _is_transport_stream(head):
        return "mpegts"
    return _framed_sound(head)


def unread_format(head: bytes) -> str | None:
    """A name for a person of what is surely a picture or music, but of a kind that is not read; None for all else."""
    if name := _by_prefix(head, _UNREAD):
        return name
    if _is_raw_tiff(head) or _brands(head)[:1] == [b"crx "]:
        return "camera raw"
    return "SVG" if head.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"<") and b"<svg" in head[:4096] else None


def id3_end(head: bytes) -> int:
    """Where the ID3v2 tag at the start of the file ends, in bytes; 0 when there is none."""
    if head[:3] != b"ID3" or len(head) < 10 or max(head[6:10]) > 0x7F:
        return 0
    size = head[6] << 21 | head[7] << 14 | head[8] << 7 | head[9]
    return 10 + size + (10 if head[5] & 0x10 else 0)


def _by_prefix(head: bytes, table: tuple[tuple[bytes, str], ...]) -> str | None:
    return next((name for prefix, name in table if head.startswith(prefix)), None)


def _brands(head: bytes) -> list[bytes]:
    """The major and the compatible brands of an ISO base media file; none when it is no such file."""
    if head[4:8] != b"ftyp":
        return []
    size = min(int.from_bytes(head[:4], "big"), len(head))
    return [head[8:12], *(head[at : at + 4] for at in range(16, size - 3, 4))]


def _is_raw_tiff(head: bytes) -> bool:
    """Whether a TIFF is a camera's: marked as DNG or CR2, or its first picture is a thumbnail of one in a sub-directory."""
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(head[:4])
    if order is None:
        return False
    if head[8:10] == b"CR":
        return True
    (at,) = struct.unpack_from(f"{order}I", head.ljust(8, b"\0"), 4)
    if at + 2 > len(head):
        return False
    (count,) = struct.unpack_from(f"{order}H", head, at)
    tags: dict[int, int] = {}
    for entry in range(at + 2, min(at + 2 + 12 * count, len(head) - 11), 12):
        tag, _, _, value = struct.unpack_from(f"{order}HHII", head, entry)
        tags[tag] = value
    return _DNG_VERSION in tags or (_SUB_DIRECTORIES in tags and tags.get(_NEW_SUBFILE_TYPE, 0) & 1 == 1)


def _is_transport_stream(head: bytes) -> bool:
    """Packets of one length, each beginning with 0x47; a recording may start in the middle of one."""
    for length in _TRANSPORT_PACKETS:
        for start in range(length):
            marks = head[start : start + length * _TRANSPORT_PACKETS_SEEN : length]
            if marks == b"G" * _TRANSPORT_PACKETS_SEEN:
                return True
    return False


def _framed_sound(head: bytes) -> str | None:
    """MPEG audio or AAC in ADTS: frames whose lengths lead from one to the next, possibly behind some junk."""
    at = head.find(b"\xff")
    while 0 <= at < len(head) - 7:
        for name, length_of in (("mp3", _mpeg_frame_length), ("aac", _adts_frame_length)):
            if _leads_on(head, at, length_of):
                return name
        at = head.find(b"\xff", at + 1)
    return None


def _leads_on(head: bytes, at: int, length_of: Callable[[bytes], int]) -> bool:
    """Whether a row of frames begins at `at`; at the very start of the file it may also run to the end of what there is."""
    start = at
    for _ in range(_SOUND_FRAMES_SEEN):
        if at + 7 > len(head):
            return start == 0 and at > 0
        length = length_of(head[at : at + 7])
        if length == 0:
            return False
        at += length
    return True


def _mpeg_frame_length(header: bytes) -> int:
    """Bytes of the MPEG audio frame of layer II or III with that header; 0 when it is none (ISO 11172-3 and 13818-3, clause 2.4.2.3)."""
    version, layer = header[1] >> 3 & 3, header[1] >> 1 & 3
    bit_rate, rate = header[2] >> 4, header[2] >> 2 & 3
    if header[0] != 0xFF or header[1] < 0xE0 or version == 1 or layer not in (1, 2) or bit_rate in (0, 15) or rate == 3:
        return 0
    low_rate = version != 3
    kilobits = _KILOBITS["low" if low_rate else "layer 3" if layer == 1 else "layer 2"][bit_rate - 1]
    hertz = (44_100, 48_000, 32_000)[rate] // {3: 1, 2: 2, 0: 4}[version]
    bytes_per_bit = 72_000 if layer == 1 and low_rate else 144_000
    return bytes_per_bit * kilobits // hertz + (header[2] >> 1 & 1)


def _adts_frame_length(header: bytes) -> int:
    """Bytes of the ADTS frame with that header; 0 when it is none (ISO 13818-7, clause 6.2)."""
    if header[0] != 0xFF or header[1] & 0xF6 != 0xF0 or header[2] >> 2 & 15 > 12:
        return 0
    length = (header[3] & 3) << 11 | header[4] << 3 | header[5] >> 5
    return length if length > 7 else 0
