"""Joining what belongs together: what is seen, heard and said of one moment gets one vector beside its own ones.

It is worked out from stored vectors at the end of a run: nothing is decoded again, and of texts alone anything is encoded.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..errors import BadQuery
from ..fusion.early import EarlyFusion, Pieces
from ..fusion.vectors import cancels_out, unit_mean, weighted_mean
from ..storage.catalog import Catalog
from ..types import Annotation, AnnotationType, Modality, Segment
from .belonging import Belonging, belonging, words_of
from .lanes import Lane

__all__ = ["Wholes"]

CHUNK = 256
TEXTS_AT_ONCE = 64


@dataclass(frozen=True, slots=True, eq=False)
class _Content:
    """What a content has in the space, and what has to be done about it."""

    parts: np.ndarray
    segments: Sequence[Segment]
    found: Sequence[Belonging]
    mark: str


class Wholes:
    """Joins what belongs together in one space, batch by batch; what has not changed since it was joined is left as it is.

    Args:
        catalog: Of the library; nobody else writes to it meanwhile.
        lane: The space and its encoder.
        fusion: How vectors are joined.
        trained: Tells what the fusion was trained to be from what it was before; empty where it was not trained.
    """

    def __init__(self, catalog: Catalog, lane: Lane, fusion: EarlyFusion, trained: str = "") -> None:
        self.catalog = catalog
        self.lane = lane
        self.fusion = fusion
        self._how = f"1 {fusion.name} {trained}"
        self._texts = _Texts(lane)

    def run(self, stop: threading.Event, on_done: Callable[[int, int], None]) -> int:
        """Join what is new or has changed.

        Args:
            stop: Set it to leave off after the batch in hand.
            on_done: Told how many contents of how many were looked at.

        Returns:
            How many vectors were made.

        Raises:
            StorageFull: The disk is full; what was committed is safe.
        """
        contents, made = self.catalog.complete_contents(self.lane.space.id), 0
        for start in range(0, len(contents), CHUNK):
            if stop.is_set():
                break
            made += self._join(contents[start : start + CHUNK])
            on_done(min(start + CHUNK, len(contents)), len(contents))
        return made

    def _join(self, content_ids: Sequence[int]) -> int:
        """Join what has changed of some contents, in one transaction."""
        changed = self._changed(content_ids)
        if not changed:
            return 0
        said = self._texts.vectors(dict.fromkeys(text for content in changed.values() for one in content.found for text in one.texts))
        made = {content_id: self._made(content, said) for content_id, content in changed.items()}
        origin, space_id = self.lane.space.space.fingerprint, self.lane.space.id
        with self.catalog.transaction() as writer:
            writer.drop_wholes([space_id], list(changed))
            for content_id, items in made.items():
                writer.add_embeddings(content_id, space_id, items)
            marks = {
                content_id: [Annotation(AnnotationType.FUSED, origin, f"{content.mark} {len(made[content_id])}")]
                for content_id, content in changed.items()
            }
            writer.replace_annotations(AnnotationType.FUSED, origin, marks)
        return sum(map(len, made.values()))

    def _changed(self, content_ids: Sequence[int]) -> dict[int, _Content]:
        """The contents whose joined vectors are not those that they should have."""
        ids, owners, segments = self.catalog.embeddings_of(content_ids, self.lane.space.id)
        infos, notes = self.catalog.content_info(content_ids), self.catalog.annotations(content_ids)
        is_whole = np.array([segment.modality is Modality.WHOLE for segment in segments], np.bool_)
        changed = {}
        for content_id in content_ids:
            mine, about = owners == content_id, notes.get(content_id, [])
            parts = np.flatnonzero(mine & ~is_whole)
            words = words_of(infos[content_id], about) if self._texts.are_taken else []
            mark = hashlib.sha256(f"{self._how} {ids[parts].tolist()} {words}".encode("utf-8", "surrogatepass")).hexdigest()[:32]
            there = int((mine & is_whole).sum())
            origin = self.lane.space.space.fingerprint
            known = [one.text for one in about if (one.type, one.origin) == (AnnotationType.FUSED, origin)]
            if known == [f"{mark} {there}"]:
                continue
            own = [segments[place] for place in parts.tolist()]
            found = belonging(own, words)
            if found or there or known:
                changed[content_id] = _Content(ids[parts], own, found, mark)
        return changed

    def _made(self, content: _Content, said: Mapping[str, np.ndarray]) -> list[tuple[Segment, np.ndarray]]:
        rows = self.catalog.vectors(content.parts)
        made = []
        for one in content.found:
            pieces = {modality: _mean_of(rows, members) for modality, members in one.members.items()}
            spoken = [said[text] for text in one.texts if text in said]
            if spoken:
                pieces[Modality.TEXT] = unit_mean(np.stack(spoken))
            if len(pieces) > 1 and (vector := self._fused(pieces)) is not None:
                made.append((one.segment, vector))
        return made

    def _fused(self, pieces: Mapping[Modality, np.ndarray]) -> np.ndarray | None:
        """The sides of one moment as one; None where they cancel out."""
        rows, weights = np.stack(list(pieces.values())), (1.0,) * len(pieces)
        if cancels_out(rows, weights):
            return None
        return self.fusion.fuse(Pieces(rows, weights, tuple(pieces), self.lane.space.space.fingerprint)).vector


class _Texts:
    """What the encoder makes of texts; those that are too long for it are taken apart, and what it takes nothing of is left out."""

    def __init__(self, lane: Lane) -> None:
        self.are_taken = Modality.TEXT in lane.encoder.modalities
        self._encode = lane.encoder.encode_text

    def vectors(self, texts: Mapping[str, None]) -> dict[str, np.ndarray]:
        """By text, (dim,) float32 unit vectors."""
        found: dict[str, np.ndarray] = {}
        listed = list(texts)
        for start in range(0, len(listed), TEXTS_AT_ONCE):
            chunk = listed[start : start + TEXTS_AT_ONCE]
            try:
                found |= dict(zip(chunk, self._encode(chunk), strict=True))
            except BadQuery:
                found |= {text: unit_mean(np.stack(rows)) for text in chunk if (rows := self._one(text))}
        return found

    def _one(self, text: str) -> list[np.ndarray]:
        try:
            return [self._encode([text])[0]]
        except BadQuery:
            words = text.split()
            half = len(words) // 2
            return self._one(" ".join(words[:half])) + self._one(" ".join(words[half:])) if half else []


def _mean_of(rows: np.ndarray, members: Sequence[tuple[int, int]]) -> np.ndarray:
    """Some rows as one, by how long each is about the moment; the first where they cancel out."""
    vectors, weights = rows[[number for number, _ in members]], [float(length) for _, length in members]
    return np.asarray(vectors[0]) if cancels_out(vectors, weights) else weighted_mean(vectors, weights)
