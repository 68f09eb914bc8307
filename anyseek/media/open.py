"""The door of `media`: one call that opens a picture, a sound or a film, whatever its name says."""

from __future__ import annotations

from pathlib import Path

from .image import ImageFile
from .kinds import Family, sniff
from .protocol import DecodeOptions, MediaFile
from .video import open_av

__all__ = ["open_media"]


def open_media(path: Path, options: DecodeOptions) -> MediaFile:
    """Open a local media file; its content tells what it is.

    Args:
        path: A file. Nothing else is read, even if it names other files.
        options: How it will be cut into segments, and the limits it must keep.

    Returns:
        A context manager with the file's `info`, whose `segments` decodes it.

    Raises:
        MediaError: With the reason for which the file cannot be used.
        MissingExtra: ``options.video_backend`` is not installed.
    """
    signature = sniff(path, options.limits)
    if signature.family is Family.IMAGE:
        return ImageFile(path, options, signature)
    return open_av(path, options)
