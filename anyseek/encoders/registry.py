"""Finds an encoder by the short spec that a user types.

A spec is a name alone (``starter``), or a back-end's name with a colon and the model it is to load (``st:some/model``). Names lead to
``"module:Class"`` targets, either in the table below or in the entry-point group ``anyseek.encoders`` of an installed package, so that
looking a name up imports nothing; only `load` does. A name that ends in a colon takes a model, any other takes none.
"""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import entry_points
from typing import Any

from ..errors import UnknownEncoder
from .protocol import Encoder, EncoderSettings

__all__ = ["ENTRY_POINTS", "added_specs", "is_known", "known_specs", "load"]

ENTRY_POINTS = "anyseek.encoders"

_BUILT_IN = {
    "starter": "anyseek.encoders.starter.encoder:StarterEncoder",
    "open_clip:": "anyseek.encoders.openclip:OpenClipEncoder",
    "st:": "anyseek.encoders.sentence:SentenceEncoder",
    "clap:": "anyseek.encoders.clap:ClapEncoder",
}


def known_specs() -> list[str]:
    """Name every encoder that can be asked for, sorted, without importing any."""
    return sorted(_targets())


def added_specs() -> list[str]:
    """Name the encoders that installed packages have added to those of anyseek."""
    return sorted(_targets().keys() - _BUILT_IN.keys())


def is_known(spec: str) -> bool:
    """Whether a spec names an encoder, or a back-end and some model for it."""
    return _target_of(spec) is not None


def load(spec: str, settings: EncoderSettings | None = None) -> Encoder:
    """Make the encoder that a spec names. Its weights are not loaded yet.

    Args:
        spec: A known name; what follows the colon of a back-end's name is handed over as its first argument.
        settings: How; see `EncoderSettings`.

    Raises:
        UnknownEncoder: No encoder has that name.
        MissingExtra: A package that it needs is not installed.
        ModelUnavailable: The model's files are not on this machine, or cannot be used.
        BadInput: The encoder cannot be had with these settings.
    """
    target = _target_of(spec)
    if target is None:
        raise UnknownEncoder(spec, known_specs())
    module, _, attribute = target.partition(":")
    factory: Any = getattr(import_module(module), attribute)
    settings = settings or EncoderSettings()
    _, colon, model = spec.partition(":")
    encoder: Encoder = factory(model, settings=settings) if colon else factory(settings=settings)
    return encoder


def _target_of(spec: str) -> str | None:
    backend, colon, model = spec.partition(":")
    if colon and not model:
        return None
    name = backend + colon
    return _BUILT_IN.get(name) or _targets().get(name)  # finding the installed ones takes 6 ms of a cold search


def _targets() -> dict[str, str]:
    """Name → "module:Class"; a built-in name cannot be taken over by an installed package."""
    plugins = {point.name: point.value for point in entry_points(group=ENTRY_POINTS)}
    return {**plugins, **_BUILT_IN}
