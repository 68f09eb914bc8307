"""What a person does not want in the library, said as in a ``.gitignore``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pathspec import GitIgnoreSpec

__all__ = ["Exclusion"]


class Exclusion:
    """Patterns in the syntax of gitignore: ``*.gif``, ``private/``, ``/top/only``, ``**/raw``, ``!keep.gif``.

    A pattern may also be an absolute path below the root, or start with ``./``. Where only a part of the root is walked, patterns may be
    written as seen from there, too.

    Attributes:
        patterns: As they were given.
        idle: Those that have not covered anything yet.
    """

    def __init__(self, patterns: Sequence[str], root: Path, below: str = "") -> None:
        self.patterns = tuple(patterns)
        self._spec = GitIgnoreSpec.from_lines(_anchored(pattern, root) for pattern in patterns)
        self._prefix = f"{below}/" if below else ""
        self._used: set[int] = set()

    @property
    def idle(self) -> list[str]:
        """The patterns that have not covered anything so far."""
        return [pattern for number, pattern in enumerate(self.patterns) if number not in self._used and not pattern.startswith("!")]

    def covers(self, path: str, *, is_folder: bool) -> bool:
        """Whether a path, named from the root with slashes, is to be passed over."""
        name = f"{path}/" if is_folder else path
        return self._includes(name) or bool(self._prefix and self._includes(name.removeprefix(self._prefix)))

    def _includes(self, name: str) -> bool:
        found = self._spec.check_file(name)
        if found.index is not None:
            self._used.add(found.index)
        return bool(found.include)


def _anchored(pattern: str, root: Path) -> str:
    if pattern.startswith("./"):
        return pattern[1:]
    path = Path(pattern)
    if path.is_absolute() and path.is_relative_to(root):
        return f"/{path.relative_to(root).as_posix()}"
    return pattern
