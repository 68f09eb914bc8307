"""A pickle that does harm when it is loaded."""

from __future__ import annotations

import pickle
from pathlib import Path

__all__ = ["malicious_pickle"]


def malicious_pickle(harm: Path) -> bytes:
    """The bytes of one that makes the file `harm`."""
    return pickle.dumps(_Malice(harm))


class _Malice:
    def __init__(self, harm: Path) -> None:
        self.harm = harm

    def __reduce__(self) -> tuple[object, tuple[str, str]]:
        return open, (str(self.harm), "w")
