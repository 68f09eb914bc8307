"""The disk becomes full while the real command indexes: it says so, nothing is lost, and the next run goes on.

A full disk comes in two ways: a small tmpfs, where we may mount one (as root, which CI is), and a limit on the size of a file, which
every user may set. The first is the real thing; the second fails in another place, with another error of SQLite's.
"""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import pytest
from commandline import CommandLine
from PIL import Image
from snapshots import snapshot

from anyseek.library import Library
from anyseek.storage.catalog import Catalog
from anyseek.storage.layout import LibraryFolder

PICTURES = 96
ROOM = 1_600_000
"""Bytes: an empty catalog and its log take half of them, and each batch that is committed some more."""

pytestmark = pytest.mark.xdist_group("full disk")


class Disk(Protocol):
    """Where the library lies."""

    folder: Path

    def command(self, home: Path) -> CommandLine: ...

    def shrink(self, room: int) -> None: ...

    def free(self) -> None: ...


@dataclass
class SmallDisk:
    """A file system of its own, filled up but for `ROOM`."""

    folder: Path

    def __post_init__(self) -> None:
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=32m", "tmpfs", self.folder], check=True)
        self.shrink(ROOM)

    def shrink(self, room: int) -> None:
        disk = os.statvfs(self.folder)
        self.ballast.write_bytes(bytes(disk.f_bavail * disk.f_frsize - room))

    @property
    def ballast(self) -> Path:
        return self.folder / "ballast"

    def command(self, home: Path) -> CommandLine:
        return CommandLine(home)

    def free(self) -> None:
        self.ballast.unlink()

    def unmount(self) -> None:
        subprocess.run(["umount", "--lazy", self.folder], check=True)


@dataclass
class SmallFiles:
    """Files may not grow beyond 520 kB: an empty catalog and its log take most of that."""

    folder: Path
    limit: int = 520_000

    def command(self, home: Path) -> CommandLine:
        limit = self.limit
        return CommandLine(home, before=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)))

    def shrink(self, room: int) -> None:
        self.limit = room

    def free(self) -> None:
        self.limit = resource.RLIM_INFINITY


def may_mount() -> bool:
    """Whether a file system can be mounted here: tried, for being root is not enough in a container."""
    there = subprocess.run(
        ["sh", "-c", "d=$(mktemp -d) && mount -t tmpfs tmpfs $d && umount $d; s=$?; rmdir $d; exit $s"], capture_output=True
    )
    return there.returncode == 0


@pytest.fixture(params=["a small disk", "small files"] if may_mount() else ["small files"])
def disk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Disk]:
    folder = tmp_path / "disk"
    folder.mkdir()
    if request.param == "small files":
        yield SmallFiles(folder)
        return
    small = SmallDisk(folder)
    try:
        yield small
    finally:
        small.unmount()


@pytest.fixture(scope="module")
def media(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("full") / "media"
    root.mkdir()
    for number in range(PICTURES):
        noise = np.random.default_rng(number).integers(0, 256, (24, 32, 3), np.uint8)
        Image.fromarray(noise).save(root / f"{number:03}.png")
    return root


@pytest.fixture(scope="module")
def reference(media: Path) -> Path:
    """The library of a run that had room."""
    library = media.parent / "reference"
    CommandLine(media.parent / "home")("index", media, "-l", library)
    return library


def test_a_run_that_fills_the_disk_loses_nothing(disk: Disk, media: Path, reference: Path, tmp_path: Path) -> None:
    library = disk.folder / "library"
    command = disk.command(tmp_path / "home")
    said = command("index", media, "-l", library, code=5)
    assert said.out == b""
    assert said.complaint == f"anyseek: no room left on the disk that holds {library / 'catalog.db'}: free some and run the command again\n"

    # what was committed can be searched, from the full disk, too
    found = command("search", "noise", "--all", "-l", library, "-n", 1000, "--json").json
    committed = snapshot_readonly(library)
    assert 0 < found["searched"] == len(found["hits"]) == committed < PICTURES
    assert command("status", "-l", library, "--json").json["files"] == {"image": committed, "audio": 0, "video": 0}

    # trying again without more room ends the same way, and loses nothing either
    assert "no room left" in command("index", media, "-l", library, code=5).complaint
    assert snapshot_readonly(library) >= committed

    disk.free()
    command = disk.command(tmp_path / "home")
    report = command("index", media, "-l", library, "--json").json
    assert report["new"] + report["unchanged"] == PICTURES
    assert report["embedded"] == report["new"] <= PICTURES - committed
    assert snapshot(library) == snapshot(reference)
    assert command("doctor", "-l", library, "--json").json["healthy"]
    assert command("search", "noise", "--all", "-l", library, "-n", 1000, "--json").json["searched"] == PICTURES


def snapshot_readonly(library: Path) -> int:
    """How many pictures a library has, read with our own eyes open for a disk on which nothing can be written."""
    with Catalog.open(LibraryFolder(library), readonly=True) as catalog:
        return catalog.counts().embeddings


def test_no_room_for_the_index_leaves_the_catalog_as_the_truth(disk: Disk, media: Path, reference: Path, tmp_path: Path) -> None:
    """All is committed and only the cache cannot be written: the command says so, and searches go without it."""
    library = disk.folder / "library"
    disk.free()
    disk.command(tmp_path / "home")("index", media, "-l", library)
    shutil.rmtree(library / "index")
    disk.shrink(64_000)  # enough for locks and what SQLite needs to read; the index takes 75 kB
    command = disk.command(tmp_path / "home")
    assert "no room left" in command("index", media, "-l", library, code=5).complaint
    assert not list((library / "index").rglob("g*"))
    assert command("search", "noise", "--all", "-l", library, "-n", 1000, "--json").json["searched"] == PICTURES
    disk.free()
    report = disk.command(tmp_path / "home")("index", media, "-l", library, "--json").json
    assert (report["unchanged"], report["embedded"]) == (PICTURES, 0)
    assert snapshot(library) == snapshot(reference)
    assert Library.examine(library).healthy
