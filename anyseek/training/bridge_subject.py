"""A bridge to be learnt: what is stored in one space asks for what goes by the same words in another."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..adapters.adapter import Adapter
from ..errors import BadInput
from ..search.bridge import Bridge
from ..search.ridge import RidgeBridge
from ..types import Modality
from .batches import Draw
from .examples import Examples
from .heldout import stretches_of
from .judge import HeldOut, Media
from .pairs import Pair, Pairs
from .problem import Edges, Pivot, Problem
from .split import Split

__all__ = ["BridgeEnd", "BridgeSubject", "by_words"]

MOST_ANSWERS = 8
"""Of one thing that is asked with, so many answers of each word are learnt at most."""


def by_words(pairs: Pairs) -> Pairs:
    """Pairs in which words stand between: two files that go together have a word of their own."""
    found: list[Pair] = []
    for number, pair in enumerate(pairs):
        if isinstance(pair.query, str):
            found.append(pair)
        elif pair.positive:
            word = f"pair {number}"
            found += [Pair(word, reference, source=pair.source, place=pair.place) for reference in (pair.query, pair.target)]
    return Pairs(tuple(found), pairs.left_out, pairs.folders, pairs.contents)


@dataclass(frozen=True, slots=True, eq=False)
class BridgeEnd:
    """One of the spaces.

    Attributes:
        examples: What goes by which words there.
        parts: Which of that is for what.
        media: All that is stored there.
        captions: (c, dim) float32 unit rows, the reference captions there; as many as at the other end.
    """

    examples: Examples
    parts: Split
    media: Media
    captions: np.ndarray

    def words(self, mask: np.ndarray, modalities: Collection[Modality] | None = None) -> dict[str, list[int]]:
        """The rows of targets that go by each word, in a part."""
        found: dict[str, list[int]] = defaultdict(list)
        for edge in np.flatnonzero(mask & self.examples.positive).tolist():
            row = int(self.examples.target_of[edge])
            if modalities is None or self.examples.targets[row].modality in modalities:
                found[self.examples.queries[int(self.examples.query_of[edge])].label].append(row)
        return dict(found)


class BridgeSubject:
    """A bridge from one space to another.

    Args:
        source: What is asked with: what the other space does not understand by itself.
        target: What is found.
        modalities: What is carried.
        before: The bridge that searches use without an adapter.
        chance: Which answers are learnt of many is drawn from it.

    Raises:
        BadInput: No word has something in both spaces to learn from.
    """

    draw: Draw | None = None

    def __init__(
        self, source: BridgeEnd, target: BridgeEnd, modalities: Collection[Modality], before: Bridge, chance: np.random.Generator
    ) -> None:
        self._source, self._target, self._before = source, target, before
        train = _joined(source.words(source.parts.train, modalities), target.words(target.parts.train), chance)
        validation = _joined(source.words(source.parts.validation, modalities), target.words(target.parts.validation), chance)
        if not train:
            raise BadInput("no words have something in both spaces to learn from: give pairs of pictures and of sounds by the same words")
        seen = np.unique([answer for _, answer in [*train, *validation]])
        self.modalities = tuple(modality for modality in Modality if modality in modalities)
        carried = [row for row, modality in enumerate(source.media.modalities) if modality in modalities]
        pivot = Pivot(
            source.captions,
            target.captions,
            source.media.vectors[carried],
            tuple(source.media.modalities[row] for row in carried),
        )
        self.problem = Problem(
            source.examples.target_vectors,
            source.examples.target_modalities,
            target.examples.target_vectors[seen],
            tuple(target.examples.targets[row].modality for row in seen.tolist()),
            _edges(train, seen),
            _edges(validation, seen),
            self.modalities,
            pivot=pivot,
        )
        media, of = pivot.media, pivot.media_modalities
        self._centres = {each: media[[one is each for one in of]].mean(axis=0) for each in dict.fromkeys(of)}
        self._rows: list[int] = []
        self.questions: list[HeldOut] = []
        learnt = target.words(target.parts.train | target.parts.validation)
        wanted = target.words(target.parts.test)
        for word, rows in sorted(source.words(source.parts.test, modalities).items()):
            for row in rows:
                questions = self._questions(word, row, wanted.get(word, ()), learnt.get(word, ()))
                self.questions += questions
                self._rows += [row] * len(questions)

    def asked(self, adapter: Adapter | None) -> np.ndarray:
        """The questions, carried by the bridge that there was or by the one that was learnt."""
        bridge = self._before if adapter is None else RidgeBridge.from_arrays(adapter.bridge)
        examples = self._source.examples
        carried = [bridge.carry(examples.target_vectors[row][None], self._centres[examples.targets[row].modality])[0] for row in self._rows]
        return np.stack(carried) if carried else np.empty((0, self.problem.target_vectors.shape[1]), np.float32)

    def found(self, adapter: Adapter | None) -> Media:
        """A bridge changes nothing that is stored."""
        return self._target.media

    def texts(self, vectors: np.ndarray, adapter: Adapter | None) -> np.ndarray:
        """Nor words, which both spaces understand."""
        return vectors

    def alone(self) -> tuple[list[HeldOut], np.ndarray]:
        """None: the questions have no parts."""
        return [], np.empty((0, self.problem.target_vectors.shape[1]), np.float32)

    def _questions(self, word: str, row: int, right: Sequence[int], learnt: Sequence[int]) -> list[HeldOut]:
        asked, targets = self._source.examples.targets[row], self._target.examples.targets
        passed_over = frozenset({targets[each].content_id for each in learnt} | {asked.content_id})
        found = []
        for modality in sorted({targets[each].modality for each in right}):
            answers = {
                content: stretches
                for content, stretches in stretches_of([targets[each] for each in right if targets[each].modality is modality]).items()
                if content not in passed_over
            }
            if answers:
                found.append(HeldOut(word, asked.modality.value, modality, answers, passed_over))
        return found


def _joined(asked: Mapping[str, Sequence[int]], answers: Mapping[str, Sequence[int]], chance: np.random.Generator) -> list[tuple[int, int]]:
    """What goes by the same words, as pairs of rows."""
    pairs: dict[tuple[int, int], None] = {}
    for word in sorted(set(asked) & set(answers)):
        for row in asked[word]:
            some = chance.permutation(np.array(answers[word], np.int64))[:MOST_ANSWERS]
            pairs |= dict.fromkeys((row, answer) for answer in sorted(some.tolist()))
    return list(pairs)


def _edges(pairs: Sequence[tuple[int, int]], seen: np.ndarray) -> Edges:
    return Edges.of([asked for asked, _ in pairs], np.searchsorted(seen, [answer for _, answer in pairs]))
