"""Pictures: opened by content, checked before they are decoded, handed out small, upright and in sRGB.

Pillow's global switches are left alone, since the program around may have its own wishes for them. The reader of the format is called
directly, as `Image.open` would warn of or refuse the 200 megapixels of a phone by `Image.MAX_IMAGE_PIXELS`; the caps of `Limits`, which
know that a JPEG is cheap to decode at a fraction, are checked instead.
"""

from __future__ import annotations

import logging
import math
import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib import import_module
from pathlib import Path
from types import TracebackType
from typing import IO, TYPE_CHECKING, Self

import numpy as np

from ..errors import FailureCode, MediaError
from ..types import Decoded, Kind, MediaInfo, Modality, Picture, Segment
from .kinds import Family, Signature, sniff, translate_os_error
from .metadata import image_metadata, with_sidecar
from .metadata.exif import exif_orientation
from .protocol import DecodeOptions, Tick
from .rgb import shrunk_rgb

if TYPE_CHECKING:
    from PIL.ImageFile import ImageFile as PillowFile

__all__ = ["ImageFile", "picture_errors", "silence_pillow"]

_READERS = {
    "jpeg": ("PIL.JpegImagePlugin", "JpegImageFile"),
    "png": ("PIL.PngImagePlugin", "PngImageFile"),
    "webp": ("PIL.WebPImagePlugin", "WebPImageFile"),
    "avif": ("PIL.AvifImagePlugin", "AvifImageFile"),
    "gif": ("PIL.GifImagePlugin", "GifImageFile"),
    "tiff": ("PIL.TiffImagePlugin", "TiffImageFile"),
    "bmp": ("PIL.BmpImagePlugin", "BmpImageFile"),
    "jpeg2000": ("PIL.Jpeg2KImagePlugin", "Jpeg2KImageFile"),
    "heif": ("pillow_heif.as_plugin", "HeifImageFile"),
}
_UPRIGHT_ALREADY = {"tiff", "heif"}  # their readers turn the picture themselves; once more would be wrong
_READ_WHOLE = {"webp", "avif", "heif"}  # their readers hold the whole file in memory
_MAX_BYTES_READ_WHOLE = 512 * 1024**2
_WITH_FRAMES = {"gif", "webp", "avif", "png", "tiff"}
_FRAMES_SAMPLED = 4
_FRAMES_WALKED = 1_000
_LONG_SIDE_TIMES = 8
_DRAFT_TIMES = 2  # decoding a JPEG at twice the target, then shrinking: 55 dB to the full decode, in a quarter of the time

_PILLOW_FAULTS = (
    SyntaxError,
    struct.error,
    zlib.error,
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    LookupError,
    RuntimeError,
    TypeError,
    ValueError,
    Warning,  # an exception under python -W error; see silence_pillow
)
_BEYOND_PILLOW = ("Cannot handle", "unknown pixel mode", "not available", "unsupported")


class ImageFile:
    """One opened picture, animation or set of pages: a `MediaFile`.

    Attributes:
        info: Width and height are those seen upright. `frames` counts an animation's frames or a TIFF's pages.
    """

    info: MediaInfo

    def __init__(self, path: Path, options: DecodeOptions, signature: Signature | None = None) -> None:
        """Open the file and read its header and tags; no pixel is decoded.

        Args:
            path: The file.
            options: `image_size`, `modalities` and `limits` are used.
            signature: What `sniff` said, where the caller has asked already.

        Raises:
            MediaError: It is no picture, is damaged, or is larger than `options.limits` allow.
        """
        signature = signature or sniff(path, options.limits)
        if signature.family is not Family.IMAGE:
            raise MediaError(FailureCode.NOT_MEDIA, "it holds no picture", path)
        self._path = path
        self._options = options
        self._format = signature.format
        with ExitStack() as undo, picture_errors(path):
            file = undo.enter_context(path.open("rb"))
            self._refuse_by_header(file)
            self._image = undo.enter_context(_reader(self._format)(file, str(path)))
            self._refuse_large()
            self._frames = self._count_frames()
            self.info = self._describe()
            self._opened = undo.pop_all()

    def segments(self, tick: Tick = lambda: None) -> Iterator[Decoded]:
        """Decode the picture, or up to four evenly spaced frames or pages.

        Each is a segment of its own; its `frame_ms` is when an animation shows it, or the number of the page. Where a later frame
        is damaged, those before it stand.

        Args:
            tick: Called before each frame that is decoded or passed over.

        Yields:
            Pictures with a short side of at most `image_size` and a long side of at most eight times that; never enlarged.

        Raises:
            MediaError: The picture, or the first frame, cannot be decoded.
        """
        if Modality.IMAGE not in self._options.modalities:
            return
        wanted = _evenly_spaced(min(self._frames, _FRAMES_WALKED))
        clock_ms, shown_ms = 0.0, -1
        for number in range(wanted[-1] + 1):
            tick()
            try:
                with picture_errors(self._path):
                    self._go_to(number)
                    pixels = self._decode(number) if number in wanted else None
            except MediaError as error:
                if number == 0 or error.code is FailureCode.MEMORY:
                    raise
                return
            if pixels is not None:
                at_ms = number if self._format == "tiff" else self._image.info.get("timestamp", clock_ms)
                shown_ms = max(round(at_ms), shown_ms + 1)
                yield Picture(Segment(Modality.IMAGE, frame_ms=shown_ms), pixels)
            clock_ms += self._image.info.get("duration", 0)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; `info` stays."""
        self._opened.close()

    def _decode(self, number: int) -> np.ndarray:
        image = self._image
        target = self._target(*image.size)
        if self._format == "jpeg":
            full = image.size
            image.draft(None, (_DRAFT_TIMES * target[0], _DRAFT_TIMES * target[1]))
            if math.prod(image.size) > self._options.limits.max_pixels:
                _refuse_pixels(*full, self._options.limits.max_pixels)
        image.load()
        if self._format == "png" and number == 0:
            self.info = self._describe()  # EXIF and texts may lie behind the pixels
        pixels = shrunk_rgb(image, target)
        return pixels if self._format in _UPRIGHT_ALREADY else _upright(pixels, exif_orientation(image))

    def _go_to(self, number: int) -> None:
        if self._frames > 1:
            self._image.seek(number)
            self._refuse_large()  # each page of a TIFF has a size of its own

    def _target(self, width: int, height: int) -> tuple[int, int]:
        short = self._options.image_size
        scale = min(1.0, short / min(width, height), _LONG_SIDE_TIMES * short / max(width, height))
        return max(1, round(width * scale)), max(1, round(height * scale))

    def _describe(self) -> MediaInfo:
        width, height = self._image.size
        if self._format not in _UPRIGHT_ALREADY and exif_orientation(self._image) >= 5:
            width, height = height, width
        return MediaInfo(
            kind=Kind.IMAGE,
            format=self._format,
            width=width,
            height=height,
            frames=self._frames if self._frames > 1 else None,
            **with_sidecar(self._path, image_metadata(self._image)).as_fields(),
        )

    def _count_frames(self) -> int:
        if self._format not in _WITH_FRAMES:
            return 1
        try:
            return int(getattr(self._image, "n_frames", 1))
        except (OSError, *_PILLOW_FAULTS):
            return 1  # a damaged tail says nothing against the first picture

    def _refuse_by_header(self, file: IO[bytes]) -> None:
        """Refuse what would cost memory as soon as its reader is made."""
        if self._format in _READ_WHOLE:
            size = file.seek(0, 2)
            if size > _MAX_BYTES_READ_WHOLE:
                reason = f"{size:,} bytes, the limit for {self._format} is {_MAX_BYTES_READ_WHOLE:,}"
                raise MediaError(FailureCode.TOO_LARGE, reason, self._path)
            file.seek(0)
        if self._format == "webp":
            _refuse_pixels(*_webp_canvas(file.read(30)), self._options.limits.max_pixels)
            file.seek(0)

    def _refuse_large(self) -> None:
        limits = self._options.limits
        # a progressive JPEG keeps all its coefficients in memory, however small it is decoded
        cheap = self._format == "jpeg" and not self._image.info.get("progressive")
        _refuse_pixels(*self._image.size, limits.max_draft_pixels if cheap else limits.max_pixels)


def silence_pillow() -> None:
    """Keep Pillow's remarks on malformed tags off stderr and out of the log, for the whole process: only for a process of our own."""
    warnings.filterwarnings("ignore", module=r"PIL\.")
    logging.getLogger("PIL").setLevel(logging.CRITICAL)


@contextmanager
def picture_errors(path: Path) -> Iterator[None]:
    """Turn whatever Pillow, pillow-heif and the system raise over a file into a `MediaError`."""
    from PIL import Image

    try:
        yield
    except MediaError as error:
        raise MediaError(error.code, error.reason, path) from error
    except Image.DecompressionBombError as error:
        raise MediaError(FailureCode.TOO_LARGE, str(error), path) from error
    except MemoryError as error:
        raise MediaError(FailureCode.MEMORY, "not enough memory to decode it", path) from error
    except OSError as error:
        if error.errno is not None:
            raise translate_os_error(error, path) from error
        raise _pillow_fault(error, path) from error
    except _PILLOW_FAULTS as error:
        raise _pillow_fault(error, path) from error


def _pillow_fault(error: Exception, path: Path) -> MediaError:
    reason = "it breaks off" if isinstance(error, struct.error) else str(error) or type(error).__name__
    if "MAX_TEXT" in reason:
        return MediaError(FailureCode.TOO_LARGE, "its texts are packed bombs or longer than any text should be", path)
    if isinstance(error, NotImplementedError) or any(phrase in reason for phrase in _BEYOND_PILLOW):
        return MediaError(FailureCode.UNSUPPORTED, reason, path)
    return MediaError(FailureCode.DAMAGED, f"the picture is damaged: {reason}", path)


def _reader(name: str) -> type[PillowFile]:
    module, reader = _READERS[name]
    found: type[PillowFile] = getattr(import_module(module), reader)
    return found


def _refuse_pixels(width: int, height: int, limit: int) -> None:
    if width * height > limit:
        raise MediaError(FailureCode.TOO_LARGE, f"{width} x {height} pixels, the limit is {limit / 1e6:g} million")


def _webp_canvas(head: bytes) -> tuple[int, int]:
    """(width, height) as RFC 9649 writes them for the extended, the lossless and the lossy layout."""
    if head[12:16] == b"VP8X":
        return int.from_bytes(head[24:27], "little") + 1, int.from_bytes(head[27:30], "little") + 1
    if head[12:16] == b"VP8L":
        bits = int.from_bytes(head[21:25], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    return int.from_bytes(head[26:28], "little") & 0x3FFF, int.from_bytes(head[28:30], "little") & 0x3FFF


def _evenly_spaced(frames: int) -> list[int]:
    sampled = min(frames, _FRAMES_SAMPLED)
    return [frames * part // sampled for part in range(sampled)]


def _upright(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """Undo EXIF's orientation, for which every one of the eight is a transposition, then one flip or two, or none."""
    if orientation >= 5:
        pixels = pixels.transpose(1, 0, 2)
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    return np.ascontiguousarray(pixels)
