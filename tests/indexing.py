"""A folder of media and a catalog that the indexer brings in line with it, without the library's door."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import xxhash
from fakes import ColourEncoder

from anyseek.encoders.protocol import Encoder
from anyseek.indexer.indexer import Indexer, IndexOptions
from anyseek.indexer.lanes import Lane
from anyseek.indexer.report import IndexEvent, IndexReport
from anyseek.storage.catalog import Catalog, SpaceRow
from anyseek.storage.layout import LibraryFolder
from anyseek.types import Modality, Segment

__all__ = ["Bench", "Key", "counts"]

Key = tuple[str, Segment]


class Bench:
    """One after the other, runs with any encoders.

    Attributes:
        encoders: Those of the next run; the spaces of earlier ones stay.
        heard: All events of the last run.
        stop: Stops a run, or keeps the next one from beginning.
        stop_after: The kind of event at which runs are stopped.
    """

    def __init__(self, root: Path, *encoders: Encoder) -> None:
        self.media = root / "media"
        self.media.mkdir()
        self.library = root / "library"
        self.encoders: Sequence[Encoder] = encoders or (ColourEncoder(),)
        self.heard: list[IndexEvent] = []
        self.stop = threading.Event()
        self.stop_after: type[IndexEvent] | None = None

    @property
    def encoder(self) -> ColourEncoder:
        """The only one."""
        (encoder,) = self.encoders
        assert isinstance(encoder, ColourEncoder)
        return encoder

    @encoder.setter
    def encoder(self, encoder: Encoder) -> None:
        self.encoders = (encoder,)

    def catalog(self) -> Catalog:
        return Catalog.create(LibraryFolder(self.library))

    def index(self, *paths: Path, jobs: int = 1, **options: object) -> IndexReport:
        """Index the media, or some of it."""
        return self.run(*(paths or (self.media,)), jobs=jobs, **options)

    def run(self, *paths: Path, jobs: int = 1, **options: object) -> IndexReport:
        """Index some paths; all that is known when there are none."""
        self.heard.clear()
        if self.stop_after is not None:
            self.stop.clear()
        with self.catalog() as catalog:
            lanes = [Lane(catalog.add_space(encoder.space, "serving"), encoder) for encoder in self.encoders]
            return Indexer(catalog, lanes, IndexOptions(jobs=jobs, **options), self.hear, self.stop).run(list(paths))  # type: ignore[arg-type]

    def hear(self, event: IndexEvent) -> None:
        self.heard.append(event)
        if self.stop_after is not None and isinstance(event, self.stop_after):
            self.stop.set()

    def space(self, catalog: Catalog, spec: str) -> SpaceRow:
        return next(row for row in catalog.spaces() if row.space.spec == spec)

    def vectors(self, spec: str = "colour") -> dict[Key, np.ndarray]:
        """All that can be shown of a space: the name of a file and a segment of it, with its vector."""
        with self.catalog() as catalog:
            space = self.space(catalog, spec)
            ids = catalog.live_embeddings(space.id)
            rows = catalog.segments_of(ids)
            assets = catalog.assets_of({row.content_id for row in rows})
            vectors = catalog.vectors(ids)
        return {
            (asset.path.name, row.segment): vector for row, vector in zip(rows, vectors, strict=True) for asset in assets[row.content_id]
        }

    def covered(self, name: str) -> dict[str, str]:
        """How far each space has got with a file, by its spec."""
        (path,) = self.media.rglob(name)
        with self.catalog() as catalog:
            content = catalog.content_by_hash(xxhash.xxh3_128(path.read_bytes()).digest())
            assert content is not None
            return {row.space.spec: content.coverage[row.id] for row in catalog.spaces() if row.id in content.coverage}

    def search(self, text: str) -> list[str]:
        """The names of the files of which a segment is as good as parallel to a text."""
        wanted = self.encoders[0].encode_text([text])[0]
        found = self.vectors(self.encoders[0].space.spec)
        return sorted({name for (name, _), vector in found.items() if float(vector @ wanted) > 0.9})

    def embedded(self) -> int:
        """How many segments the only encoder was ever given."""
        return sum(self.encoder.encoded[modality] for modality in (Modality.IMAGE, Modality.AUDIO))


def counts(report: IndexReport) -> dict[str, int]:
    """The numbers of a report that are not 0."""
    names = ("new", "changed", "moved", "copied", "unchanged", "filled", "removed", "kept", "failed", "still_failed", "embedded", "purged")
    return {name: getattr(report, name) for name in names if getattr(report, name)}
