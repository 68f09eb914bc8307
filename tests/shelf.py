"""A catalog of contents with known vectors in one space or several, and an engine over it."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
from fakes import ColourEncoder

from anyseek.encoders.protocol import Encoder
from anyseek.search.adaptation import Adapted
from anyseek.search.bridges import BridgeMethod
from anyseek.search.engine import Engine
from anyseek.search.spaces import SearchSpace
from anyseek.search.vocabulary import Vocabulary
from anyseek.storage.catalog import Catalog
from anyseek.storage.derived import DerivedArrays
from anyseek.storage.layout import LibraryFolder
from anyseek.storage.space_index import SpaceIndex
from anyseek.types import Kind, MediaInfo, Segment

__all__ = ["Shelf", "unit"]


def unit(vector: np.ndarray) -> np.ndarray:
    return (vector / np.linalg.norm(vector)).astype(np.float32)


class Shelf:
    """What is put in stays known as `truth`: path → kind and the (n, dim) vectors as they are stored, of the first space."""

    def __init__(self, folder: Path, *encoders: Encoder) -> None:
        self.folder = LibraryFolder(folder)
        self.catalog = Catalog.create(self.folder)
        self.encoders = encoders or (ColourEncoder(),)
        self.spaces = [self.catalog.add_space(encoder.space, "serving") for encoder in self.encoders]
        self.space = self.spaces[0]
        self.source = self.catalog.source_for(folder.parent)
        self.truth: dict[str, tuple[Kind, np.ndarray]] = {}

    def put(self, path: str, kind: Kind, *segments: tuple[Segment, np.ndarray], space: int = 0) -> int:
        """Put a content with its vectors into a space, by its number; one that is there gets further vectors in that space."""
        info = MediaInfo(kind, "test", duration_ms=None if kind is Kind.IMAGE else 60_000)
        with self.catalog.transaction() as writer:
            content_id = writer.begin_content(path.encode().ljust(16, b"."), 1, info)
            writer.add_embeddings(content_id, self.spaces[space].id, segments)
            writer.finish_content(content_id, self.spaces[space].id, info, [segment for segment, _ in segments])
            writer.put_asset(self.source.id, path, 1, 1, content_id)
        stored = np.stack([vector for _, vector in segments]).astype(np.float16).astype(np.float64)
        if space == 0:
            self.truth[path] = (kind, stored)
        return content_id

    def copy(self, content_id: int, path: str) -> None:
        with self.catalog.transaction() as writer:
            writer.put_asset(self.source.id, path, 1, 1, content_id)

    def delete(self, *paths: str) -> None:
        ids = {path: row.id for path, row in self.catalog.assets(self.source.id).items()}
        with self.catalog.transaction() as writer:
            writer.delete_assets([ids[path] for path in paths])
        for path in paths:
            self.truth.pop(path, None)

    def search_spaces(self) -> list[SearchSpace]:
        return [
            SearchSpace(row, partial(_give, encoder), partial(SpaceIndex.open, self.folder, self.catalog, row))
            for row, encoder in zip(self.spaces, self.encoders, strict=True)
        ]

    def engine(
        self, *texts: str, bridge: BridgeMethod = "ridge", keep: bool = False, calibrated: bool = True, adapted: Adapted = True
    ) -> Engine:
        """An engine over all spaces; with texts, those are its vocabulary."""
        vocabulary = Vocabulary.of(texts) if texts else None
        kept = DerivedArrays(self.folder) if keep else None
        spaces = self.search_spaces()
        return Engine(self.catalog, spaces, kept, vocabulary=vocabulary, bridge=bridge, calibrated=calibrated, adapted=adapted)

    def brute(self, vector: np.ndarray, limit: int, kinds: frozenset[Kind] = frozenset()) -> list[tuple[str, float]]:
        """The best assets by the cosine of their best segment in the first space."""
        scores = {
            path: float((rows @ vector.astype(np.float64)).max()) for path, (kind, rows) in self.truth.items() if not kinds or kind in kinds
        }
        return sorted(scores.items(), key=lambda item: -item[1])[:limit]


def _give(encoder: Encoder) -> Encoder:
    return encoder
