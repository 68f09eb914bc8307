"""Ways to search a library that are compared with each other."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, get_args

from ..adapters.adapter import Adapter
from ..adapters.spaces import origin_of
from ..asking import Asked
from ..errors import AdapterMismatch, BadInput
from ..library import Library
from ..search.adaptation import Adapted
from ..search.bridges import BridgeMethod
from ..search.timings import Stopwatch
from ..storage.catalog import SpaceRow

if TYPE_CHECKING:
    from ..search.engine import Answer, Engine

__all__ = ["Asks", "Configuration", "Engines", "configurations"]

Asks = Callable[[Asked], "Answer"]

SWITCH = {"on": True, "off": False}
BRIDGES: dict[str, BridgeMethod] = {name: name for name in get_args(BridgeMethod)}


@dataclass(frozen=True, slots=True)
class Configuration:
    """A way to search.

    Attributes:
        name: What sets it apart from the others, such as ``fusion=rrf``; ``as it is`` where there are no others.
        models: The specs of the spaces that are asked; those that serve when empty.
        fusion: How parts of a query are joined.
        calibrated: Whether scores are calibrated.
        bridge: How spaces are bridged; as the library does it when None.
        adapter: What queries go through: ``on`` (the adapters that are switched on), ``off`` (none, and where one has made the vectors that
            serve, those it made them of), or one adapter alone by its name; as the library does it when None.
    """

    name: str = "as it is"
    models: tuple[str, ...] = ()
    fusion: str = "mean"
    calibrated: bool = True
    bridge: BridgeMethod | None = None
    adapter: str | None = None


def configurations(compared: Sequence[str], library: Library) -> list[Configuration]:
    """Read what is to be compared: every value of the first with every value of the second, and so on.

    Args:
        compared: Such as ``fusion=mean,rrf``; ``model`` takes specs of spaces that the library has, several at once joined by ``+``.
        library: Is asked which spaces it has.

    Returns:
        One for each combination; the first is what the others are compared with. One alone where nothing is to be compared.

    Raises:
        BadInput: There is no such thing to compare, or no such value.
    """
    base = Configuration(calibrated=library.calibrated)
    axes: dict[str, list[str]] = {}
    for text in compared:
        name, _, values = text.partition("=")
        named = [value.strip() for value in values.split(",") if value.strip()]
        if name not in _SETTERS:
            raise BadInput(f"{text!r} compares nothing known: write it as  --compare NAME=VALUE,VALUE  with {', '.join(_SETTERS)}")
        if name in axes or len(set(named)) < max(2, len(named)):
            raise BadInput(f"{text!r} compares nothing: name each of {', '.join(_SETTERS)} once, with two or more different values")
        axes[name] = named
    if not axes:
        return [base]
    found = []
    for chosen in itertools.product(*axes.values()):
        configuration = replace(base, name=" ".join(f"{name}={value}" for name, value in zip(axes, chosen, strict=True)))
        for name, value in zip(axes, chosen, strict=True):
            configuration = _SETTERS[name](configuration, value, library)
        found.append(configuration)
    return found


def _with_models(configuration: Configuration, value: str, library: Library) -> Configuration:
    specs = {row.space.spec for row in library.catalog.spaces()}
    models = (value,) if value in specs else tuple(value.split("+"))
    library.spaces.named(models)
    return replace(configuration, models=models)


def _with_fusion(configuration: Configuration, value: str, library: Library) -> Configuration:
    from ..search.fusion import fusion_named

    del library
    return replace(configuration, fusion=fusion_named(value).name)


def _with_calibration(configuration: Configuration, value: str, library: Library) -> Configuration:
    del library
    if value not in SWITCH:
        raise BadInput(f"calibration is on or off, not {value!r}")
    return replace(configuration, calibrated=SWITCH[value])


def _with_bridge(configuration: Configuration, value: str, library: Library) -> Configuration:
    del library
    if value not in BRIDGES:
        raise BadInput(f"no bridge is called {value!r}: use {' or '.join(BRIDGES)}")
    return replace(configuration, bridge=BRIDGES[value])


def _with_adapter(configuration: Configuration, value: str, library: Library) -> Configuration:
    if value not in SWITCH:
        library.adapter(value)
    return replace(configuration, adapter=value)


_SETTERS: dict[str, Callable[[Configuration, str, Library], Configuration]] = {
    "model": _with_models,
    "fusion": _with_fusion,
    "calibration": _with_calibration,
    "bridge": _with_bridge,
    "adapter": _with_adapter,
}


class Engines:
    """Makes the engines that configurations need; those that differ in how parts are joined alone share one.

    Args:
        library: Whose spaces are asked. Nothing in it is changed.
    """

    def __init__(self, library: Library) -> None:
        self.library = library
        self._made: dict[tuple[object, ...], Engine] = {}

    def asks(self, configuration: Configuration) -> Asks:
        """What asks the library in a certain way.

        Raises:
            BadInput: The library is empty, or nothing was trained to join parts in that way.
        """
        engine = self._engine(configuration)
        trained = engine.trained
        for space in engine.spaces:
            if trained.digest(configuration.fusion, space.row.space.fingerprint) is None:
                raise BadInput(
                    f"nothing that is switched on joins parts by {configuration.fusion} in {space.spec}: train it with  "
                    "anyseek train --method fusion, or switch it on with  anyseek adapters use NAME"
                )

        def ask(asked: Asked) -> Answer:
            watch = Stopwatch()
            asked = replace(asked, fusion=configuration.fusion)
            return engine.answer(asked.query(engine, self.library.catalog, watch), watch)

        return ask

    def _engine(self, configuration: Configuration) -> Engine:
        rows = self.rows(configuration)
        if not rows:
            raise BadInput(f"the library at {self.library.path} is empty: fill it with  anyseek index FOLDER")
        bridge = configuration.bridge or self.library.bridge
        key = (tuple(row.id for row in rows), configuration.calibrated, bridge, configuration.adapter)
        if key not in self._made:
            library = self.library
            alike = Library(library.folder, library.catalog, library.spaces, library.index_device, bridge, configuration.calibrated)
            self._made[key] = alike.engine_of(rows, adapted=self._adapted(configuration))
        return self._made[key]

    def rows(self, configuration: Configuration) -> list[SpaceRow]:
        """The spaces that a configuration asks.

        Raises:
            BadInput: The library has no vectors that its adapter has made.
            AdapterMismatch: Its adapter was trained for another model.
        """
        library = self.library
        rows = library.spaces.named(configuration.models) if configuration.models else library.catalog.spaces("serving")
        if configuration.adapter in (None, "on"):
            return rows
        if configuration.adapter == "off":
            return [self._unadapted(row) for row in rows]
        return self._through(library.adapter(configuration.adapter), rows)

    def _adapted(self, configuration: Configuration) -> Adapted:
        if configuration.adapter is None:
            return self.library.adapted
        if configuration.adapter in SWITCH:
            return SWITCH[configuration.adapter]
        adapter = self.library.adapter(configuration.adapter)
        return [] if adapter.card.role == "space" else [adapter]

    def _unadapted(self, row: SpaceRow) -> SpaceRow:
        """What a space was made of, as long as an adapter has made it."""
        known = {each.space.fingerprint: each for each in self.library.catalog.spaces()}
        while (origin := origin_of(self.library.catalog, row.space)) is not None:
            if origin.fingerprint not in known:
                raise BadInput(f"the library has no vectors of {origin.spec} any more, of which those of {row.space.spec} were made")
            row = known[origin.fingerprint]
        return row

    def _through(self, adapter: Adapter, rows: Sequence[SpaceRow]) -> list[SpaceRow]:
        """The spaces in which an adapter is asked alone."""
        card = adapter.card
        plain = [self._unadapted(row) for row in rows]
        own = next((row for row in plain if row.space.fingerprint == card.fingerprint), None)
        if own is None:
            raise AdapterMismatch(card.name, card.spec, " and ".join(row.space.spec for row in plain) or "no vectors yet")
        if card.role != "space":
            return plain
        made = {row.space.fingerprint: row for row in self.library.catalog.spaces()}.get(adapter.adapted_space.fingerprint)
        if made is None:
            raise BadInput(f"the library has no vectors that {card.name} has made: make them with  anyseek adapters use {card.name}")
        return [made if row is own else row for row in plain]
