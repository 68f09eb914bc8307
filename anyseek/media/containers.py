"""The one door to libav: audio and video files are opened here and nowhere else, and its errors leave as `MediaError`.

A media file may name other files or addresses (playlists, concat scripts, numbered pictures, manifests). Only the containers listed
here are ever opened, and only through the ``file`` protocol, so that nothing but the named file is read.
"""

from __future__ import annotations

import errno
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import FailureCode, MediaError
from .protocol import Limits, Tick

if TYPE_CHECKING:
    from av import VideoFrame
    from av.audio.stream import AudioStream
    from av.container import InputContainer
    from av.packet import Packet
    from av.video.stream import VideoStream

__all__ = [
    "Pulse",
    "Summary",
    "check_size",
    "clock_may_jump",
    "first_frame",
    "open_container",
    "packets_of",
    "picture_track",
    "rotation_of",
    "sound_track",
    "summarize",
    "upright_size",
]

# libav's demuxer names. An allow-list: hls, dash, concat, image2, imf, sdp, tty and whatever comes next are out without being named.
_CONTAINERS = (
    "aac,ac3,aiff,amr,ape,asf,au,av1,avi,caf,dsf,dts,dtshd,dv,eac3,flac,flv,gif,gxf,h264,hevc,ivf,loas,m4v,matroska,webm,"
    "mjpeg,mov,mp4,mp3,mpc,mpc8,mpeg,mpegts,mpegvideo,mxf,nut,obu,ogg,oma,rm,spdif,swf,tak,truehd,tta,vc1,voc,w64,wav,wtv,wv,xwma,yuv4mpegpipe"
)
_TS_DISCONT = 0x0200  # AVFMT_TS_DISCONT
_MAX_PROBE_PACKETS = 1_000


class Pulse:
    """Passes a sign of life on, at most five times a second, so that it may be given for every packet."""

    def __init__(self, tick: Tick) -> None:
        self._tick = tick
        self._due = 0.0

    def beat(self) -> None:
        """Give one."""
        now = time.monotonic()
        if now >= self._due:
            self._due = now + 0.2
            self._tick()


@contextmanager
def open_container(path: Path) -> Iterator[InputContainer]:
    """Open a local media file with libav.

    Raises:
        MediaError: With the reason for which the file cannot be opened, or for which what the ``with`` block did with it failed.
    """
    import av

    # before av 19 text that is not UTF-8 in a title would otherwise lose the whole file; 19 has no such argument and replaces by itself
    lenient: dict[str, Any] = {"metadata_errors": "replace"} if int(av.__version__.partition(".")[0]) < 19 else {}
    options = {"protocol_whitelist": "file", "format_whitelist": _CONTAINERS}
    with _translated(path):
        try:
            container = av.open(f"file:{path}", options=options, **lenient)
        except av.error.ArgumentError as exc:
            raise MediaError(FailureCode.NOT_MEDIA, "a playlist or a list of other files, not media", path) from exc
        with container:
            yield container


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    import av.error as libav

    try:
        yield
    except MediaError:
        raise
    except FileNotFoundError as exc:
        raise MediaError(FailureCode.VANISHED, "the file is gone", path) from exc
    except PermissionError as exc:
        raise MediaError(FailureCode.PERMISSION, "reading it is not permitted", path) from exc
    except IsADirectoryError as exc:
        raise MediaError(FailureCode.NOT_MEDIA, "a folder, not a file", path) from exc
    except MemoryError as exc:
        raise MediaError(FailureCode.MEMORY, "decoding it needs more memory than there is", path) from exc
    except (libav.DecoderNotFoundError, libav.PatchWelcomeError, NotImplementedError) as exc:
        raise MediaError(FailureCode.UNSUPPORTED, f"libav cannot read this kind of file ({exc.args[-1]})", path) from exc
    except (libav.InvalidDataError, libav.EOFError, IndexError, ValueError) as exc:
        raise MediaError(FailureCode.DAMAGED, "the container is damaged or incomplete", path) from exc
    except OSError as exc:
        # libav says EIO of a torn Matroska as well; a disk that fails has been noticed before, when the content was hashed
        if exc.errno == errno.EIO and isinstance(exc, libav.FFmpegError):
            raise MediaError(FailureCode.DAMAGED, "the container is damaged or incomplete", path) from exc
        raise MediaError(FailureCode.READ_ERROR, f"reading failed ({exc.strerror or exc})", path) from exc
    except libav.FFmpegError as exc:
        raise MediaError(FailureCode.DAMAGED, f"libav cannot read it ({exc.strerror or exc})", path) from exc


def picture_track(container: InputContainer) -> VideoStream | None:
    """The film's pictures: the track that libav thinks best, or None where there are only covers and thumbnails."""
    from av.stream import Disposition

    stills = Disposition.attached_pic | Disposition.timed_thumbnails
    tracks = [t for t in container.streams.video if t.codec_context is not None and t.width and t.height and not t.disposition & stills]
    best = container.streams.best("video")
    return next((track for track in tracks if best is not None and track.index == best.index), tracks[0] if tracks else None)


def sound_track(container: InputContainer) -> AudioStream | None:
    """The track of sound that libav thinks best, or None."""
    tracks = [t for t in container.streams.audio if t.codec_context is not None]
    best = container.streams.best("audio")
    return next((track for track in tracks if best is not None and track.index == best.index), tracks[0] if tracks else None)


def packets_of(container: InputContainer, track: VideoStream | AudioStream, pulse: Pulse) -> Iterator[Packet[Any]]:
    """The packets of one track in the order of the file. Where the file is torn, what was read before stands."""
    import av.error as libav

    packets = container.demux(track)
    while True:
        pulse.beat()
        try:
            packet = next(packets)
        except (StopIteration, libav.FFmpegError):
            return
        if packet.size:
            yield packet


def first_frame(container: InputContainer, track: VideoStream, pulse: Pulse) -> VideoFrame | None:
    """The first frame that is shown: decoding starts at a key frame, and what an edit list cuts off is not shown."""
    import av.error as libav

    packets = packets_of(container, track, pulse)
    started = False
    for number, packet in enumerate(packets):
        started = started or packet.is_keyframe
        if not started:
            continue
        try:
            frames = track.codec_context.decode(packet)
        except libav.FFmpegError:
            continue
        if frames:
            return frames[0]
        if number > _MAX_PROBE_PACKETS:
            return None
    try:
        frames = track.codec_context.decode(None)
    except libav.FFmpegError:
        return None
    return frames[0] if frames else None


def clock_may_jump(container: InputContainer) -> bool:
    """Whether time stamps may start anew in the middle, as in a broadcast (MPEG-TS and -PS)."""
    return bool(container.format.flags & _TS_DISCONT)


def rotation_of(frame: VideoFrame) -> int:
    """By how many degrees a frame must be turned counterclockwise to stand upright: 0, 90, 180 or 270."""
    degrees = frame.rotation
    return round(degrees / 90) * 90 % 360 if -360 <= degrees <= 360 else 0  # a matrix of zeros turns by "not a number"


def upright_size(width: int, height: int, aspect: float, rotation: int) -> tuple[int, int]:
    """Width and height in pixels as they are seen: square pixels, `rotation` degrees applied."""
    wide = max(1, round(width * aspect))
    return (height, wide) if rotation in (90, 270) else (wide, height)


@dataclass(frozen=True, slots=True)
class Summary:
    """What a container says before its segments are decoded.

    Attributes:
        format: Short name, lower case: ``mp4``, ``webm``, ``ogg``.
        has_picture: There is a picture track.
        has_sound: There is a sound track.
        width: As seen upright with square pixels; None without pictures.
        height: As seen upright; None without pictures.
        duration_ms: As the header says; None where it says nothing.
        starts_at_ms: Time stamp of the first frame that is shown; None when there is none.
        tags: The tags of the container and of its track, as they stand in the file.
    """

    format: str
    has_picture: bool
    has_sound: bool
    width: int | None
    height: int | None
    duration_ms: int | None
    starts_at_ms: float | None
    tags: dict[str, str]


def summarize(path: Path, limits: Limits) -> Summary:
    """Read the header of a file and decode its first frame, which alone knows its rotation.

    Raises:
        MediaError: It cannot be opened, holds neither pictures nor sound, or lies beyond `limits`.
    """
    with open_container(path) as container:
        picture, sound = picture_track(container), sound_track(container)
        track = picture or sound
        if track is None:
            raise MediaError(FailureCode.NO_CONTENT, "there are neither pictures nor sound in it that can be read", path)
        duration_ms = _duration_ms(container, track)
        if duration_ms is not None and duration_ms > limits.max_duration_ms:
            raise MediaError(FailureCode.TOO_LONG, f"{duration_ms // 1000} s long, the limit is {limits.max_duration_ms // 1000} s", path)
        width = height = None
        starts_at_ms = None
        if picture is not None:
            check_size(picture.width, picture.height, limits, path)
            frame = first_frame(container, picture, Pulse(lambda: None))
            rotation = rotation_of(frame) if frame is not None else 0
            width, height = upright_size(picture.width, picture.height, float(picture.sample_aspect_ratio or 1), rotation)
            if frame is not None and frame.pts is not None and picture.time_base is not None:
                starts_at_ms = float(frame.pts * picture.time_base * 1000)
        return Summary(
            format=_short_name(container, path),
            has_picture=picture is not None,
            has_sound=sound is not None,
            width=width,
            height=height,
            duration_ms=duration_ms,
            starts_at_ms=starts_at_ms,
            tags={**track.metadata, **container.metadata},
        )


def check_size(width: int, height: int, limits: Limits, path: Path) -> None:
    """Refuse frames larger than ``limits.max_pixels``.

    Raises:
        MediaError: TOO_LARGE.
    """
    if width * height > limits.max_pixels:
        raise MediaError(FailureCode.TOO_LARGE, f"frames of {width} x {height}, the limit is {limits.max_pixels} pixels", path)


def _duration_ms(container: InputContainer, track: VideoStream | AudioStream) -> int | None:
    if container.duration is not None and container.duration > 0:
        return round(container.duration / 1000)
    if track.duration and track.time_base:
        return round(track.duration * track.time_base * 1000)
    return None


def _short_name(container: InputContainer, path: Path) -> str:
    names = container.format.name.split(",")
    if "mp4" in names:
        brand = container.metadata.get("major_brand", "").strip().lower()
        return {"qt": "mov", "m4a": "m4a", "m4b": "m4a"}.get(brand, "3gp" if brand.startswith("3g") else "mp4")
    if "matroska" in names:
        with path.open("rb") as file:
            return "webm" if b"webm" in file.read(64) else "matroska"
    return names[0]
