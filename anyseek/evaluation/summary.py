"""What the results of many questions come to."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from .fairness import KindShare, kind_shares
from .intervals import Interval, paired_interval
from .results import Result

__all__ = ["ABSENT_REFUSED", "GOOD_REFUSED", "Group", "Summary", "differences", "latencies", "summarise"]

ABSENT_REFUSED = "absent refused"
GOOD_REFUSED = "good refused"
PERCENTILES = (50, 95, 99)


@dataclass(frozen=True, slots=True)
class Group:
    """The figures of some questions.

    Attributes:
        name: All, or what they ask with and for.
        questions: How many there are.
        absent: How many of them have no right answer.
        means: Measure → mean over the questions that it applies to.
        median_rank: Of the first right answer; infinite if more than half of them were not reached; None without right answers.
    """

    name: str
    questions: int
    absent: int
    means: Mapping[str, float]
    median_rank: float | None


@dataclass(frozen=True, slots=True)
class Summary:
    """The figures of one way to search.

    Attributes:
        overall: Of all questions.
        pairs: By what is asked with and for, the most frequent first.
        latency_ms: Percentile → milliseconds; empty if nothing could be asked.
        shares: Of each kind in mixed lists; empty if no question is for any kind.
    """

    overall: Group
    pairs: tuple[Group, ...]
    latency_ms: Mapping[int, float]
    shares: tuple[KindShare, ...]


def summarise(results: Sequence[Result]) -> Summary:
    """Sum up the results of one way to search."""
    pairs: dict[str, list[Result]] = defaultdict(list)
    for result in results:
        pairs[result.question.judged.pair].append(result)
    groups = [_group(name, of_pair) for name, of_pair in pairs.items()]
    groups.sort(key=lambda group: -group.questions)
    taken = [result.took_ms for result in results if result.took_ms is not None]
    return Summary(_group("all", results), tuple(groups), latencies(taken), tuple(kind_shares(results)))


def _group(name: str, results: Sequence[Result]) -> Group:
    values: dict[str, list[float]] = defaultdict(list)
    for result in results:
        for measure, value in result.values.items():
            values[measure].append(value)
    ranks = [result.rank or math.inf for result in results if result.question.is_good]
    means = {measure: math.fsum(of_measure) / len(of_measure) for measure, of_measure in values.items()}
    return Group(
        name, len(results), sum(result.question.is_absent for result in results), means, float(np.median(ranks)) if ranks else None
    )


def latencies(taken: Sequence[float]) -> dict[int, float]:
    """The percentiles of some times; between two of them as far along as the percentile lies between their places."""
    return {percentile: float(np.percentile(taken, percentile)) for percentile in PERCENTILES} if taken else {}


def differences(before: Sequence[Result], after: Sequence[Result]) -> dict[str, Interval]:
    """How much better or worse one way to search is than another, measure by measure; of too few questions nothing is said.

    Args:
        before: Results of the same questions in the same order.
        after: Those of the other way.
    """
    pairs: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for one, other in zip(before, after, strict=True):
        for measure, value in one.values.items():
            if measure in other.values:
                pairs[measure].append((value, other.values[measure]))
    found = {}
    for measure, values in pairs.items():
        interval = paired_interval([one for one, _ in values], [other for _, other in values])
        if interval is not None:
            found[measure] = interval
    return found
