"""What the judged queries of before and after come to: means, intervals, classes, the worst of them."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..evaluation.intervals import LEAST_QUERIES, Interval, paired_interval
from .judge import CUTOFFS, MEASURES, Judged

__all__ = ["Compared", "Figures", "compare", "compared_by_class", "compared_by_pair", "compared_by_source", "worst_share"]


@dataclass(frozen=True, slots=True)
class Figures:
    """How well queries are answered.

    Attributes:
        means: By measure, over the queries.
    """

    means: Mapping[str, float]

    @classmethod
    def of(cls, judged: Sequence[Judged]) -> Figures:
        """Those of at least one query."""
        values = [each.values() for each in judged]
        return cls({measure: math.fsum(value[measure] for value in values) / len(values) for measure in MEASURES})


@dataclass(frozen=True, slots=True)
class Compared:
    """Some queries before and after.

    Attributes:
        name: What they have in common.
        queries: How many they are.
        answers: How many right answers they have together.
        before: As the space answers them by itself.
        after: With what was trained.
        attainable: The highest mean ``recall@10`` that there could be: of twenty right answers ten have room.
        differences: By measure; none of too few.
        by_answers: Whether the differences are over right answers, because the queries are too few to draw from.
    """

    name: str
    queries: int
    answers: int
    before: Figures
    after: Figures
    attainable: float
    differences: Mapping[str, Interval]
    by_answers: bool = False


def compare(name: str, before: Sequence[Judged], after: Sequence[Judged], *, surely: bool = True) -> Compared:
    """Compare queries, asked in two ways.

    What is drawn for the intervals are queries. Where they are fewer than `LEAST_QUERIES`, as when somebody teaches three words, it is
    their right answers: then the intervals say how sure it is of these words, and nothing of others.

    Args:
        name: What they have in common.
        before: At least one.
        after: The same queries in the same order.
        surely: Whether intervals are wanted.
    """
    answers = sum(len(each.places) for each in before)
    by_answers = len(before) < LEAST_QUERIES
    differences = {}
    for measure in MEASURES if surely else ():
        one, other = ([value for each in side for value in _drawn(each, measure, by_answers=by_answers)] for side in (before, after))
        interval = paired_interval(one, other)
        if interval is not None:
            differences[measure] = interval
    attainable = math.fsum(min(1.0, CUTOFFS[-1] / len(each.places)) for each in before) / len(before)
    return Compared(name, len(before), answers, Figures.of(before), Figures.of(after), attainable, differences, by_answers)


def _drawn(judged: Judged, measure: str, *, by_answers: bool) -> list[float]:
    if not by_answers:
        return [judged.values()[measure]]
    parts = judged.parts()[measure]
    return parts if measure.startswith("success") else [part * len(parts) for part in parts]


def compared_by_class(before: Sequence[Judged], after: Sequence[Judged]) -> tuple[Compared, ...]:
    """By what is asked, in alphabetical order, without intervals."""
    return _grouped(before, after, [(each.question.label,) for each in before], surely=False)


def compared_by_source(before: Sequence[Judged], after: Sequence[Judged]) -> tuple[Compared, ...]:
    """By where the pairs come from; a query may come from several."""
    return _grouped(before, after, [each.question.sources for each in before])


def compared_by_pair(before: Sequence[Judged], after: Sequence[Judged]) -> tuple[Compared, ...]:
    """By what is asked with and for."""
    return _grouped(before, after, [(each.question.pair,) for each in before])


def _grouped(
    before: Sequence[Judged], after: Sequence[Judged], names: Sequence[Sequence[str]], *, surely: bool = True
) -> tuple[Compared, ...]:
    members: dict[str, list[int]] = defaultdict(list)
    for number, of_query in enumerate(names):
        for name in of_query:
            members[name].append(number)
    return tuple(compare(name, [before[i] for i in of], [after[i] for i in of], surely=surely) for name, of in sorted(members.items()))


def worst_share(classes: Sequence[Figures], measure: str, share: float = 0.1) -> float:
    """The mean over the worst classes.

    Args:
        classes: At least one.
        measure: By which they are the worst.
        share: How many of them, at least one: a tenth is the worst decile.
    """
    values = sorted(each.means[measure] for each in classes)
    worst = values[: max(1, math.ceil(share * len(values)))]
    return math.fsum(worst) / len(worst)
