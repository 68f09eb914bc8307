"""What a training is given: pairs read, put into a space, split, and what else of the library it needs."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from ..adapters.adapter import PREFIX
from ..errors import BadInput
from ..evaluation.intervals import LEAST_QUERIES
from ..library import Library
from ..search.bridges import Bridges
from ..search.spaces import SearchSpace
from ..search.texts import Texts
from ..search.timings import Stopwatch
from ..search.vocabulary import CAPTIONS, Vocabulary
from ..storage.derived import DerivedArrays
from .augment import Augmentation
from .batches import Augment
from .bridge_subject import BridgeEnd, BridgeSubject, by_words
from .examples import Examples
from .fusion_subject import FusionSubject
from .judge import Media
from .media import LARGEST, candidates_of
from .options import TrainOptions
from .outcome import DataSummary
from .own_pairs import pairs_from
from .pair_files import read_pairs
from .pairs import Pair, Pairs
from .resolving import resolve
from .sampling import capped
from .selection import DISAGREEING, agreeing
from .split import SHARES, Split, split
from .subjects import MapSubject, Material, Subject

__all__ = ["Lesson", "lesson_of"]

ALIKE = "of files that are nearly the same as others with the same words"
FEWEST = LEAST_QUERIES
"""Held-out pairs with which a difference can be told from chance at all."""


@dataclass(frozen=True)
class Lesson:
    """All that a training has.

    Attributes:
        library: Where it comes from.
        options: How it is to be used.
        space: What is taught.
        target: Of a bridge: where it leads to.
        examples: The pairs, in that space.
        parts: Which of them are for what.
        there: Of a bridge: the same at its other end.
    """

    library: Library
    options: TrainOptions
    space: SearchSpace
    target: SearchSpace | None
    examples: Examples
    parts: Split
    there: BridgeEnd | None = None

    @cached_property
    def taught(self) -> tuple[np.ndarray, Mapping[str, int]]:
        """(e,) bool, the pairs of the training part that are learnt from; and why others are not → how many."""
        balancing = self.options.balancing
        agreed = agreeing(self.examples, self.parts.train) if balancing.selection else self.parts.train
        taught = capped(self.examples, agreed, self.options.seed) if balancing.caps else agreed
        counts = {DISAGREEING: int((self.parts.train & ~agreed).sum()), ALIKE: int((agreed & ~taught).sum())}
        return taught, {reason: count for reason, count in counts.items() if count}

    @property
    def augment(self) -> Augment | None:
        """What changes the vectors of batches; None to leave them."""
        balancing = self.options.balancing
        return Augmentation(balancing.mixing, balancing.noise) if balancing.mixing or balancing.noise else None

    @property
    def drawing(self) -> str:
        """What shapes the batches, in words, so that a training goes on as it began."""
        return repr(self.options.balancing)

    @property
    def notes(self) -> tuple[str, ...]:
        """What a user should hear about."""
        if "feedback" in self.options.take_from and not self.library.catalog.feedback_counts():
            is_on = self.library.catalog.feedback_enabled
            return ("no feedback was recorded" + ("" if is_on else ", for it is off: switch it on with  anyseek feedback on"),)
        return ()

    @cached_property
    def summary(self) -> DataSummary:
        """What is learnt from."""
        examples, parts, (taught, untaught) = self.examples, self.parts, self.taught
        right = np.flatnonzero(examples.positive)
        by_query = Counter(examples.queries[row].label for row in examples.query_of[right].tolist())
        several = {label: count for label, count in sorted(by_query.items(), key=lambda each: (-each[1], each[0])) if count > 1}
        sources = Counter(examples.sources[place] for place in examples.source_of.tolist())
        return DataSummary(
            pairs=len(examples),
            negatives=int((~examples.positive).sum()),
            sources={name: sources[name] for name in examples.sources},
            classes=several,
            queries=len({query.label for query in examples.queries}),
            targets=len({(target.content_id, target.stretch) for target in examples.targets}),
            groups=len(set(examples.groups.tolist())),
            parts={"train": int(taught.sum()), "validation": int(parts.validation.sum()), "test": int(parts.test.sum())},
            left_out=_sum(examples.left_out, parts.left_out, untaught),
        )

    @cached_property
    def captions(self) -> np.ndarray:
        """The reference captions in the space that is taught, (c, dim) float32 unit rows; none if it takes no text."""
        return captions_of(self.library, self.space)

    def check_size(self) -> None:
        """See that there is enough to learn from and to judge by.

        Raises:
            BadInput: There is not.
        """
        right = self.examples.positive
        held, learnt = int((self.parts.test & right).sum()), int((self.taught[0] & right).sum())
        if held < FEWEST or not learnt:
            wanted = math.ceil(FEWEST / SHARES[-1])
            left_out = "; ".join(f"{count:,} {reason}" for reason, count in self.summary.left_out.items())
            told = f" (left out: {left_out})" if left_out else ""
            told += "".join(f" ({note})" for note in self.notes)
            count = f"{len(self.examples):,} pair{' is' if len(self.examples) == 1 else 's are'}"
            raise BadInput(
                f"{count} too few{told}: {held} could be held out, and {FEWEST} are the least by which one can "
                f"tell whether something is better; give {wanted} pairs or more, of files that are not nearly the same"
            )

    def subject(self) -> Subject:
        """What is trained and judged."""
        chance = np.random.default_rng(self.options.seed)
        if self.target is not None:
            return self._bridge(self.target, chance)
        material = Material(self.examples, self.parts, self.taught[0], self._media, self.captions, self.options)
        if self.options.method == "fusion":
            return FusionSubject(material, chance)
        return MapSubject(material, both=self.options.side == "both")

    def _bridge(self, target: SearchSpace, chance: np.random.Generator) -> BridgeSubject:
        watch, library = Stopwatch(), self.library
        texts = Texts(Vocabulary.kept(library.catalog.setting(CAPTIONS)), DerivedArrays(library.folder))
        ends = texts.of(self.space, watch), texts.of(target, watch)
        before = Bridges(texts, DerivedArrays(library.folder), library.bridge).between(self.space, target, watch)
        if before is None or ends[0] is None or ends[1] is None:
            raise BadInput("a bridge is held by words that both models understand, and one of these understands none: choose another")
        step = max(end.step for end in ends if end is not None)
        carried = [of for of in dict.fromkeys(self._media.modalities) if not target.takes(of, watch)]
        if not carried:
            raise BadInput(f"{target.spec} understands by itself all that is in {self.space.spec}: there is nothing to be carried over")
        assert self.there is not None
        theirs = candidates_of(library.catalog, target.row, {each.content_id for each in self.there.examples.targets}, LARGEST)[0]
        source = BridgeEnd(self.examples, self.parts, self._media, ends[0].at_step(step))
        return BridgeSubject(source, replace(self.there, media=theirs, captions=ends[1].at_step(step)), carried, before, chance)

    @cached_property
    def _media(self) -> Media:
        answers = {target.content_id for target in self.examples.targets}
        return candidates_of(self.library.catalog, self.space.row, answers, LARGEST)[0]


def lesson_of(
    library: Library,
    options: TrainOptions,
    pairs: Sequence[Path | str | Pair],
    roots: Sequence[Path],
    on_step: Callable[[str, int, int], None],
) -> Lesson:
    """Read pairs, put them into the space that is taught, and split them.

    Raises:
        BadInput: The pairs or the space cannot be used.
    """
    space = _space(library, options.space)
    read = _read(library, pairs, options.take_from)
    read = read if options.to is None else by_words(read)
    on_step("encoding what is asked", 0, 1)
    examples = resolve(library, space.row, read, roots)
    on_step("encoding what is asked", 1, 1)
    parts = split(examples, options.seed)
    if options.to is None:
        return Lesson(library, options, space, None, examples, parts)
    target = _space(library, options.to)
    if not {space.id, target.id} <= {each.id for each in library.engine.spaces} or space.id == target.id:
        raise BadInput("a bridge leads from one model to another, and both must serve: see  anyseek models use")
    theirs = resolve(library, target.row, read, roots)
    their_parts = _without_contradiction(examples, parts, theirs, split(theirs, options.seed))
    nothing = np.empty((0, target.row.space.dim), np.float32)
    there = BridgeEnd(theirs, their_parts, candidates_of(library.catalog, target.row, (), 0)[0], nothing)
    return Lesson(library, options, space, target, examples, parts, there)


def _read(library: Library, pairs: Sequence[Path | str | Pair], take_from: Sequence[str]) -> Pairs:
    own = Pairs(tuple(pair for pair in pairs if isinstance(pair, Pair)))
    files = [read_pairs(Path(pair)) for pair in pairs if not isinstance(pair, Pair)]
    taken = [pairs_from(library, take_from)] if take_from else []
    return Pairs.together([own, *files, *taken])


def _space(library: Library, spec: str | None) -> SearchSpace:
    serving = library.engine.spaces
    if spec is None:
        if len(serving) > 1:
            raise BadInput(f"several models serve: say with --space which is to be taught, {' or '.join(each.spec for each in serving)}")
        found = serving[0]
    else:
        (row,) = library.spaces.named([spec])
        found = next((each for each in serving if each.row.id == row.id), None) or library.engine_of([row]).spaces[0]
    if found.spec.startswith(PREFIX):
        raise BadInput(f"{found.spec} was made by an adapter itself: go back to its model with  anyseek adapters rollback, and teach that")
    return found


def captions_of(library: Library, space: SearchSpace) -> np.ndarray:
    """What a space makes of the library's reference captions, without any adapter, (c, dim) float32 unit rows."""
    texts = Texts(Vocabulary.kept(library.catalog.setting(CAPTIONS)), DerivedArrays(library.folder))
    found = texts.of(space, Stopwatch())
    return np.empty((0, space.row.space.dim), np.float32) if found is None else found.vectors


def _sum(*counts: Mapping[str, int]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for each in counts:
        total.update(each)
    return dict(total)


def _without_contradiction(examples: Examples, own_parts: Split, theirs: Examples, their_parts: Split) -> Split:
    """Leave out, at the other end, what is for something else at this one: a film that is seen here and heard there judges once."""
    here: dict[int, int] = {}
    for number, mask in enumerate((own_parts.train, own_parts.validation, own_parts.test)):
        here |= {examples.targets[row].content_id: number for row in examples.target_of[mask].tolist()}
    contents = [theirs.targets[row].content_id for row in theirs.target_of.tolist()]

    def kept(mask: np.ndarray, number: int) -> np.ndarray:
        return np.asarray(mask & np.array([here.get(content, number) == number for content in contents], bool))

    parts = (their_parts.train, their_parts.validation, their_parts.test)
    train, validation, test = (kept(mask, number) for number, mask in enumerate(parts))
    return Split(train, validation, test, their_parts.left_out)
