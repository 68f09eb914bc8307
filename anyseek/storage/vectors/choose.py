"""Which implementation serves on this machine, and where it is searched."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING

from ...errors import BadInput
from . import gpu
from .faiss_index import FaissIndex
from .numpy_index import NumpyIndex
from .protocol import VectorIndex

if TYPE_CHECKING:
    from .faiss_gpu import Note

__all__ = ["BACKENDS", "DEVICES", "Choice", "choose_backend", "place"]

BACKENDS: dict[str, type[VectorIndex]] = {FaissIndex.backend: FaissIndex, NumpyIndex.backend: NumpyIndex}

DEVICES = ("auto", "cpu", "gpu")
"""Where to search: ``auto`` takes the GPU for indexes that FAISS serves, where it sees one."""

SMALL = 20_000
"""Up to so many vectors NumPy answers sooner than FAISS can be imported, which is what a command that searches once waits for."""


@dataclass(frozen=True, slots=True)
class Choice:
    """An implementation, and for people why it is not the usual one; None when it is."""

    index: type[VectorIndex]
    reason: str | None = None


def choose_backend(name: str | None = None, *, count: int = SMALL + 1, device: str = "auto") -> Choice:
    """Choose by name, or FAISS where it is installed and there are more than `SMALL` vectors, else NumPy.

    A FAISS that is installed but broken is chosen, too, and says so when it is used: hiding it would make searching slow for no
    visible reason.

    Args:
        name: ``faiss`` or ``numpy``; None chooses.
        count: How many vectors there are.
        device: One of `DEVICES`; ``gpu`` asks for FAISS, however few vectors there are.

    Raises:
        BadInput: A GPU is asked for and there is none that FAISS can use, or NumPy is asked for with it.
    """
    if device not in DEVICES:
        raise BadInput(f"no index device is called {device!r}: use one of {', '.join(DEVICES)}")
    if name is not None and name not in BACKENDS:
        raise ValueError(f"no vector index is called {name!r}: use one of {', '.join(BACKENDS)}")
    if device == "gpu":
        if name == NumpyIndex.backend:
            raise BadInput("the NumPy index cannot be searched on a GPU: leave --index-device out")
        gpu.find_gpu()
        return Choice(FaissIndex)
    if name is not None:
        return Choice(BACKENDS[name])
    if find_spec("faiss") is None:
        return Choice(
            NumpyIndex, "FAISS is not installed, so vectors are searched with NumPy, which is slower: run  pip install 'anyseek[cpu]'"
        )
    return Choice(NumpyIndex if count <= SMALL else FaissIndex)


def place(index: VectorIndex, device: str, note: Note, *, instead_of: VectorIndex | None = None) -> VectorIndex:
    """Bring an index to the device where it is to be searched.

    Args:
        index: Loaded or built on the CPU.
        device: One of `DEVICES`. ``auto`` leaves a NumPy index where it is; ``gpu`` makes one of FAISS from it.
        note: Told when the GPU's memory does not suffice, then or later: the index is searched on the CPU.
        instead_of: The one that served until now. It gives the GPU's memory back first, and may go on being searched.

    Raises:
        BadInput: A GPU is asked for and there is none that FAISS can use.
    """
    if isinstance(instead_of, FaissIndex):
        instead_of.leave_gpu()
    if device == "cpu" or (device == "auto" and not isinstance(index, FaissIndex)):
        return index
    try:
        found = gpu.find_gpu()
    except BadInput:
        if device == "auto":
            return index
        raise
    if not isinstance(index, FaissIndex):
        ids = index.ids()
        vectors = index.vectors(ids)
        index = FaissIndex(index.dim)
        index.add(ids, vectors)
    index.use_gpu(found, note)
    return index
