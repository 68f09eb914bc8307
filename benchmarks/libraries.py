"""Libraries of any size in seconds: real catalogs, filled in bulk past the indexer, with vectors at random."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from sqlalchemy import insert

from anyseek.encoders.registry import load
from anyseek.storage.catalog import Catalog, SpaceRow
from anyseek.storage.layout import LibraryFolder
from anyseek.storage.models import NO_FRAME, asset, content, coverage, embedding, segment
from anyseek.storage.space_index import SpaceIndex
from anyseek.types import Kind

__all__ = ["File", "fill_library", "made_up_files", "unit_vectors"]

File = tuple[str, int, int]
"""A path from the root of its source, size in bytes, mtime in ns."""

KINDS = (Kind.IMAGE, Kind.IMAGE, Kind.IMAGE, Kind.AUDIO)


def made_up_files(count: int) -> list[File]:
    """Names of files that nobody has."""
    return [(f"{number // 500:04}/photo{number:06}.jpg", 1000 + number, 1_700_000_000_000_000_000) for number in range(count)]


def unit_vectors(count: int, dim: int, seed: int = 0) -> np.ndarray:
    """(count, dim) float32, unit rows in directions at random."""
    vectors = np.random.default_rng(seed).normal(size=(count, dim)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def fill_library(path: Path, root: Path, files: Sequence[File]) -> None:
    """Make a library in which each file is a content of its own with one vector in the starter's space, and save its vector index.

    Args:
        path: Of the library.
        root: Of its only source.
        files: Every fourth is a sound, the others are pictures.
    """
    folder = LibraryFolder.at(path)
    with Catalog.create(folder) as catalog:
        space = catalog.add_space(load("starter").space, "serving")
        _insert_rows(catalog, space, catalog.source_for(root).id, files)
        SpaceIndex.build(folder, catalog, space).save_generation(force=True)


def _insert_rows(catalog: Catalog, space: SpaceRow, source_id: int, files: Sequence[File]) -> None:
    halves = unit_vectors(len(files), space.space.dim).astype("<f2")
    numbers = range(1, len(files) + 1)
    kinds = [KINDS[number % len(KINDS)] for number in numbers]
    contents = [
        {"id": number, "hash": number.to_bytes(16, "big"), "size": size, "kind": kind.value, "format": "jpeg", "width": 640, "height": 480}
        for number, kind, (_, size, _) in zip(numbers, kinds, files, strict=True)
    ]
    now = "2026-01-01T00:00:00+00:00"
    assets = [
        {"source_id": source_id, "path": path, "size": size, "mtime_ns": mtime_ns, "content_id": number}
        | {"state": "indexed", "state_since": now, "first_seen": now}
        for number, (path, size, mtime_ns) in zip(numbers, files, strict=True)
    ]
    segments = [
        {"id": number, "content_id": number, "modality": kind.value, "start_ms": 0, "end_ms": 0, "frame_ms": NO_FRAME}
        for number, kind in zip(numbers, kinds, strict=True)
    ]
    with catalog.database.writing() as connection:
        connection.execute(insert(content), contents)
        connection.execute(insert(asset), assets)
        connection.execute(insert(coverage), [{"content_id": n, "space_id": space.id, "state": "complete"} for n in numbers])
        connection.execute(insert(segment), segments)
        connection.execute(
            insert(embedding),
            [{"id": n, "segment_id": n, "space_id": space.id, "vector": half.tobytes()} for n, half in zip(numbers, halves, strict=True)],
        )
