"""The walk on real folders: what it finds, which rule passes over the rest, and what it cannot look at."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from anyseek.indexer.exclusion import Exclusion
from anyseek.indexer.scan import Found, Rule, ScanRules, look_at, scan
from anyseek.media.kinds import kind_by_suffix
from anyseek.types import Kind

RULES = ScanRules(kind_by_suffix)


def excluding(root: Path, *patterns: str, below: str = "") -> ScanRules:
    return ScanRules(kind_by_suffix, Exclusion(patterns, root, below))


def put(root: Path, *names: str) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x" * 3)


def test_finds_media_of_every_kind_with_size_and_time(tmp_path: Path) -> None:
    put(tmp_path, "a.jpg", "deep/er/b.MP3", "deep/c.mkv")
    os.utime(tmp_path / "a.jpg", ns=(5, 7))
    found = scan(tmp_path, RULES).found
    assert set(found) == {"a.jpg", "deep/er/b.MP3", "deep/c.mkv"}
    assert found["a.jpg"] == Found(3, 7)


def test_each_rule_is_counted_and_told(tmp_path: Path) -> None:
    put(tmp_path, "kept.png", ".hidden.png", "._kept.png", "Thumbs.db", "notes.txt", ".git/x.png", "@eaDir/y.png")
    put(tmp_path, "private/z.png", "song.mp3", "nested.anyseek/catalog.db", "nested.anyseek/a.png")
    told: dict[str, Rule] = {}
    rules = ScanRules(kind_by_suffix, Exclusion(["private"], tmp_path), {Kind.IMAGE})
    seen = scan(tmp_path, rules, on_skip=told.__setitem__)
    assert set(seen.found) == {"kept.png"}
    assert told == {
        ".hidden.png": Rule.HIDDEN,
        "._kept.png": Rule.JUNK,
        "Thumbs.db": Rule.JUNK,
        "notes.txt": Rule.NOT_MEDIA,
        ".git": Rule.HIDDEN,
        "@eaDir": Rule.JUNK,
        "private": Rule.EXCLUDED,
        "song.mp3": Rule.OTHER_KIND,
        "nested.anyseek": Rule.LIBRARY,
    }
    assert seen.skipped == {
        Rule.HIDDEN: 2,
        Rule.JUNK: 3,
        Rule.NOT_MEDIA: 1,
        Rule.EXCLUDED: 1,
        Rule.OTHER_KIND: 1,
        Rule.LIBRARY: 1,
    }
    assert seen.other_kinds == {"song.mp3"}


@pytest.mark.parametrize(
    ("pattern", "left"),
    [
        ("*.gif", {"a/b/c.png", "a/c.png"}),
        ("b", {"x.gif", "a/c.png", "a/y.gif"}),
        ("b/", {"x.gif", "a/c.png", "a/y.gif"}),
        ("a/*.gif", {"x.gif", "a/b/c.png", "a/c.png"}),
        ("./x.gif", {"a/y.gif", "a/b/c.png", "a/c.png"}),
        ("**/b", {"x.gif", "a/c.png", "a/y.gif"}),
        ("c.???", {"x.gif", "a/y.gif"}),
        ("[xy].gif", {"a/b/c.png", "a/c.png"}),
        ("/y.gif", {"x.gif", "a/y.gif", "a/b/c.png", "a/c.png"}),
        ("ABSOLUTE/a/b", {"x.gif", "a/c.png", "a/y.gif"}),
    ],
)
def test_exclusions_mean_what_they_mean_in_a_gitignore(tmp_path: Path, pattern: str, left: set[str]) -> None:
    put(tmp_path, "x.gif", "a/y.gif", "a/c.png", "a/b/c.png")
    assert set(scan(tmp_path, excluding(tmp_path, pattern.replace("ABSOLUTE", str(tmp_path)))).found) == left


def test_exclusions_may_be_said_as_seen_from_the_part_that_is_walked(tmp_path: Path) -> None:
    put(tmp_path, "2024/raw/x.png", "2024/y.png")
    assert set(scan(tmp_path, excluding(tmp_path, "raw/*", below="2024"), below="2024").found) == {"2024/y.png"}


def test_an_exclusion_knows_what_it_was_not_needed_for(tmp_path: Path) -> None:
    put(tmp_path, "x.gif")
    rules = excluding(tmp_path, "*.gif", "*.bmp")
    scan(tmp_path, rules)
    assert rules.exclude is not None
    assert rules.exclude.idle == ["*.bmp"]


def test_links_are_followed_where_they_lead_out_and_nothing_is_seen_twice(tmp_path: Path) -> None:
    put(tmp_path, "real/a.png", "real/sub/c.png", "elsewhere/b.png")
    root = tmp_path / "real"
    (root / "loop").symlink_to(root, target_is_directory=True)
    (root / "a link that sorts before sub").symlink_to(root / "sub", target_is_directory=True)
    (root / "other").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    (root / "again.png").symlink_to(root / "a.png")
    (root / "outside.png").symlink_to(tmp_path / "elsewhere" / "b.png")
    seen = scan(root, RULES)
    assert set(seen.found) == {"a.png", "sub/c.png", "other/b.png", "outside.png"}
    assert seen.skipped == {Rule.LINK: 3}


def test_a_time_beyond_what_the_catalog_holds_is_clamped(tmp_path: Path) -> None:
    put(tmp_path, "late.png")
    os.utime(tmp_path / "late.png", ns=(95 * 10**17, 95 * 10**17))
    if (tmp_path / "late.png").stat().st_mtime_ns > 2**63 - 1:  # not every file system knows such times
        assert scan(tmp_path, RULES).found["late.png"].mtime_ns == 2**63 - 1
    assert Found.of(SimpleNamespace(st_size=1, st_mtime_ns=95 * 10**17)) == (1, 2**63 - 1)  # type: ignore[arg-type]


def test_looking_at_files_alone_finds_those_that_are_there(tmp_path: Path) -> None:
    put(tmp_path, "a.png", "b/c.png", "d.png")
    assert set(look_at(tmp_path, RULES, ["a.png", "b/c.png", "gone.png"]).found) == {"a.png", "b/c.png"}


def test_a_broken_link_is_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "gone.jpg").symlink_to(tmp_path / "nowhere.jpg")
    (tmp_path / "gone.txt").symlink_to(tmp_path / "nowhere.txt")
    (tmp_path / "self.jpg").symlink_to(tmp_path / "self.jpg")
    seen = scan(tmp_path, RULES)
    assert not seen.found
    assert isinstance(seen.unreadable["gone.jpg"], FileNotFoundError)
    assert set(seen.unreadable) == {"gone.jpg", "self.jpg"}
    assert seen.skipped == {Rule.NOT_MEDIA: 1}


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX special files")
def test_special_files_are_never_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    monkeypatch.chdir(tmp_path)  # a socket's path must be short
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("door.mp4")
        assert scan(tmp_path, RULES).skipped == {Rule.SPECIAL: 2}


@pytest.mark.skipif(sys.platform == "win32", reason="names are bytes on POSIX alone")
def test_names_that_are_no_utf8_or_hold_newlines_survive(tmp_path: Path) -> None:
    names = [b"caf\xe9.jpg", b"two\nlines.png", "\U0001f415.mp4".encode(), b"-rf.jpg", b"100%_done.png", b"n" * 251 + b".jpg"]
    for name in names:
        (tmp_path / os.fsdecode(name)).write_bytes(b"x")
    assert {os.fsencode(path) for path in scan(tmp_path, RULES).found} == set(names)


def test_a_folder_that_cannot_be_read_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path, "open/a.png", "shut/b.png")
    real = os.scandir

    def refuse(path: str) -> object:
        if str(path).endswith("shut"):
            raise PermissionError(13, "no", str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", refuse)  # root may read everything, so permission bits prove nothing
    seen = scan(tmp_path, RULES)
    assert set(seen.found) == {"open/a.png"}
    assert isinstance(seen.unreadable["shut"], PermissionError)


def test_below_restricts_the_walk_to_a_folder_or_a_file(tmp_path: Path) -> None:
    put(tmp_path, "a/x.png", "a/y.png", "b/z.png")
    assert set(scan(tmp_path, RULES, below="a").found) == {"a/x.png", "a/y.png"}
    assert set(scan(tmp_path, RULES, below="a/y.png").found) == {"a/y.png"}


def test_a_missing_root_is_told_apart_from_an_empty_one(tmp_path: Path) -> None:
    assert scan(tmp_path / "nowhere", RULES).missing_root
    assert not scan(tmp_path, RULES).missing_root
