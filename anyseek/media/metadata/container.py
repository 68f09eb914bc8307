"""The tags of sound and film: the container's own (QuickTime, Matroska, RIFF, ASF) and those of audio files (ID3, Vorbis, MP4, APE)."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...types import Capture
from .dates import exif_date, iso_date
from .exif import camera_name
from .malformed import MALFORMED
from .places import iso6709_place
from .sidecar import with_sidecar
from .tags import MediaTags, clean_text, clean_texts, merge

__all__ = ["audio_file_tags", "av_metadata", "read_container_tags"]

_APPLE = "com.apple.quicktime."
_CREATED = (f"{_APPLE}creationdate", "date_recorded", "creation_time", "wm/encodingtime")  # Apple's has the local offset: first
_DATED = ("date", "year", "date_released")
_MAKE = (f"{_APPLE}make", "com.android.manufacturer", "make")
_MODEL = (f"{_APPLE}model", "com.android.model", "model")
_PLACE = (f"{_APPLE}location.iso6709", "location", "location-eng", "recording_location")
_TITLE = (f"{_APPLE}title", "title")
_ARTIST = (f"{_APPLE}artist", f"{_APPLE}author", "artist", "author", "album_artist", "performer")
_KEYWORDS = (f"{_APPLE}keywords", "keywords")

_FILE_TITLE = ("TIT2", "title", "©nam", "Title")
_FILE_ARTIST = ("TPE1", "artist", "©ART", "Author", "Artist")
_FILE_DATE = ("TDRC", "date", "©day", "WM/Year", "Year")
_LAST_YEAR_OF_A_RESET_CLOCK = 1970
_POPULARITY_OF_STARS = (0, 31, 95, 159, 223)  # the greatest value of ID3's POPM below 1, 2, 3, 4, 5 stars, as Windows writes them


def av_metadata(path: Path, container_tags: Mapping[str, str], *, mutagen_tags: bool) -> MediaTags:
    """Gather what a sound or film carries, its sidecars included.

    Args:
        path: The file.
        container_tags: As PyAV gives them, of the container or of container and streams together.
        mutagen_tags: Whether to read the tags of an audio file with mutagen, which knows more of them than the container does.
    """
    embedded = read_container_tags(container_tags)
    if mutagen_tags:
        embedded = merge(MediaTags(capture=embedded.capture), audio_file_tags(path), embedded)
    return with_sidecar(path, embedded)


def read_container_tags(tags: Mapping[str, str]) -> MediaTags:
    """The tags of a container, whose names count in any case (Matroska shouts)."""
    lower = {name.casefold(): value for name, value in tags.items()}
    place = next((found for name in _PLACE if (found := iso6709_place(lower.get(name))) is not None), None)
    return MediaTags(
        capture=_capture(lower),
        camera=camera_name(_first(lower, _MAKE), _first(lower, _MODEL)),
        latitude=place[0] if place else None,
        longitude=place[1] if place else None,
        title=clean_text(_first(lower, _TITLE)),
        artist=clean_text(_first(lower, _ARTIST)),
        rating=_user_stars(lower.get(f"{_APPLE}rating.user")),
        keywords=clean_texts((_first(lower, _KEYWORDS) or "").replace(";", ",").split(",")),
    )


def audio_file_tags(path: Path) -> MediaTags:
    """What mutagen finds in an audio file; nothing for a file that it cannot read."""
    import mutagen

    try:
        file = mutagen.File(path)
        tags = file.tags if file is not None else None
        if not tags:
            return MediaTags()
        taken = next((moment for text in _texts(tags, _FILE_DATE) if (moment := iso_date(text)) is not None), None)
        return MediaTags(
            capture=Capture(taken, "tag") if taken else None,
            title=clean_text(next(iter(_texts(tags, _FILE_TITLE)), None)),
            artist=clean_text(", ".join(clean_texts(_texts(tags, _FILE_ARTIST)))),
            rating=_popularity(tags),
        )
    except (mutagen.MutagenError, *MALFORMED):
        return MediaTags()


def _capture(tags: Mapping[str, str]) -> Capture | None:
    recorded = " ".join(tags[name] for name in ("origination_date", "origination_time") if name in tags)  # Broadcast Wave
    created = (iso_date(tags.get(name)) for name in _CREATED)
    for moment in (*created, iso_date(recorded) or exif_date(recorded)):
        if moment is not None and moment.year > _LAST_YEAR_OF_A_RESET_CLOCK:
            return Capture(moment, "container")
    dated = next((moment for name in _DATED if (moment := iso_date(tags.get(name))) is not None), None)
    return Capture(dated, "tag") if dated else None


def _first(tags: Mapping[str, str], names: tuple[str, ...]) -> str | None:
    return next((tags[name] for name in names if tags.get(name)), None)


def _user_stars(text: str | None) -> int | None:
    try:
        stars = float(text) if text is not None else -1.0
    except ValueError:
        return None
    return round(stars) if 0 <= stars <= 5 else None


def _texts(tags: Mapping[str, Any], names: tuple[str, ...]) -> list[str]:
    """The values of the first of `names` that is there, whichever shape the tag standard gives them."""
    for name in names:
        try:
            value = tags[name]
        except (LookupError, ValueError):  # Vorbis comments refuse names that they could not hold
            continue
        values = getattr(value, "text", value)
        return [str(item) for item in values] if isinstance(values, list) else [str(values)]
    return []


def _popularity(tags: Any) -> int | None:
    """ID3's popularimeter, 0 to 255, as stars."""
    for frame in tags.getall("POPM") if hasattr(tags, "getall") else ():
        if frame.rating:
            return bisect_left(_POPULARITY_OF_STARS, int(frame.rating))
    return None
