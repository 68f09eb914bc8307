"""Where a training is, as one file that is there whole or not at all: what was learnt, what the optimiser knows, how it went."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import BadInput, LibraryError
from ..storage.engine import translated
from ..storage.files import replace_whole
from .outcome import Epoch

__all__ = ["Checkpoint", "digest_of"]

FORMAT = "anyseek training 1"


@dataclass(frozen=True, slots=True, eq=False)
class Checkpoint:
    """The state after an epoch. Chance needs none: every epoch has its own, from the seed and the epoch's number.

    Attributes:
        digest: Of the problem and of all that shapes the outcome.
        arrays: ``now.NAME`` and ``best.NAME`` of each parameter, ``step.NAME``, ``mean.NAME`` and ``square.NAME`` of the optimiser.
        history: The epochs so far.
        before: The validation recall of what it began with.
        best_epoch: Whose the best parameters are.
        best: How good these are, as `validation.Score`.
    """

    digest: str
    arrays: Mapping[str, np.ndarray]
    history: tuple[Epoch, ...]
    before: float
    best_epoch: int
    best: tuple[float, ...]

    def write(self, path: Path) -> None:
        """Keep it in place of an earlier one.

        Raises:
            StorageFull: The disk is full.
            LibraryError: Nothing can be written there.
        """
        from safetensors.numpy import save

        state = {
            "history": [asdict(each) for each in self.history],
            "before": self.before,
            "best_epoch": self.best_epoch,
            "best": self.best,
        }
        arrays = {name: np.array(array, order="C") for name, array in self.arrays.items()}
        content = save(arrays, {"format": FORMAT, "digest": self.digest, "state": json.dumps(state), "checksum": _checksum(arrays)})
        with translated(path.parent):
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                replace_whole(path, lambda partial: _write(partial, content))
            except (FileExistsError, NotADirectoryError, IsADirectoryError, PermissionError) as error:
                raise LibraryError(f"the checkpoint {path} cannot be written ({error.strerror}): see to what is in its place") from error

    @classmethod
    def read(cls, path: Path, digest: str) -> Checkpoint | None:
        """The state that was kept; None if none was.

        Raises:
            BadInput: It is of another training, or damaged.
        """
        from safetensors import SafetensorError
        from safetensors.numpy import load

        try:
            content = path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise LibraryError(f"the checkpoint {path} cannot be read ({error.strerror}): give yourself the right to read it") from error
        try:
            arrays = load(content)
            metadata = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])["__metadata__"]
            if metadata["format"] != FORMAT or metadata["checksum"] != _checksum(arrays):
                raise ValueError
            state = json.loads(metadata["state"])
            history = tuple(Epoch(**each) for each in state["history"])
            found = cls(metadata["digest"], arrays, history, state["before"], state["best_epoch"], tuple(state["best"]))
        except (SafetensorError, KeyError, TypeError, ValueError):
            raise BadInput(f"the checkpoint {path} is damaged: remove it, and train from the beginning") from None
        if found.digest != digest:
            raise BadInput(f"the checkpoint {path} is of other pairs or settings: use those again, or train without  --resume")
        return found


def digest_of(*values: Any) -> str:
    """SHA-256 over values, in hex: dataclasses, mappings, sequences and arrays of them, and whatever JSON knows."""
    seen = hashlib.sha256()
    for value in values:
        _see(seen, value)
    return seen.hexdigest()


def _see(seen: Any, value: Any) -> None:
    if isinstance(value, np.ndarray):
        seen.update(f"\0array {value.dtype} {value.shape}\0".encode())
        seen.update(np.ascontiguousarray(value).tobytes())
    elif is_dataclass(value) and not isinstance(value, type):
        _see(seen, {each.name: getattr(value, each.name) for each in fields(value)})
    elif isinstance(value, Mapping):
        for key in sorted(value, key=str):
            seen.update(f"\0key {key}\0".encode())
            _see(seen, value[key])
    elif isinstance(value, list | tuple):
        seen.update(f"\0sequence {len(value)}\0".encode())
        for each in value:
            _see(seen, each)
    else:
        seen.update(f"\0{json.dumps(value)}\0".encode())


def _checksum(arrays: Mapping[str, np.ndarray]) -> str:
    """The file format has none of its own."""
    return digest_of(dict(arrays))


def _write(path: Path, content: bytes) -> None:
    path.write_bytes(content)
