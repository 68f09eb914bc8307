"""The walk: which media files lie below a folder, what is passed over by which rule, and what could not be looked at."""

from __future__ import annotations

import fnmatch
import os
import re
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

from ..types import Kind

__all__ = ["Found", "Rule", "Scan", "ScanRules", "scan"]

JUNK_FILES = frozenset({"thumbs.db", "desktop.ini", "ehthumbs.db"})
JUNK_FOLDERS = frozenset({"@eadir", "$recycle.bin", "system volume information", "__macosx", "lost+found"})
CATALOG_FILE = "catalog.db"


class Rule(StrEnum):
    """Why a file or folder was passed over."""

    HIDDEN = "hidden"
    JUNK = "junk"
    EXCLUDED = "excluded"
    NOT_MEDIA = "not media"
    OTHER_KIND = "other kind"
    SPECIAL = "special file"
    LOOP = "link loop"
    LIBRARY = "anyseek library"


class Found(NamedTuple):
    """A media file: its stat is all that an unchanged file costs."""

    size: int
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class ScanRules:
    """What to pass over.

    Attributes:
        exclude: Globs; one with a slash is matched against the path from the scanned folder, one without against every name on it.
        kinds: Only files whose names promise one of these kinds; all when empty.
        kind_of: Tells the kind that a file name promises, None when it is no media.
    """

    kind_of: Callable[[str], Kind | None]
    exclude: tuple[str, ...] = ()
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
    """Walk a folder, following links but never in circles.

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


Identity = tuple[int, int]
"""Device and inode of a folder: two names of one folder share it."""


class _Walk:
    """One walk, depth first, in an order that does not depend on the file system within a folder's sub-folders."""

    def __init__(self, root: Path, rules: ScanRules, on_skip: OnSkip | None, on_found: OnFound | None) -> None:
        self.root = os.fspath(root)
        self.rules = rules
        self.on_skip = on_skip
        self.on_found = on_found
        self.excluded = _matcher(rules.exclude)
        self.rule_of_suffix: dict[str, Rule | None] = {}
        self.result = Scan()

    def tree(self, below: str) -> None:
        waiting = [(below, frozenset[Identity]())]
        while waiting:
            path, above = waiting.pop()
            try:
                folders, seen = self.folder(path, above)
            except OSError as error:
                self.result.unreadable[path] = error
                continue
            waiting.extend((folder, seen) for folder in sorted(folders, reverse=True))
            if self.on_found:
                self.on_found(len(self.result.found))

    def folder(self, path: str, above: frozenset[Identity]) -> tuple[list[str], frozenset[Identity]]:
        """Look at the entries of one folder; gives its sub-folders and the identities of all folders above them."""
        absolute = f"{self.root}/{path}" if path else self.root
        stat = os.stat(absolute)  # noqa: PTH116 - one string per folder instead of one Path
        identity = (stat.st_dev, stat.st_ino)
        if identity in above:
            self.skip(path, Rule.LOOP)
            return [], above
        folders: list[str] = []
        prefix = f"{path}/" if path else ""
        with os.scandir(absolute) as entries:
            for entry in entries:
                try:
                    if self.is_folder_to_enter(entry, prefix + entry.name):
                        folders.append(prefix + entry.name)
                except OSError as error:
                    self.result.unreadable[prefix + entry.name] = error
        return folders, above | {identity}

    def is_folder_to_enter(self, entry: os.DirEntry[str], path: str) -> bool:
        if self.excluded and self.excluded(path):
            self.skip(path, Rule.EXCLUDED)
        elif entry.is_dir():
            rule = _folder_rule(entry)
            if rule is None:
                return True
            self.skip(path, rule)
        elif entry.is_file() or (entry.is_symlink() and not os.path.exists(entry.path)):  # noqa: PTH110 - a broken link is a file that cannot be read
            self.file(entry, path)
        else:
            self.skip(path, Rule.SPECIAL)
        return False

    def single_file(self, target: Path, path: str) -> None:
        with os.scandir(target.parent) as siblings:
            entry = next(sibling for sibling in siblings if sibling.name == target.name)
        try:
            self.is_folder_to_enter(entry, path)
        except OSError as error:
            self.result.unreadable[path] = error

    def file(self, entry: os.DirEntry[str], path: str) -> None:
        rule = self.file_rule(entry.name)
        if rule is None:
            stat = entry.stat()
            self.result.found[path] = Found(stat.st_size, stat.st_mtime_ns)
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
    if name.endswith(".anyseek") and Path(entry.path, CATALOG_FILE).is_file():
        return Rule.LIBRARY
    return Rule.HIDDEN if name.startswith(".") else None


def _matcher(globs: tuple[str, ...]) -> Callable[[str], bool] | None:
    """One test for all globs; those without a slash are tried on the name, as the folder's own turn came before."""
    if not globs:
        return None
    whole = [re.compile(fnmatch.translate(glob.strip("/"))) for glob in globs if "/" in glob.strip("/")]
    names = [re.compile(fnmatch.translate(glob.strip("/"))) for glob in globs if "/" not in glob.strip("/")]

    def matches(path: str) -> bool:
        name = path[path.rfind("/") + 1 :]
        return any(glob.match(name) for glob in names) or any(glob.match(path) for glob in whole)

    return matches
