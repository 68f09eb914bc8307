"""The walk: which media files lie below a folder, what is passed over by which rule, and what could not be looked at."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

from ..storage.layout import LibraryFolder
from ..types import Kind
from .exclusion import Exclusion

__all__ = ["Found", "Rule", "Scan", "ScanRules", "look_at", "scan"]

JUNK_FILES = frozenset({"thumbs.db", "desktop.ini", "ehthumbs.db"})
JUNK_FOLDERS = frozenset({"@eadir", "$recycle.bin", "system volume information", "__macosx", "lost+found"})
LATEST_NS = 2**63 - 1
"""The latest time that the catalog can hold, in the year 2262: some file systems know later ones."""


class Rule(StrEnum):
    """Why a file or folder was passed over."""

    HIDDEN = "hidden"
    JUNK = "junk"
    EXCLUDED = "excluded"
    NOT_MEDIA = "not media"
    OTHER_KIND = "other kind"
    SPECIAL = "special file"
    LINK = "link to what is seen anyway"
    LIBRARY = "anyseek library"


class Found(NamedTuple):
    """A media file: its stat is all that an unchanged file costs."""

    size: int
    mtime_ns: int

    @classmethod
    def of(cls, stat: os.stat_result) -> Found:
        """What of a stat tells whether a file has changed."""
        return cls(stat.st_size, max(-LATEST_NS, min(LATEST_NS, stat.st_mtime_ns)))


@dataclass(frozen=True, slots=True)
class ScanRules:
    """What to pass over.

    Attributes:
        exclude: What is not wanted, see `Exclusion`.
        kinds: Only files whose names promise one of these kinds; all when empty.
        kind_of: Tells the kind that a file name promises, None when it is no media.
    """

    kind_of: Callable[[str], Kind | None]
    exclude: Exclusion | None = None
    kinds: Collection[Kind] = ()


@dataclass(slots=True)
class Scan:
    """What one walk saw.

    Attributes:
        found: Path from the root, with ``/`` between its parts, to its stat.
        skipped: How many were passed over by each rule (a folder that is passed over counts once).
        other_kinds: Media that were left alone because of `ScanRules.kinds`.
        unreadable: Files and folders that could not be looked at, with the reason; what lies below such a folder is unknown.
        missing_root: The root itself is not there.
    """

    found: dict[str, Found] = field(default_factory=dict)
    skipped: Counter[Rule] = field(default_factory=Counter)
    other_kinds: set[str] = field(default_factory=set)
    unreadable: dict[str, OSError] = field(default_factory=dict)
    missing_root: bool = False


OnSkip = Callable[[str, Rule], None]
OnFound = Callable[[int], None]


def scan(root: Path, rules: ScanRules, *, below: str = "", on_skip: OnSkip | None = None, on_found: OnFound | None = None) -> Scan:
    """Walk a folder. Links are followed where they lead out of it; no folder and no linked file is seen twice.

    Args:
        root: The folder of the source.
        rules: What to pass over.
        below: Only this file or folder, named from the root; everything when empty.
        on_skip: Told of each path that is passed over and the rule.
        on_found: Told after each folder how many files were found so far.
    """
    walk = _Walk(root, rules, on_skip, on_found)
    target = root / below if below else root
    if not os.path.lexists(target):
        walk.result.missing_root = True
    elif target.is_dir():
        walk.tree(below)
    else:
        walk.single_file(target, below)
    return walk.result


def look_at(root: Path, rules: ScanRules, paths: Iterable[str]) -> Scan:
    """Look at some files alone, each named from the root; one that is not there is missing from the result."""
    walk = _Walk(root, rules, None, None)
    for path in paths:
        if os.path.lexists(root / path) and not (root / path).is_dir():
            walk.single_file(root / path, path)
    return walk.result


class _Walk:
    """One walk, depth first; links wait until everything else was seen, so that a file is found under its own name."""

    def __init__(self, root: Path, rules: ScanRules, on_skip: OnSkip | None, on_found: OnFound | None) -> None:
        self.root = os.fspath(root)
        self.real_root = os.path.realpath(root)
        self.rules = rules
        self.on_skip = on_skip
        self.on_found = on_found
        self.rule_of_suffix: dict[str, Rule | None] = {}
        self.seen: set[tuple[int, int]] = set()
        self.linked: list[str] = []
        self.result = Scan()

    def tree(self, below: str) -> None:
        waiting = [below]
        while waiting or self.linked:
            path = waiting.pop() if waiting else self.linked.pop(0)
            try:
                waiting.extend(sorted(self.folder(path), reverse=True))
            except OSError as error:
                self.result.unreadable[path] = error
                continue
            if self.on_found:
                self.on_found(len(self.result.found))

    def folder(self, path: str) -> list[str]:
        """Look at the entries of one folder; gives its sub-folders."""
        absolute = f"{self.root}/{path}" if path else self.root
        stat = os.stat(absolute)  # noqa: PTH116 - one string per folder instead of one Path
        if (stat.st_dev, stat.st_ino) in self.seen:
            self.skip(path, Rule.LINK)
            return []
        self.seen.add((stat.st_dev, stat.st_ino))
        folders: list[str] = []
        prefix = f"{path}/" if path else ""
        with os.scandir(absolute) as entries:
            for entry in entries:
                try:
                    if self.is_folder_to_enter(entry, prefix + entry.name):
                        (self.linked if entry.is_symlink() else folders).append(prefix + entry.name)
                except OSError as error:
                    self.result.unreadable[prefix + entry.name] = error
        return folders

    def is_folder_to_enter(self, entry: os.DirEntry[str], path: str) -> bool:
        is_folder = entry.is_dir()
        if self.rules.exclude and self.rules.exclude.covers(path, is_folder=is_folder):
            self.skip(path, Rule.EXCLUDED)
        elif is_folder:
            rule = _folder_rule(entry)
            if rule is None:
                return True
            self.skip(path, rule)
        elif entry.is_file() or (entry.is_symlink() and not os.path.exists(entry.path)):  # noqa: PTH110 - a broken link cannot be read
            self.file(entry, path)
        else:
            self.skip(path, Rule.SPECIAL)
        return False

    def single_file(self, target: Path, path: str) -> None:
        """A file that was named itself: no rule but its kind's keeps it out."""
        rule = self.file_rule(target.name)
        if rule is not None:
            return self.skip(path, rule)
        try:
            self.result.found[path] = Found.of(target.stat())
        except OSError as error:
            self.result.unreadable[path] = error
        return None

    def file(self, entry: os.DirEntry[str], path: str) -> None:
        rule = self.file_rule(entry.name)
        if rule is None and entry.is_symlink() and os.path.realpath(entry.path).startswith(f"{self.real_root}{os.sep}"):
            rule = Rule.LINK if os.path.exists(entry.path) else None  # noqa: PTH110 - as above
        if rule is None:
            self.result.found[path] = Found.of(entry.stat())
            return
        if rule is Rule.OTHER_KIND:
            self.result.other_kinds.add(path)
        self.skip(path, rule)

    def file_rule(self, name: str) -> Rule | None:
        if name.startswith("."):
            return Rule.JUNK if name.startswith("._") else Rule.HIDDEN
        suffix = name[name.rfind(".") :]
        if suffix not in self.rule_of_suffix:
            self.rule_of_suffix[suffix] = self.kind_rule(name)
        rule = self.rule_of_suffix[suffix]
        return Rule.JUNK if rule is Rule.NOT_MEDIA and name.lower() in JUNK_FILES else rule

    def kind_rule(self, name: str) -> Rule | None:
        kind = self.rules.kind_of(name)
        if kind is None:
            return Rule.NOT_MEDIA
        return Rule.OTHER_KIND if self.rules.kinds and kind not in self.rules.kinds else None

    def skip(self, path: str, rule: Rule) -> None:
        self.result.skipped[rule] += 1
        if self.on_skip:
            self.on_skip(path, rule)


def _folder_rule(entry: os.DirEntry[str]) -> Rule | None:
    name = entry.name.lower()
    if name in JUNK_FOLDERS:
        return Rule.JUNK
    if name.endswith(".anyseek") and LibraryFolder(Path(entry.path)).exists:
        return Rule.LIBRARY
    return Rule.HIDDEN if name.startswith(".") else None
