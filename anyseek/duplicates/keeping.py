"""Which of several copies to keep, and why."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from ..storage.catalog import LocatedAsset
from ..storage.fingerprints import LiveContent
from ..types import Kind

__all__ = ["best_first", "longest_first", "oldest_first", "reason", "told_apart"]

SERIES_SECONDS = 3600


def _bit_rate(content: LiveContent) -> int:
    """In kbit/s; 0 for pictures. Rounded, so that the few bytes by which tags differ are no quality."""
    return round(content.size * 8 / content.duration_ms) if content.duration_ms else 0


def _taken(content: LiveContent) -> float:
    """When, in seconds since 1970; the file's own time where it says nothing, camera times without a zone as if they were UTC."""
    if content.captured_at is None:
        return content.oldest_ns / 1e9
    moment = datetime.fromisoformat(content.captured_at)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


Criterion = tuple[str, Callable[[LiveContent], float | str]]

_CRITERIA: tuple[Criterion, ...] = (
    ("most pixels", lambda content: -content.pixels),
    ("highest bit rate", lambda content: -_bit_rate(content)),
    ("most bytes", lambda content: -content.size),
    ("oldest", _taken),
    ("first by path", lambda content: content.path),
)


def best_first(contents: Sequence[LiveContent]) -> list[LiveContent]:
    """Sort copies, the best first: by pixels, bit rate, size, age, and last by path."""
    return sorted(contents, key=lambda content: tuple(judged(content) for _, judged in _CRITERIA))


def longest_first(contents: Sequence[LiveContent]) -> list[LiveContent]:
    """Sort films or sounds so that what may hold others comes before them, those of one length by `best_first`."""
    return sorted(best_first(contents), key=lambda content: -(content.duration_ms or 0))


def oldest_first(assets: Sequence[LocatedAsset]) -> list[LocatedAsset]:
    """Sort copies of the same bytes: the oldest first, those of one age by path."""
    return sorted(assets, key=lambda asset: (asset.mtime_ns, asset.path))


def reason(kept: LiveContent, others: Sequence[LiveContent], *, longest: bool = False) -> str:
    """What makes a content the one to keep: the first criterion by which it beats the best of the others.

    Args:
        kept: The content.
        others: What it was chosen from.
        longest: The others are parts of it.
    """
    if longest:
        return "longest"
    runner_up = best_first(others)[0]
    return next((name for name, judged in _CRITERIA if judged(kept) != judged(runner_up)), "first by path")


def told_apart(one: LiveContent, other: LiveContent) -> bool:
    """Whether two pictures are shots of one series: by the same camera, within an hour, but not at the same time."""
    if one.kind is not Kind.IMAGE or one.camera is None or one.camera != other.camera:
        return False
    if not one.captured_origin == other.captured_origin == "exif":
        return False
    return 0 < abs(_taken(one) - _taken(other)) < SERIES_SECONDS
