"""Which space is asked what: every part goes to all spaces that understand it, and by a bridge to those that do not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from ..adapters.adapter import Adapter
from ..errors import BadQuery, UnsupportedModality
from ..fusion.early import EarlyFusion
from ..fusion.vectors import cancels_out
from .backgrounds import Backgrounds, Origin
from .bridge import Bridge
from .probe import Probe, Side, Understood, Weighed
from .query import Example, Part
from .spaces import SearchSpace
from .timings import Stopwatch
from .understanding import adapted, understand

__all__ = ["Plan"]


class _Carried(NamedTuple):
    understood: Understood
    radius: float
    name: str


class Plan:
    """The probes of a query's parts, of all together and of each alone.

    A space encodes a part once, whether it is searched itself or only lends its encoder to a bridge.

    Args:
        parts: What is asked.
        spaces: Those of the library.
        searched: Those of them that hold something that may be shown.
        backgrounds: With the bridges between them; None where there are none.
        watch: Counts the time.
        fusion: How parts are joined that are looked up together.

    Raises:
        BadQuery: A part cannot be asked.
        UnsupportedModality: No space of the library takes a part.
        AnyseekError: No space takes a part, and an encoder that might cannot be loaded; the error is what that met with.
    """

    def __init__(
        self,
        parts: Sequence[Part],
        spaces: Sequence[SearchSpace],
        searched: Sequence[SearchSpace],
        backgrounds: Backgrounds | None,
        watch: Stopwatch,
        fusion: EarlyFusion | None = None,
    ) -> None:
        self.parts = parts
        self.fusion = fusion
        self.spaces = spaces
        self.searched = searched
        self.backgrounds = backgrounds
        self.watch = watch
        self.notes: list[str] = []
        self._understood: dict[tuple[int, int], Understood | None] = {}
        others = [space for space in spaces if space not in searched]
        for number, part in enumerate(parts):
            if all(self._understand(number, space) is None for space in [*searched, *others]):  # goes no further than it must
                raise _refusal(part, spaces)

    def together(self) -> list[Probe]:
        """What each of the searched spaces is asked by all parts as one; without those that push away where they are dealt with apart.

        Spaces that none of them reaches are left out, with a note.

        Raises:
            BadQuery: The parts cancel each other out.
        """
        apart = (self.fusion is None or self.fusion.with_parts) and any(part.weight > 0 for part in self.parts)
        weights = {number: part.weight for number, part in enumerate(self.parts) if part.weight > 0 or not apart}
        found = self._probes(weights)
        if not found:
            raise BadQuery("the parts of the query cancel each other out: change their weights")
        return found

    def alone(self, number: int) -> list[Probe]:
        """What each of the searched spaces is asked by one part; those that it does not reach are left out, with a note."""
        return self._probes({number: 1.0})

    def _probes(self, weights: Mapping[int, float]) -> list[Probe]:
        return [probe for space in self.searched if (probe := self._probe(space, weights)) is not None]

    def _probe(self, space: SearchSpace, weights: Mapping[int, float]) -> Probe | None:
        parts: list[Weighed] = []
        bridges: dict[str, None] = {}
        adapter = self._adapter_of(space)
        for number, weight in weights.items():
            understood = self._understand(number, space)
            if understood is not None:
                parts.append(Weighed(number, understood if adapter is None else adapted(understood, adapter), weight))
                continue
            carried = self._carry(number, space)
            if carried is None and space.lost is not None:
                continue  # the answer says so anyway
            if carried is None:
                self._note(
                    f"{space.spec} was not asked for the {self.parts[number].name}, which it does not understand: no bridge leads there"
                )
            else:
                parts.append(Weighed(number, carried.understood, weight * carried.radius))
                bridges[carried.name] = None
        wanted = any(part.weight > 0 for part in parts) or not any(weight > 0 for weight in weights.values())
        if not parts or not wanted:
            return None
        rows = np.stack([part.understood.vector for part in parts])
        if len(self.searched) > 1 and cancels_out(rows, [part.weight for part in parts]):
            return None
        fusion = self.fusion if len(parts) > 1 else None  # what is one needs no joining
        through = adapter.card.name if adapter is not None and any(part.understood.adapted for part in parts) else None
        return Probe.of(space, parts, fusion, " and ".join(bridges) or None, through)

    def _understand(self, number: int, space: SearchSpace) -> Understood | None:
        if (number, space.id) not in self._understood:
            self._understood[number, space.id] = understand(self.parts[number], space, self.watch, self.fusion)
        return self._understood[number, space.id]

    def _adapter_of(self, space: SearchSpace) -> Adapter | None:
        """What queries go through in a space. What is carried into another one does not: bridges leave from the space as it is."""
        adaptation = self.backgrounds.bridges.texts.adaptation if self.backgrounds is not None else None
        return adaptation.query(space) if adaptation is not None else None

    def _carry(self, number: int, target: SearchSpace) -> _Carried | None:
        """Bring a part into a space that does not understand it, from the first that does and has a bridge there."""
        for source in self.spaces:
            understood = self._understand(number, source)
            if understood is None or self.backgrounds is None:
                continue
            bridge = self.backgrounds.bridges.between(source, target, self.watch)
            if bridge is not None:
                sides = Probe.of(target, [Weighed(number, *self._carry_side(side, source, bridge)) for side in understood.sides])
                told = self.backgrounds.bridges.told(source, target)
                return _Carried(Understood(sides.vector, sides.sides), float(bridge.radius), told)
        return None

    def _carry_side(self, side: Side, source: SearchSpace, bridge: Bridge) -> tuple[Understood, float]:
        assert self.backgrounds is not None  # without it there is no bridge
        modality = side.origin.modality
        centre = self.backgrounds.centre(source, modality, self.watch)
        with self.watch.time("bridge"):
            return Understood.alone(Origin(modality, source.id), bridge.carry(side.vector[None], centre)[0]), side.share

    def _note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)


def _refusal(part: Part, spaces: Sequence[SearchSpace]) -> Exception:
    lost = next((space.lost for space in spaces if space.lost is not None), None)
    if lost is not None:
        return lost
    if isinstance(part, Example) and not any(part.segments.values()):
        return BadQuery(f"the {part.name} example holds nothing to search with: choose one that is not empty or silent")
    return UnsupportedModality(" and ".join(space.spec for space in spaces), part.name)
