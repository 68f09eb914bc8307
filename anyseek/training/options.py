"""How something is trained: what a caller may choose, checked before any work."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal, get_args

from ..adapters.card import Method, Side, check_name
from ..errors import BadInput

__all__ = ["LOSSES", "METHODS", "SIDES", "Balancing", "Loss", "TrainOptions"]

Loss = Literal["ridge", "infonce", "sigmoid", "triplet"]
METHODS: tuple[Method, ...] = get_args(Method)
LOSSES: tuple[Loss, ...] = get_args(Loss)
RANKS: dict[Method, int] = {"residual": 128, "fusion": 32}
"""Where none is chosen; measured in docs/benchmarks.md."""
BEST_LOSS: dict[Method, Loss] = {"linear": "ridge", "residual": "sigmoid", "fusion": "infonce", "bridge": "ridge"}
"""Where none is chosen. Of those that rank alike the sigmoid loss alone makes cosines as high as those of words that the model knows, so
that what is found is relevant enough to be shown, too; ridge moves other queries the least of all that solve linear maps."""
SIDES: tuple[Side, ...] = get_args(Side)


@dataclass(frozen=True, slots=True)
class Balancing:
    """What is done so that the frequent does not drown the rare, and few pairs are not learnt by heart; each can be switched off.

    Attributes:
        classes: Pairs are drawn so that every class has its turn.
        sources: And every source of pairs, such as keywords and a file.
        weights: Classes count by their effective number (Y. Cui et al., Class-Balanced Loss, CVPR 2019).
        caps: Of files that are nearly the same only a few count.
        mixing: Pairs of one class are mixed to new ones.
        noise: A little noise is added to queries.
        dropping: Parts of what is fused are dropped at random, so that a missing one is nothing new.
        selection: Pairs of which the model itself says that they do not fit are left out.
    """

    classes: bool = True
    sources: bool = True
    weights: bool = True
    caps: bool = True
    mixing: bool = True
    noise: bool = True
    dropping: bool = True
    selection: bool = True

    @classmethod
    def off(cls) -> Balancing:
        """None of it."""
        return cls(*[False] * 8)


@dataclass(frozen=True, slots=True)
class TrainOptions:
    """How something is trained.

    Attributes:
        space: The spec of the space it is for; None for the one that serves.
        method: ``linear``, ``residual`` (low rank), ``fusion`` (a network that joins parts) or ``bridge`` (into another space).
        loss: What is made small; None for what suits the method best.
        side: ``query`` maps what is asked with alone; ``both`` maps what is stored, too, into a new space beside the old one.
        to: The spec of the space that a bridge leads to.
        epochs: Most rounds over the pairs.
        rank: Of residual and fusion: how much they can learn; None for what suits the method.
        seed: Of all that is drawn.
        name: Under which it is kept; one that says what it is unless told.
        take_from: What of the library itself is taken for pairs: keywords, captions, filenames, annotations, feedback.
        balancing: What is done about unbalanced data.
        resume: Go on from where an interrupted training of that name stopped.
        dry_run: Train nothing and write nothing; say what would be.
    """

    space: str | None = None
    method: Method = "residual"
    loss: Loss | None = None
    side: Side = "query"
    to: str | None = None
    epochs: int = 60
    rank: int | None = None
    seed: int = 0
    name: str | None = None
    take_from: tuple[str, ...] = ()
    balancing: Balancing = field(default_factory=Balancing)
    resume: bool = False
    dry_run: bool = False

    def __post_init__(self) -> None:
        for value, known, what in ((self.method, METHODS, "method"), (self.loss, (None, *LOSSES), "loss"), (self.side, SIDES, "side")):
            if value not in known:
                raise BadInput(f"no {what} is called {value!r}: use {', '.join(each for each in known if each is not None)}")
        if self.epochs < 1 or (self.rank is not None and self.rank < 1):
            raise BadInput("epochs and rank are whole numbers from 1 on")
        if self.seed < 0:
            raise BadInput("a seed is a whole number from 0 on")
        if (self.to is not None) != (self.method == "bridge"):
            raise BadInput("a bridge leads from one space to another: use  --method bridge --space MODEL --to MODEL")
        if self.loss == "ridge" and self.method not in ("linear", "bridge"):
            raise BadInput(f"ridge solves linear maps and bridges alone: use  --loss infonce  with  --method {self.method}")
        if self.side == "both" and self.method not in ("linear", "residual"):
            raise BadInput(f"{self.method} changes no stored vector: leave  --side both  out, or use  --method linear")
        check_name(self.called)

    @property
    def called(self) -> str:
        """The name under which what is trained is kept."""
        return self.name or (self.method if self.side == "query" else f"{self.method}-both")

    @property
    def fitted_loss(self) -> Loss:
        """What is made small: what was chosen, or what suits the method best."""
        if self.loss is not None:
            return self.loss
        return "infonce" if self.side == "both" else BEST_LOSS[self.method]

    @property
    def fitted_rank(self) -> int:
        """How much it can learn: what was chosen, or what suits the method."""
        return self.rank or RANKS.get(self.method, 0)

    def settings(self) -> dict[str, Any]:
        """All that shapes the outcome, for the card."""
        left_out = {"space", "to", "name", "resume", "dry_run"}
        chosen = {name: value for name, value in asdict(self).items() if name not in left_out}
        return chosen | {"take_from": list(self.take_from), "loss": self.fitted_loss, "rank": self.fitted_rank}
