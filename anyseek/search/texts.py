"""What each space makes of the vocabulary: encoded once when a library is prepared, and kept with it."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np

from ..adapters.encoder import AdaptedEncoder
from ..adapters.spaces import is_adapted
from ..storage.derived import DerivedArrays
from ..types import Modality, Space
from .adaptation import Adaptation
from .spaces import SearchSpace
from .timings import Stopwatch
from .vocabulary import Vocabulary

__all__ = ["OnText", "TextVectors", "Texts", "shipped_vectors"]

CHUNK = 64
HASTY = 200
HASTY_NOTE = "the library is not prepared for telling what is relevant: its next  anyseek index  makes this better and faster"

OnText = Callable[[SearchSpace, int, int], None]
"""Told while a space encodes the vocabulary: the space, how many texts are done, and how many there are."""


@dataclass(frozen=True, slots=True, eq=False)
class TextVectors:
    """What a space makes of texts.

    Attributes:
        vectors: (n, dim) float32 unit rows.
        step: They are of every `step`-th text of the vocabulary.
    """

    vectors: np.ndarray
    step: int = 1

    def at_step(self, step: int) -> np.ndarray:
        """Those of every `step`-th text, `step` being this one's or that of others, larger."""
        return self.vectors if step == self.step else self.vectors[::step]


class Texts:
    """The vocabulary's vectors in the spaces of a library. A search that finds none makes do with a few and says so.

    Args:
        vocabulary: The texts.
        kept: Where they are kept; None to keep nothing.
        adaptation: What queries go through; None for nothing.
    """

    def __init__(self, vocabulary: Vocabulary, kept: DerivedArrays | None, adaptation: Adaptation | None = None) -> None:
        self.vocabulary = vocabulary
        self.adaptation = adaptation
        self.notes: list[str] = []
        self._kept = kept
        self._known: dict[int, TextVectors] = {}
        self._asked: dict[int, tuple[TextVectors, TextVectors]] = {}
        self._lock = threading.RLock()

    @property
    def hasty_step(self) -> int:
        """Every how many texts one is taken when there is no time for all of them."""
        return -(-len(self.vocabulary.texts) // HASTY)

    def of(self, space: SearchSpace, watch: Stopwatch) -> TextVectors | None:
        """What a space makes of the vocabulary, or of some of it where it was not encoded yet; None if it does not understand text."""
        with self._lock:
            if space.id not in self._known:
                found = self._read(space)
                if found is None:
                    if not space.takes(Modality.TEXT, watch):
                        return None
                    found = self._derived(space) or self._encode(space, self.hasty_step, watch)
                    if found.step > 1 and HASTY_NOTE not in self.notes:
                        self.notes.append(HASTY_NOTE)
                self._known[space.id] = found
            return self._known[space.id]

    def asked(self, space: SearchSpace, watch: Stopwatch) -> TextVectors | None:
        """The same as queries: as what is asked goes through an adapter, so do the captions that it is held against."""
        known = self.of(space, watch)
        adapter = self.adaptation.query(space) if self.adaptation is not None else None
        if known is None or adapter is None:
            return known
        with self._lock:
            before, mapped = self._asked.get(space.id, (None, known))
            if before is not known:
                mapped = TextVectors(adapter.apply(known.vectors, Modality.TEXT), known.step)
                self._asked[space.id] = known, mapped
            return mapped

    def has_more(self, space: SearchSpace) -> bool:
        """Whether a space made do with a few texts, and all of them are kept by now."""
        with self._lock:
            known = self._known.get(space.id)
            return known is not None and known.step > 1 and self._read(space) is not None

    def prepare(self, space: SearchSpace, on_text: OnText | None = None) -> str | None:
        """Encode the whole vocabulary and keep it, unless that was done before.

        Returns:
            The name under which it is kept; None if the space does not understand text, or its vectors come with the program.
        """
        with self._lock:
            watch = Stopwatch()
            if not space.takes(Modality.TEXT, watch) or self._is_shipped(space):
                return None
            found = self._read(space)
            if found is None:
                found = self._derived(space) or self._encode(space, 1, watch, on_text)
                if self._kept is not None:
                    self._kept.write(_name(space), self._key(space), {"vectors": found.vectors.astype(np.float16)})
            self._known[space.id] = found
            return _name(space)

    def name_of_origin(self, space: SearchSpace) -> str | None:
        """The name under which the vectors are kept of the space that a space was made of, so that going back costs nothing."""
        encoder = _adapted_encoder(space)
        return None if encoder is None else _name_by(encoder.base.space)

    def _read(self, space: SearchSpace) -> TextVectors | None:
        return self._stored(space.row.space)

    def _stored(self, space: Space) -> TextVectors | None:
        vectors = shipped_vectors(space.fingerprint, self.vocabulary.digest)
        if vectors is None:
            kept = self._kept.read(_name_by(space), self._key_by(space)) if self._kept is not None else None
            vectors = (kept or {}).get("vectors", np.empty(0))
        if vectors.shape != (len(self.vocabulary.texts), space.dim):
            return None
        return TextVectors(vectors.astype(np.float32))

    def _derived(self, space: SearchSpace) -> TextVectors | None:
        """Those of a space that an adapter has made, from those of the one that it made it of: encoding would give the same."""
        encoder = _adapted_encoder(space)
        known = None if encoder is None else self._stored(encoder.base.space)
        if encoder is None or known is None:
            return None
        mapped = encoder.adapter.apply(known.vectors, Modality.TEXT)
        return TextVectors(mapped.astype(np.float16).astype(np.float32))

    def _is_shipped(self, space: SearchSpace) -> bool:
        return shipped_vectors(space.row.space.fingerprint, self.vocabulary.digest) is not None

    def _encode(self, space: SearchSpace, step: int, watch: Stopwatch, on_text: OnText | None = None) -> TextVectors:
        texts = self.vocabulary.texts[::step]
        encoded = []
        for start in range(0, len(texts), CHUNK):
            chunk = list(texts[start : start + CHUNK])
            encoded.append(space.encode(lambda encoder, chunk=chunk: encoder.encode_text(chunk), watch))  # type: ignore[misc]
            if on_text is not None:
                on_text(space, start + len(chunk), len(texts))
        # the same numbers whether they were read or have just been made
        return TextVectors(np.concatenate(encoded).astype(np.float16).astype(np.float32), step)

    def _key(self, space: SearchSpace) -> str:
        return self._key_by(space.row.space)

    def _key_by(self, space: Space) -> str:
        return f"{space.fingerprint} {self.vocabulary.digest}"


@cache
def shipped_vectors(fingerprint: str, digest: str) -> np.ndarray | None:
    """What a space makes of a vocabulary, (n, dim) float16, where that comes with the program; ``scripts/build_vocabulary.py`` makes it."""
    try:
        packed = files(__package__).joinpath(f"vocabulary-{fingerprint[:16]}.npz").read_bytes()
    except OSError:
        return None
    with np.load(io.BytesIO(packed), allow_pickle=False) as shipped:
        return np.asarray(shipped["vectors"]) if str(shipped["key"]) == f"{fingerprint} {digest}" else None


def _name(space: SearchSpace) -> str:
    return _name_by(space.row.space)


def _adapted_encoder(space: SearchSpace) -> AdaptedEncoder | None:
    """Its encoder, if an adapter has made the space; none is loaded to find that out."""
    encoder = space.encoder if is_adapted(space.row.space) and space.lost is None else None
    return encoder if isinstance(encoder, AdaptedEncoder) else None


def _name_by(space: Space) -> str:
    return f"texts-{space.fingerprint[:16]}"
