"""All that a library says about its media, without the ids and dates in which two equal libraries may differ."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from anyseek.encoders.protocol import Encoder
from anyseek.library import Library

__all__ = ["Snapshot", "answers_of", "snapshot"]


@dataclass(frozen=True)
class Snapshot:
    """The rows of a catalog.

    Attributes:
        assets: Path in its source to size, time, state, failure and content hash.
        contents: Hash to all that is known of the content and how much of it is embedded.
        vectors: Hash, modality, start, end and frame of a segment to its vector's bytes.
    """

    assets: dict[bytes, tuple[Any, ...]]
    contents: dict[bytes, tuple[Any, ...]]
    vectors: dict[tuple[Any, ...], bytes]


def snapshot(library: Path) -> Snapshot:
    """Read a catalog past all of the product's code."""
    with closing(sqlite3.connect(library / "catalog.db")) as catalog:
        columns = [row[1] for row in catalog.execute("PRAGMA table_info(content)") if row[1] not in ("id", "hash")]
        assets = catalog.execute(
            "SELECT path, asset.size, mtime_ns, state, asset.failure_code, asset.failure_reason, content.hash"
            " FROM asset LEFT JOIN content ON content.id = content_id"
        ).fetchall()
        contents = catalog.execute(
            f"SELECT hash, {', '.join(columns)}, coverage.state FROM content LEFT JOIN coverage ON content_id = id"
        ).fetchall()
        vectors = catalog.execute(
            "SELECT hash, modality, start_ms, end_ms, frame_ms, vector FROM content JOIN segment ON content_id = content.id"
            " LEFT JOIN embedding ON segment_id = segment.id"
        ).fetchall()
    result = Snapshot({row[0]: row[1:] for row in assets}, {row[0]: row[1:] for row in contents}, {row[:-1]: row[-1] for row in vectors})
    assert (len(assets), len(contents), len(vectors)) == (len(result.assets), len(result.contents), len(result.vectors))
    return result


def answers_of(library: Path, questions: Iterable[str], encoder: Encoder | None = None) -> dict[tuple[str, str], tuple[Any, ...]]:
    """What a library answers: question and file to score, kind and moments. Equal scores may come in any order, so order is left out."""
    found = {}
    with Library.open(library, encoder=encoder, readonly=True) as opened:
        for question in questions:
            for hit in opened.search(question, limit=1000):
                moments = tuple((moment.start_ms, moment.end_ms, moment.signals) for moment in hit.moments)
                found[question, str(hit.path)] = (round(hit.score, 5), hit.kind, moments)
    return found
