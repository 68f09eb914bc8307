"""Sidecars: ``photo.jpg.xmp`` (darktable, digiKam) and ``photo.xmp`` (Lightroom, Bridge) beside a file."""

from __future__ import annotations

from pathlib import Path

from .tags import MediaTags, merge
from .xmp import xmp_tags

__all__ = ["sidecar_metadata", "sidecars_of", "with_sidecar"]

_MAX_BYTES = 4 * 1024**2


def sidecars_of(path: Path) -> tuple[Path, ...]:
    """Where a sidecar of the file would lie, the more telling name first."""
    return path.with_name(path.name + ".xmp"), path.with_suffix(".xmp")


def sidecar_metadata(path: Path) -> MediaTags:
    """The tags of the sidecars beside `path`; none when there is no sidecar or it cannot be read."""
    return merge(*(_read(sidecar) for sidecar in sidecars_of(path)))


def with_sidecar(path: Path, embedded: MediaTags) -> MediaTags:
    """Join a file's own tags with those of its sidecars.

    A sidecar is where a person's later work is kept: its title and rating win and its keywords are added; for what the camera knew
    (date, place, camera) the file itself is asked first.
    """
    beside = sidecar_metadata(path)
    return merge(MediaTags(title=beside.title, rating=beside.rating), embedded, beside)


def _read(sidecar: Path) -> MediaTags:
    try:
        if not sidecar.is_file() or sidecar.stat().st_size > _MAX_BYTES:
            return MediaTags()
        return xmp_tags(sidecar.read_bytes())
    except (OSError, ValueError):
        return MediaTags()
