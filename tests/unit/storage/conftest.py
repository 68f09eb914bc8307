"""Small libraries whose contents a person can count."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from anyseek.storage.catalog import Catalog, SourceRow, SpaceRow
from anyseek.storage.layout import LibraryFolder
from anyseek.types import Kind, MediaInfo, Modality, Segment, Space

SPACE = Space("colour", 8, "f00d")
PICTURE = Segment(Modality.IMAGE, frame_ms=0)
IMAGE = MediaInfo(Kind.IMAGE, "jpeg", 640, 480)


def digest(name: str) -> bytes:
    """A content hash."""
    return hashlib.md5(name.encode()).digest()


def axis(n: int) -> np.ndarray:
    """The unit vector along one axis."""
    return np.eye(SPACE.dim, dtype=np.float32)[n % SPACE.dim]


def direction(n: int) -> np.ndarray:
    """One of many unit vectors."""
    vector = np.random.default_rng(n).standard_normal(SPACE.dim)
    return (vector / np.linalg.norm(vector)).astype(np.float32)


class Filled:
    """A library under a test's hand: `put` indexes a picture of its own at a path."""

    def __init__(self, catalog: Catalog, root: Path) -> None:
        self.catalog = catalog
        self.folder = catalog.folder
        self.space: SpaceRow = catalog.add_space(SPACE, "serving")
        self.source: SourceRow = catalog.source_for(root)

    def put(self, *paths: str, vector: np.ndarray | None = None) -> list[int]:
        """Index pictures, one transaction for all; returns their assets' ids."""
        with self.catalog.transaction() as writer:
            made = []
            for path in paths:
                key = os.fsencode(path).hex()
                content = writer.begin_content(digest(key), len(path), IMAGE)
                chosen = direction(int(digest(key).hex()[:8], 16)) if vector is None else vector
                writer.add_embeddings(content, self.space.id, [(PICTURE, chosen)])
                writer.finish_content(content, self.space.id, IMAGE, [PICTURE])
                made.append(writer.put_asset(self.source.id, path, len(path), 1_000, content))
            return made

    def put_many(self, n: int, prefix: str = "p") -> list[int]:
        """Index n pictures."""
        return self.put(*(f"{prefix}{i:06}.jpg" for i in range(n)))


@pytest.fixture
def folder(tmp_path: Path) -> LibraryFolder:
    (tmp_path / "media").mkdir()
    return LibraryFolder(tmp_path / "media" / ".anyseek")


@pytest.fixture
def catalog(folder: LibraryFolder) -> Iterator[Catalog]:
    with Catalog.create(folder) as catalog:
        yield catalog


@pytest.fixture
def filled(catalog: Catalog) -> Filled:
    return Filled(catalog, catalog.folder.path.parent)


@pytest.fixture
def unprivileged() -> Iterator[Path]:
    """A folder whose permissions count: root, for whom none do, becomes nobody while the test runs."""
    if os.name == "nt":
        pytest.skip("permissions are another matter on Windows")
    place = Path(tempfile.mkdtemp(prefix="anyseek-"))
    as_root = os.geteuid() == 0
    if as_root:
        os.chown(place, 65534, 65534)
        os.seteuid(65534)
    try:
        yield place
    finally:
        if as_root:
            os.seteuid(0)
        for path in [place, *place.rglob("*")]:
            path.chmod(0o700)
        shutil.rmtree(place)
