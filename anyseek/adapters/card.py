"""What is known of an adapter: what it is for, what it was trained on and how, and what it was worth."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from types import NoneType
from typing import Any, Literal, get_args

from ..errors import BadInput
from ..types import Modality, Space

__all__ = ["Card", "Method", "Role", "Side", "SpaceName", "check_name", "is_name"]

Method = Literal["linear", "residual", "fusion", "bridge"]
Side = Literal["query", "both"]
"""QUERY maps what is asked alone, and no stored vector changes; BOTH maps stored vectors too, into a space beside the old one."""
Role = Literal["query", "fusion", "bridge", "space"]
"""What an adapter does where it is on. One at a time does it in each space, or between two."""

VERSION = 1
NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
TAKEN = {"on", "off", "none", "con", "prn", "aux", "nul", *(f"{port}{number}" for port in ("com", "lpt") for number in range(10))}


def is_name(name: str) -> bool:
    """Whether an adapter may be called so."""
    return NAME.fullmatch(name) is not None and name not in TAKEN


def check_name(name: str) -> str:
    """Take a name that an adapter may have: one that is a file's on every system, and no word of the command line's.

    Raises:
        BadInput: It may not.
    """
    if not is_name(name):
        raise BadInput(f"no adapter can be called {name!r}: use up to 64 of a-z, 0-9, - and _, such as  products-2")
    return name


@dataclass(frozen=True, slots=True)
class SpaceName:
    """A space as an adapter remembers it; see `anyseek.types.Space`."""

    spec: str
    fingerprint: str
    dim: int
    revision: str | None = None

    def __post_init__(self) -> None:
        _check_types(self, spec=str, fingerprint=str, dim=int, revision=(str, NoneType))

    @classmethod
    def of(cls, space: Space) -> SpaceName:
        """What is to be remembered of a space."""
        return cls(space.spec, space.fingerprint, space.dim, space.revision)


@dataclass(frozen=True, slots=True)
class Card:
    """The card of an adapter.

    Attributes:
        name: What the user calls it.
        method: How it maps.
        side: What it maps.
        loss: What was made small in training, such as ``infonce``.
        spec: The space that it was trained on, as a user knows it.
        fingerprint: Of that space; it fits no other.
        dim: Length of a vector there.
        revision: Of that space's model, so that it can be loaded again.
        target: Of a bridge: the space that it leads to; None else.
        modalities: What it maps; of a bridge and of fusions what they were trained on.
        made_at: When it was trained, ISO 8601 with its offset.
        seed: That of the training.
        settings: How it was trained.
        data: A summary of what it was trained on.
        metrics: What it was worth on held-out queries; ``held_out`` has ``{"metric": NAME, "before": x, "after": y}`` for the list.
    """

    name: str
    method: Method
    side: Side
    loss: str
    spec: str
    fingerprint: str
    dim: int
    modalities: tuple[Modality, ...]
    made_at: str
    seed: int = 0
    revision: str | None = None
    target: SpaceName | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    data: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _check_types(self, name=str, method=str, side=str, loss=str, made_at=str, seed=int)
        _check_types(self, settings=Mapping, data=Mapping, metrics=Mapping)
        _ = self.space  # says whether it may be one
        datetime.fromisoformat(self.made_at)
        if self.method not in get_args(Method) or self.side not in get_args(Side):
            raise ValueError(f"{self.method} on the side {self.side} is no adapter")
        if (self.target is not None) != (self.method == "bridge"):
            raise ValueError("a bridge has a target, and nothing else has one")
        if self.side == "both" and self.method not in ("linear", "residual"):
            raise ValueError(f"{self.method} maps no stored vectors")

    @property
    def role(self) -> Role:
        """What it does where it is on."""
        if self.side == "both":
            return "space"
        return "fusion" if self.method == "fusion" else "bridge" if self.method == "bridge" else "query"

    @property
    def space(self) -> SpaceName:
        """The space that it was trained on."""
        return SpaceName(self.spec, self.fingerprint, self.dim, self.revision)

    def to_json(self) -> str:
        """The card as it is kept."""
        return json.dumps({"version": VERSION, **asdict(self)}, ensure_ascii=False, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Card:
        """The card that was kept.

        Raises:
            ValueError: It is none, or a later version's.
        """
        try:
            fields = json.loads(text)
            version = fields.pop("version")
        except (TypeError, AttributeError, KeyError, json.JSONDecodeError):
            raise ValueError("it has no card that can be read") from None
        if version != VERSION:
            raise ValueError(f"its card is of version {version}, and this anyseek knows {VERSION}: upgrade")
        try:
            target = fields["target"]
            return cls(
                **fields
                | {
                    "target": None if target is None else SpaceName(**target),
                    "modalities": tuple(map(Modality, fields["modalities"])),
                }
            )
        except (TypeError, KeyError, ValueError) as error:
            raise ValueError(f"its card is not one of an adapter ({error})") from None


def _check_types(card: object, **types: type | tuple[type, ...]) -> None:
    """See that fields are what they are declared to be, for a card may come from a file that anybody has written.

    Raises:
        ValueError: One is not.
    """
    for name, type_ in types.items():
        value = getattr(card, name)
        if not isinstance(value, type_) or isinstance(value, bool):
            raise ValueError(f"{name} is not what it must be: {value!r}")
