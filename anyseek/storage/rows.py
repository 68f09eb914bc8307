"""What the catalog answers, as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Literal, NamedTuple, Self

from ..types import Kind, Modality, Segment, Space

__all__ = [
    "AssetRow",
    "AssetState",
    "ContentInfo",
    "ContentRow",
    "Counts",
    "Coverage",
    "EmbeddingState",
    "FailureRow",
    "FeedbackRow",
    "LocatedAsset",
    "Purged",
    "QueryKey",
    "QueryKind",
    "SegmentRow",
    "SourceRow",
    "SpaceCounts",
    "SpaceRow",
    "SpaceState",
    "Verdict",
]

AssetState = Literal["indexed", "failed", "deleted"]
Coverage = Literal["partial", "complete", "refused"]
"""How much of a content is embedded in a space; REFUSED when its encoder took nothing of it, though another one did."""
SpaceState = Literal["serving", "building", "kept"]
QueryKind = Literal["text", "like"]
"""What was asked: TEXT in words, LIKE for what is like something of the library."""
Verdict = Literal["liked", "opened", "rejected"]


class SpaceRow(NamedTuple):
    """An embedding space of the library.

    Attributes:
        state: SERVING when it is searched, BUILDING while it is filled to take over, KEPT when another one took over from it.
    """

    id: int
    space: Space
    state: SpaceState


class SpaceCounts(NamedTuple):
    """How far a space is filled.

    Attributes:
        embeddings: Its vectors, those of deleted assets included.
        lacking: Contents that lie at some place, can be read, and have not all of their vectors in it.
        refused: Contents that lie at some place and of which its encoder took nothing.
    """

    embeddings: int
    lacking: int
    refused: int


class SourceRow(NamedTuple):
    """A folder that is scanned.

    Attributes:
        root: Absolute.
        whole: The folder itself was named, not only single files of it.
        exclude: Patterns of what is not to be in the library.
    """

    id: int
    root: Path
    whole: bool = False
    exclude: tuple[str, ...] = ()


class AssetRow(NamedTuple):
    """What comparing a walk with the catalog needs of an asset."""

    id: int
    size: int
    mtime_ns: int
    state: AssetState
    content_id: int | None
    failure_code: str | None


class ContentRow(NamedTuple):
    """What is known of some bytes, and how much of them is embedded by the id of the space; spaces with nothing of them are left out."""

    id: int
    kind: Kind | None
    coverage: Mapping[int, Coverage]
    failure_code: str | None
    failure_reason: str | None


class SegmentRow(NamedTuple):
    """What an embedding stands for."""

    embedding_id: int
    content_id: int
    kind: Kind
    segment: Segment


class LocatedAsset(NamedTuple):
    """Where media lies: `path` absolute, `relative` to its source with slashes."""

    id: int
    path: Path
    relative: str
    source_id: int
    content_id: int | None
    size: int
    mtime_ns: int


class FailureRow(NamedTuple):
    """A file that could not be indexed, why, and since when (UTC)."""

    path: Path
    code: str
    reason: str
    since: datetime


class QueryKey(NamedTuple):
    """By what a query is known again.

    Attributes:
        text: The words; of a query by something of the library its content's id and its stretch: ``12``, ``12@3000-4500``.
        content_id: Of a query by something of the library.
    """

    kind: QueryKind
    text: str
    content_id: int | None = None

    @classmethod
    def words(cls, text: str) -> Self:
        """A query in words, however many spaces are between them."""
        return cls("text", " ".join(text.split()))

    @classmethod
    def like(cls, content_id: int, stretch: tuple[int, int] = (0, 0)) -> Self:
        """A query by a content of the library, or by a stretch of it in milliseconds, which is half open; (0, 0) for the whole."""
        return cls("like", f"{content_id}@{stretch[0]}-{stretch[1]}" if any(stretch) else str(content_id), content_id)

    @property
    def stretch(self) -> tuple[int, int]:
        """Of a query by something of the library; (0, 0) for the whole."""
        start, _, end = self.text.partition("@")[2].partition("-")
        return (int(start), int(end)) if end else (0, 0)


class FeedbackRow(NamedTuple):
    """What a person thought of one answer to a query.

    Attributes:
        at: When, in UTC.
        session: In which session.
        query: The words; of a query by something of the library a reference to where that lies now, which
            `anyseek.search.references.Reference` reads: ``film.mp4@3.000-4.500``; empty if it lies nowhere at the moment.
        query_kind: Which of both.
        path: Where the content lies now, the first place of several; None if nowhere at the moment.
        content_id: Of the answer.
        start_ms: Start of the moment that the answer was; 0 for the whole.
        end_ms: End of the moment; 0 for the whole.
        verdict: What the person thought.
    """

    id: int
    at: datetime
    session: str
    query: str
    query_kind: QueryKind
    path: Path | None
    content_id: int
    start_ms: int
    end_ms: int
    verdict: Verdict


class Purged(NamedTuple):
    """What a purge removed."""

    assets: int
    contents: int


@dataclass(frozen=True, slots=True)
class EmbeddingState:
    """How many embeddings a space has and their highest id; two equal states mean the same set, for ids are never used again."""

    count: int
    highest_id: int


@dataclass(frozen=True, slots=True)
class ContentInfo:
    """What a result shows of a content; see `anyseek.types.MediaInfo` for the fields.

    Attributes:
        captured_at: Aware where the file named an offset, else naive local time.
    """

    id: int
    kind: Kind | None
    format: str | None
    size: int
    width: int | None
    height: int | None
    duration_ms: int | None
    frames: int | None
    has_audio: bool
    captured_at: datetime | None
    captured_origin: str | None
    camera: str | None
    latitude: float | None
    longitude: float | None
    title: str | None
    artist: str | None
    rating: int | None
    keywords: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Counts:
    """How much is in the library.

    Attributes:
        assets: By state.
        kinds: Indexed assets by kind.
        contents: Distinct bytes, those of deleted assets included.
        segments: Embedded segments by modality.
    """

    assets: Mapping[AssetState, int] = field(default_factory=dict)
    kinds: Mapping[Kind, int] = field(default_factory=dict)
    contents: int = 0
    segments: Mapping[Modality, int] = field(default_factory=dict)
    embeddings: int = 0
    sources: int = 0
