"""Which files are media: by name, cheaply, for the scan; by content, for everything after it."""

from __future__ import annotations

import errno
import os
import stat
from enum import StrEnum
from pathlib import Path, PurePath
from typing import NamedTuple

from ..errors import FailureCode, MediaError
from ..types import Kind
from .protocol import Limits
from .signatures import HEAD_BYTES, av_format, id3_end, image_format, unread_format

__all__ = ["Family", "Signature", "kind_by_suffix", "sniff", "translate_os_error"]

_SUFFIXES: dict[Kind, str] = {
    Kind.IMAGE: "jpg jpeg jpe jfif mpo png apng webp avif avifs gif tif tiff bmp dib jp2 j2k j2c jpc jpf jpx heic heif hif",
    Kind.AUDIO: (
        "mp3 mp2 mpga m4a m4b m4r aac adts flac wav wave bwf rf64 w64 aif aiff aifc caf au snd ogg oga opus spx weba mka wma "
        "amr awb ac3 eac3 dts ape wv mpc tta dsf"
    ),
    Kind.VIDEO: (
        "mp4 m4v mov qt mkv webm avi divx wmv asf mpg mpeg mpe m1v m2v vob ts mts m2ts m2t 3gp 3g2 ogv ogm flv f4v mxf dv rm rmvb y4m"
    ),
}
_KIND_BY_SUFFIX = {f".{suffix}": kind for kind, suffixes in _SUFFIXES.items() for suffix in suffixes.split()}


def kind_by_suffix(name: str) -> Kind | None:
    """What a file of that name most likely holds; None when its suffix is none that can be read.

    Only a guess, for deciding which files to open: `.ts` is also a programming language, and a sound may be called `.mp4`.
    """
    return _KIND_BY_SUFFIX.get(PurePath(name).suffix.casefold())


class Family(StrEnum):
    """Who opens it. Whether an AV file is sound alone or a film only its streams can tell."""

    IMAGE = "image"
    AV = "av"


class Signature(NamedTuple):
    """What the first bytes say: the family, and the format (``jpeg``, ``mp4``, ``ogg``) as far as they tell."""

    family: Family
    format: str


def sniff(path: Path, limits: Limits) -> Signature:
    """Tell what a file is from its content, after the checks that every file must pass.

    Args:
        path: The file; its name plays no part.
        limits: `max_bytes` is kept here.

    Raises:
        MediaError: EMPTY, TOO_LARGE, NOT_MEDIA (a folder, a pipe, text, a playlist, anything unknown), UNSUPPORTED (a picture of a
            format that is known but not read, such as camera raw), DAMAGED (an ID3 tag without a sound behind it), or why the file
            could not be opened.
    """
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):  # before opening: a pipe would wait for a writer for ever
            raise MediaError(FailureCode.NOT_MEDIA, "it is no regular file", path)
        if status.st_size == 0:
            raise MediaError(FailureCode.EMPTY, "the file has no bytes", path)
        if status.st_size > limits.max_bytes:
            raise MediaError(FailureCode.TOO_LARGE, f"{status.st_size:,} bytes, the limit is {limits.max_bytes:,}", path)
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
            behind_tag = b""
            if (end := id3_end(head)) > 0:
                file.seek(end)
                behind_tag = file.read(HEAD_BYTES)
    except OSError as error:
        raise translate_os_error(error, path) from error
    return _recognise(head, behind_tag, path)


def translate_os_error(error: OSError, path: Path | str) -> MediaError:
    """The same failure as a `MediaError`: VANISHED, PERMISSION, NOT_MEDIA for a folder, else READ_ERROR with the system's words."""
    if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ESTALE):
        return MediaError(FailureCode.VANISHED, "the file is not there (any more)", path)
    if error.errno in (errno.EACCES, errno.EPERM):
        return MediaError(FailureCode.PERMISSION, "no permission to read it", path)
    if error.errno == errno.EISDIR:
        return MediaError(FailureCode.NOT_MEDIA, "it is no regular file", path)
    if error.errno == errno.ENOMEM:
        return MediaError(FailureCode.MEMORY, "not enough memory to read it", path)
    return MediaError(FailureCode.READ_ERROR, os.strerror(error.errno) if error.errno else str(error), path)


def _recognise(head: bytes, behind_tag: bytes, path: Path) -> Signature:
    if id3_end(head) > 0:  # FFmpeg skips the tag, and would follow a playlist hidden behind it
        found = av_format(behind_tag)
        if found is None:
            raise MediaError(FailureCode.DAMAGED, "no sound follows its ID3 tag", path)
        return Signature(Family.AV, found)
    if (found := image_format(head)) is not None:
        return Signature(Family.IMAGE, found)
    if (found := av_format(head)) is not None:
        return Signature(Family.AV, found)
    if (found := unread_format(head)) is not None:
        raise MediaError(FailureCode.UNSUPPORTED, f"{found} files cannot be read", path)
    raise MediaError(FailureCode.NOT_MEDIA, "the content is no known picture, sound or film", path)
