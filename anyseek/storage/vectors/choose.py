"""Which implementation serves on this machine."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec

from .faiss_index import FaissIndex
from .numpy_index import NumpyIndex
from .protocol import VectorIndex

__all__ = ["BACKENDS", "Choice", "choose_backend"]

BACKENDS: dict[str, type[VectorIndex]] = {FaissIndex.backend: FaissIndex, NumpyIndex.backend: NumpyIndex}


SMALL = 20_000
"""Up to so many vectors NumPy answers sooner than FAISS can be imported, which is what a command that searches once waits for."""


@dataclass(frozen=True, slots=True)
class Choice:
    """An implementation, and for people why it is not the usual one; None when it is."""

    index: type[VectorIndex]
    reason: str | None = None


def choose_backend(name: str | None = None, *, count: int = SMALL + 1) -> Choice:
    """Choose by name, or FAISS where it is installed and there are more than `SMALL` vectors, else NumPy.

    A FAISS that is installed but broken is chosen, too, and says so when it is used: hiding it would make searching slow for no
    visible reason.
    """
    if name is not None:
        if name not in BACKENDS:
            raise ValueError(f"no vector index is called {name!r}: use one of {', '.join(BACKENDS)}")
        return Choice(BACKENDS[name])
    if find_spec("faiss") is None:
        return Choice(
            NumpyIndex, "FAISS is not installed, so vectors are searched with NumPy, which is slower: run  pip install 'anyseek[cpu]'"
        )
    return Choice(NumpyIndex if count <= SMALL else FaissIndex)
