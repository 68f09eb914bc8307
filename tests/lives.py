"""Contents as the catalog tells of them, made of what matters."""

from __future__ import annotations

from itertools import count

from anyseek.storage.fingerprints import LiveContent
from anyseek.types import Kind

__all__ = ["live"]

_IDS = count(1)


def live(path: str = "a.jpg", kind: Kind = Kind.IMAGE, **known: object) -> LiveContent:
    usual = LiveContent(next(_IDS), kind, 1_000, 400, 300, None, None, None, None, 1, 0, path)
    return usual._replace(**known)
