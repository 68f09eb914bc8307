"""The tags a file carries, whatever standard wrote them, as one value."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any

from ...types import Capture

__all__ = ["MAX_KEYWORDS", "MAX_TEXT", "MediaTags", "clean_text", "clean_texts", "merge"]

MAX_TEXT = 500
MAX_KEYWORDS = 200


@dataclass(frozen=True, slots=True)
class MediaTags:
    """What a file says about itself beyond its pixels and samples. The names are those of `MediaInfo`.

    Attributes:
        capture: When it was taken; None when the file does not say (the file time is then the caller's to use).
        camera: Make and model, the make once.
        latitude: Degrees north, WGS 84.
        longitude: Degrees east, WGS 84.
        title: At most `MAX_TEXT` characters, as all texts here.
        artist: Who made it; several are joined by ``, ``.
        rating: 0 to 5 stars.
        keywords: In the order of the file, without repetition, at most `MAX_KEYWORDS`.
    """

    capture: Capture | None = None
    camera: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    title: str | None = None
    artist: str | None = None
    rating: int | None = None
    keywords: tuple[str, ...] = ()

    def as_fields(self) -> dict[str, Any]:
        """The tags by name: ``MediaInfo(kind, format, **tags.as_fields())``."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


def merge(*sources: MediaTags) -> MediaTags:
    """Take each tag from the first source that has it; a place as a whole, keywords from all of them."""
    merged: dict[str, Any] = {}
    for name in ("capture", "camera", "title", "artist", "rating"):
        merged[name] = next((value for source in sources if (value := getattr(source, name)) is not None), None)
    place = next(((s.latitude, s.longitude) for s in sources if s.latitude is not None), (None, None))
    keywords = clean_texts(word for source in sources for word in source.keywords)
    return MediaTags(latitude=place[0], longitude=place[1], keywords=keywords, **merged)


def clean_text(text: object) -> str | None:
    """A tag's text without control characters and outer space, cut at `MAX_TEXT`; None when nothing is left."""
    if not isinstance(text, str):
        return None
    text = text.partition("\0")[0][: 4 * MAX_TEXT]
    printable = "".join(character if character.isprintable() else " " for character in text)
    return " ".join(printable.split())[:MAX_TEXT].rstrip() or None


def clean_texts(texts: Iterable[object]) -> tuple[str, ...]:
    """`clean_text` of each, without the empty ones and without repetition (ignoring case), at most `MAX_KEYWORDS`."""
    kept: dict[str, str] = {}
    for text in texts:
        if (word := clean_text(text)) is not None:
            kept.setdefault(word.casefold(), word)
        if len(kept) == MAX_KEYWORDS:
            break
    return tuple(kept.values())
