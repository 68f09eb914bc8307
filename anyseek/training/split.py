"""Which pairs are learnt from, which tell when to stop, and which judge: no file, and none nearly like it, is in two of these."""

from __future__ import annotations

import heapq
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from ..errors import BadInput
from .examples import Examples
from .groups import Alike

__all__ = ["SHARES", "Split", "split"]

SHARES = (0.7, 0.15, 0.15)
"""For training, validation and test."""

LARGEST_BUNDLE = 0.1
CROSSING = "of two files that are in different parts"


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """The parts. A pair is in one of them at most.

    Attributes:
        train: (e,) bool, what is learnt from.
        validation: (e,) bool, what tells when to stop.
        test: (e,) bool, what judges.
        left_out: Why pairs are in none → how many.
    """

    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray
    left_out: Mapping[str, int] = field(default_factory=dict)


def split(examples: Examples, seed: int, shares: Sequence[float] = SHARES) -> Split:
    """Split pairs by groups of near-duplicates, so that each text is spread over the parts as well as it can be.

    The text with the fewest groups left goes first (iterative stratification: K. Sechidis, G. Tsoumakas and I. Vlahavas, ECML 2011). One
    of five groups or more is in all parts, one of two to four in training and another one. One of a single group can be learnt or judged,
    but not both: it is learnt where most groups are of texts that have several, which judge; where most texts are of that sort, as captions
    are, they are drawn like files that no text is about. Pairs of two files keep these together as far as that makes no lump of more than a
    tenth of all groups; those that are torn apart all the same are in no part. What is known to be wrong follows its target.

    Args:
        examples: The pairs.
        seed: Of what is drawn.
        shares: Of the groups, for training, validation and test; together 1.

    Raises:
        BadInput: The shares cannot be meant.
    """
    if len(shares) != len(SHARES) or min(shares) < 0 or shares[0] <= 0 or abs(sum(shares) - 1) > 1e-9:
        raise BadInput(f"{', '.join(map(str, shares))} are no shares for training, validation and test: give three that make 1")
    bundle_of = _bundles(examples)
    part_of = _Parts(np.array(shares, np.float64), np.random.default_rng(seed)).assign(_texts(examples, bundle_of), set(bundle_of.values()))
    places = {group: part_of[bundle] for group, bundle in bundle_of.items()}
    of_target = np.array([places[group] for group in examples.groups[examples.target_of].tolist()], np.int64)
    asked = examples.query_groups[examples.query_of]
    of_query = np.array([places.get(group, -1) for group in asked.tolist()], np.int64)
    torn = (asked >= 0) & (of_query != of_target)
    train, validation, test = ((of_target == number) & ~torn for number in range(len(SHARES)))
    return Split(train, validation, test, {CROSSING: int(torn.sum())} if torn.any() else {})


def _bundles(examples: Examples) -> dict[int, int]:
    """Groups that pairs of two files hold together, by the lowest of each."""
    between = np.flatnonzero((examples.query_groups[examples.query_of] >= 0) & examples.positive)
    queried = examples.query_groups[examples.query_of]
    answering = examples.groups[examples.target_of]
    groups = sorted({*answering.tolist(), *queried[queried >= 0].tolist()})
    alike = Alike(groups)
    sizes = dict.fromkeys(groups, 1)
    largest = max(2, int(LARGEST_BUNDLE * len(groups)))
    for one, other in zip(queried[between].tolist(), answering[between].tolist(), strict=True):
        first, second = alike.first(one), alike.first(other)
        if first != second and sizes[first] + sizes[second] <= largest:
            alike.join(first, second)
            sizes[min(first, second)] = sizes[first] + sizes[second]
    return {group: alike.first(group) for group in groups}


def _texts(examples: Examples, bundle_of: Mapping[int, int]) -> dict[int, set[int]]:
    """The bundles that hold right answers to each text, by its row."""
    found: dict[int, set[int]] = defaultdict(set)
    rows = np.flatnonzero((examples.query_groups[examples.query_of] < 0) & examples.positive)
    groups = examples.groups[examples.target_of[rows]]
    for query, group in zip(examples.query_of[rows].tolist(), groups.tolist(), strict=True):
        found[query].add(bundle_of[group])
    return dict(found)


class _Parts:
    """Gives bundles to parts, one after the other.

    Args:
        shares: (p,) of all, p of at least 2.
        chance: Decides where nothing else does.
    """

    def __init__(self, shares: np.ndarray, chance: np.random.Generator) -> None:
        self.shares = shares
        self.chance = chance
        self._part_of: dict[int, int] = {}
        self._left = shares
        self._wanted: dict[int, np.ndarray] = {}

    def assign(self, texts: Mapping[int, set[int]], bundles: set[int]) -> dict[int, int]:
        """The part of each bundle.

        Args:
            texts: Which bundles each text is about.
            bundles: All of them.
        """
        about: dict[int, list[int]] = defaultdict(list)
        for text in sorted(texts):
            for bundle in sorted(texts[text]):
                about[bundle].append(text)
        self._left = self.shares * len(bundles)
        self._wanted = {text: self._wish(len(of)) for text, of in texts.items()}
        several = {text: of for text, of in texts.items() if len(of) > 1}
        spread = set().union(*several.values())
        for cause, bundle in self._in_order(several, about, bundles):
            alone = cause is None and bundle in about and 2 * len(spread) > len(bundles)
            part = 0 if alone else self._best(cause)
            self._part_of[bundle] = part
            self._left[part] -= 1
            for each in about[bundle]:
                self._wanted[each][part] -= 1
        return self._part_of

    def _wish(self, count: int) -> np.ndarray:
        """How many of a text's bundles each part would have: of two one is for training, so that the other one can judge."""
        if count == 2 and self.shares[1:].any():
            return np.array([1, *(self.shares[1:] / self.shares[1:].sum())])
        return self.shares * count

    def _in_order(
        self, texts: Mapping[int, set[int]], about: Mapping[int, list[int]], bundles: set[int]
    ) -> Iterator[tuple[int | None, int]]:
        """Bundle after bundle, each with the text for which it is given away: that with the fewest left, of equal ones by chance."""
        drawn = self.chance.permutation(len(texts)).tolist()
        turn = dict(zip(sorted(texts), drawn, strict=True))
        rank = dict(zip(sorted(bundles), self.chance.permutation(len(bundles)).tolist(), strict=True))
        waiting = {text: sorted(of, key=rank.__getitem__, reverse=True) for text, of in texts.items()}
        left = Counter({text: len(of) for text, of in texts.items()})
        queue = [(left[text], turn[text], text) for text in texts]
        heapq.heapify(queue)
        while queue:
            count, _, text = heapq.heappop(queue)
            if count != left[text] or not count:
                continue
            bundle = waiting[text].pop()
            while bundle in self._part_of:
                bundle = waiting[text].pop()
            yield text, bundle
            for each in about[bundle]:
                if each in turn:
                    left[each] -= 1
                    heapq.heappush(queue, (left[each], turn[each], each))
        yield from ((None, bundle) for bundle in sorted(bundles, key=rank.__getitem__) if bundle not in self._part_of)

    def _best(self, text: int | None) -> int:
        """The part that lacks most: of a text's bundles, then of all; where there is no text, one drawn by what the parts lack."""
        if text is None:
            lacking = np.maximum(self._left, 0)
            return int(self.chance.choice(len(lacking), p=lacking / lacking.sum() if lacking.any() else self.shares))
        wanted = self._wanted[text]
        best = np.flatnonzero((wanted >= wanted.max() - 1e-9) & (self.shares > 0))
        left = self._left[best]
        best = best[left >= left.max() - 1e-9]
        return int(best[0] if len(best) == 1 else self.chance.choice(best))
