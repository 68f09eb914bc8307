"""How a space's cosines become relevances: what is taken off hubs, and the curves; chosen by measurement, and kept with the figures."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Literal, Self

from ..types import Modality

__all__ = ["DEFAULT_STEEPNESS", "Calibration", "Curve", "Pair", "Source", "Trial"]

DEFAULT_STEEPNESS = 2.5
"""Of a curve that nobody measured: what the starter's have, about."""

Source = Literal["default", "shipped", "measured"]
Pair = tuple[Modality, Modality]


@dataclass(frozen=True, slots=True)
class Curve:
    """From a standard score z to log-odds of being relevant: ``steepness · (z - middle)``.

    Attributes:
        middle: The standard score of what is as likely right as not.
        steepness: Above 0.
    """

    middle: float
    steepness: float


@dataclass(frozen=True, slots=True)
class Trial:
    """What was measured of one way to make scores, by queries that its curves were not fitted on.

    Attributes:
        nearest: As in `Calibration`.
        strength: As in `Calibration`.
        recall: Share of the queries whose first answer is right, in one list of all modalities.
        precision: Mean average precision of the same lists.
        loss: How wrong its relevances are: the mean of ``-log p`` over right answers and of ``-log(1 - p)`` over wrong ones, both counted
            alike.
    """

    nearest: int
    strength: float
    recall: float
    precision: float
    loss: float


@dataclass(frozen=True, slots=True)
class Calibration:
    """How the scores of one space are made.

    Attributes:
        nearest: How many reference captions say how much of a hub an embedding is, see `anyseek.search.hubs`.
        strength: How much of that is taken off its cosines with texts; 0 for nothing.
        curves: By what is asked with and what is found; a pair that is not there has the curve of the background.
        captions: Digest of the reference captions that it was measured with; it holds for no others.
        source: ``default`` where nobody measured, ``shipped`` with the program, ``measured`` on this library.
        queries: How many judged queries it was measured by.
        trials: What was tried.
    """

    nearest: int = 64
    strength: float = 0.0
    curves: Mapping[Pair, Curve] = field(default_factory=dict)
    captions: str = ""
    source: Source = "default"
    queries: int = 0
    trials: tuple[Trial, ...] = ()

    def to_json(self) -> str:
        """As a text that `from_json` reads."""
        curves = {f"{asked} {found}": asdict(curve) for (asked, found), curve in self.curves.items()}
        trials = [asdict(trial) for trial in self.trials]
        rest = {name: getattr(self, name) for name in ("nearest", "strength", "captions", "queries")}
        return json.dumps({**rest, "curves": curves, "trials": trials})

    @classmethod
    def from_json(cls, text: str, source: Source) -> Self:
        """Read it again.

        Raises:
            ValueError: This is none.
        """
        try:
            read = json.loads(text)
            curves = {_pair(name): Curve(**curve) for name, curve in read.pop("curves").items()}
            trials = tuple(Trial(**trial) for trial in read.pop("trials"))
            return cls(**read, curves=curves, trials=trials, source=source)
        except (TypeError, KeyError, AttributeError) as error:
            raise ValueError(f"this is no calibration: {error}") from error


def _pair(name: str) -> Pair:
    asked, found = name.split(" ")
    return Modality(asked), Modality(found)
