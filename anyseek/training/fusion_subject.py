"""A fusion to be learnt: what is asked are words together with an answer that is known already, and other answers are wanted."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..adapters.adapter import Adapter
from ..errors import BadInput
from ..fusion.early import EarlyFusion, Pieces
from ..fusion.mean import WeightedMean
from ..fusion.network import NetworkFusion
from ..types import Modality
from .batches import Draw
from .examples import Examples
from .heldout import stretches_of
from .judge import HeldOut, Media
from .problem import Candidates, Edges, Parts, Problem
from .subjects import Material

__all__ = ["FusionSubject"]

MOST_SHOWN = 8
"""Of one query, with how many known answers it is asked at most."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """Words, and an answer that is shown with them.

    Attributes:
        query: The row of the words.
        shown: The row of the answer.
        right: The rows of other answers.
    """

    query: int
    shown: int
    right: tuple[int, ...]


class FusionSubject:
    """Parts of queries that become one.

    People look for more of what they have in hand: a picture of a product and its name, a sound and what it is called. So each query in
    words is asked together with an answer of the training part, and its other answers are right. In training the answers are drawn from
    the training part, too; in validation and test they are those of these parts.

    Args:
        material: What to learn from.
        chance: What is shown is drawn from it.

    Raises:
        BadInput: No query in words has two answers to learn from.
    """

    def __init__(self, material: Material, chance: np.random.Generator) -> None:
        self._material, examples, parts = material, material.examples, material.parts
        self.draw: Draw | None = None
        known = _answers(examples, material.taught)
        asked = {
            "train": _composed(known, known, examples, chance),
            "validation": _composed(known, _answers(examples, parts.validation), examples, chance),
            "test": _composed(known, _answers(examples, parts.test), examples, chance),
        }
        if not asked["train"]:
            raise BadInput("a fusion is learnt from words with several answers each, and there are none: give more pairs for each text")
        everything = [*asked["train"], *asked["validation"]]
        pieces = [self._pieces(one) for one in everything]
        self.modalities = tuple(modality for modality in Modality if any(modality in of for _, of in pieces))
        unseen, seen = material.unseen(), material.seen
        first = len(asked["train"])
        self.problem = Problem(
            np.stack([vectors[0] for vectors, _ in pieces]),
            tuple(of[0] for _, of in pieces),
            examples.target_vectors[seen],
            tuple(examples.targets[row].modality for row in seen.tolist()),
            _edges(everything[:first], 0, seen),
            _edges(everything[first:], first, seen),
            self.modalities,
            candidates=Candidates(unseen.vectors, unseen.modalities) if len(unseen.vectors) else None,
            query_parts=Parts(
                np.repeat(np.arange(len(pieces)), [len(of) for _, of in pieces]),
                np.concatenate([vectors for vectors, _ in pieces]),
                tuple(modality for _, of in pieces for modality in of),
                np.ones(sum(len(of) for _, of in pieces), np.float32),
            ),
        )
        learnt = _answers(examples, parts.train | parts.validation)
        self._rows: list[_Asked] = []
        self.questions: list[HeldOut] = []
        for one in asked["test"]:
            questions = self._questions(one, learnt)
            self.questions += questions
            self._rows += [one] * len(questions)

    def asked(self, adapter: Adapter | None) -> np.ndarray:
        """The questions joined: by the mean, or by the network that was learnt."""
        fingerprint = "" if adapter is None else adapter.card.fingerprint
        fusion: EarlyFusion = WeightedMean()
        if adapter is not None and adapter.network is not None:
            fusion = NetworkFusion({fingerprint: adapter.network})
        pieces = [self._pieces(one) for one in self._rows]
        joined = [fusion.fuse(Pieces(vectors, (1.0,) * len(of), of, fingerprint)).vector for vectors, of in pieces]
        return np.stack(joined) if joined else np.empty((0, self.problem.query_vectors.shape[1]), np.float32)

    def found(self, adapter: Adapter | None) -> Media:
        """A fusion changes nothing that is stored."""
        return self._material.media

    def texts(self, vectors: np.ndarray, adapter: Adapter | None) -> np.ndarray:
        """Nor a text that is asked alone."""
        return vectors

    def alone(self) -> tuple[list[HeldOut], np.ndarray]:
        """Each part of the questions by itself, which a fusion leaves as it is: what it has to be better than."""
        questions, vectors = [], []
        for one, question in zip(self._rows, self.questions, strict=True):
            pieces, of = self._pieces(one)
            for row, modality in zip(pieces, of, strict=True):
                questions.append(replace(question, asked=f"{modality.value} alone"))
                vectors.append(row)
        return questions, np.stack(vectors) if vectors else np.empty((0, self.problem.query_vectors.shape[1]), np.float32)

    def _pieces(self, one: _Asked) -> tuple[np.ndarray, tuple[Modality, ...]]:
        examples = self._material.examples
        shown = examples.targets[one.shown].modality
        return np.stack([examples.query_vectors[one.query], examples.target_vectors[one.shown]]), (Modality.TEXT, shown)

    def _questions(self, one: _Asked, learnt: Mapping[int, Sequence[int]]) -> list[HeldOut]:
        examples = self._material.examples
        asked = "+".join(modality.value for modality in self._pieces(one)[1])
        passed_over = frozenset(examples.targets[row].content_id for row in learnt[one.query])
        found = []
        for modality in sorted({examples.targets[row].modality for row in one.right}):
            right = stretches_of([examples.targets[row] for row in one.right if examples.targets[row].modality is modality])
            found.append(HeldOut(examples.queries[one.query].label, asked, modality, right, passed_over))
        return found


def _answers(examples: Examples, mask: np.ndarray) -> dict[int, list[int]]:
    """The rows of the right answers of each query in words, in a part."""
    found: dict[int, list[int]] = defaultdict(list)
    for edge in np.flatnonzero(mask & examples.positive).tolist():
        if examples.queries[int(examples.query_of[edge])].content_id is None:
            found[int(examples.query_of[edge])].append(int(examples.target_of[edge]))
    return dict(found)


def _composed(
    known: Mapping[int, Sequence[int]], wanted: Mapping[int, Sequence[int]], examples: Examples, chance: np.random.Generator
) -> list[_Asked]:
    """Each query with some of its known answers, as far as it has wanted ones that are not nearly the same."""
    found = []
    for query in sorted(wanted):
        shown = known.get(query, ())
        for row in sorted(chance.permutation(np.array(shown, np.int64))[:MOST_SHOWN].tolist()):
            right = tuple(other for other in wanted[query] if examples.groups[other] != examples.groups[row])
            if right:
                found.append(_Asked(query, row, right))
    return found


def _edges(asked: Sequence[_Asked], first: int, seen: np.ndarray) -> Edges:
    pairs = [(first + number, row) for number, one in enumerate(asked) for row in one.right]
    return Edges.of([query for query, _ in pairs], np.searchsorted(seen, [target for _, target in pairs]))
