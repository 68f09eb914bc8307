"""Ways to search a library that are compared with each other."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, get_args

from ..asking import Asked
from ..errors import BadInput
from ..library import Library
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
    """

    name: str = "as it is"
    models: tuple[str, ...] = ()
    fusion: str = "mean"
    calibrated: bool = True
    bridge: BridgeMethod | None = None


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


_SETTERS: dict[str, Callable[[Configuration, str, Library], Configuration]] = {
    "model": _with_models,
    "fusion": _with_fusion,
    "calibration": _with_calibration,
    "bridge": _with_bridge,
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
            BadInput: The library is empty.
        """
        engine = self._engine(configuration)

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
        key = (tuple(row.id for row in rows), configuration.calibrated, bridge)
        if key not in self._made:
            library = self.library
            alike = Library(library.folder, library.catalog, library.spaces, library.index_device, bridge, configuration.calibrated)
            self._made[key] = alike.engine_of(rows)
        return self._made[key]

    def rows(self, configuration: Configuration) -> list[SpaceRow]:
        """The spaces that a configuration asks."""
        library = self.library
        return library.spaces.named(configuration.models) if configuration.models else library.catalog.spaces("serving")
