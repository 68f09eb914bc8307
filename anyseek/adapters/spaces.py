"""The spaces that adapters make of others: filled with what the stored vectors of those are mapped to, and served in their place."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict

from ..encoders.protocol import Encoder
from ..errors import AdapterMismatch, BadInput, LibraryError, ModelUnavailable
from ..storage.catalog import Catalog, SpaceRow
from ..types import Space
from .adapter import PREFIX, Adapter
from .card import SpaceName
from .encoder import AdaptedEncoder
from .store import AdapterStore

__all__ = ["derive", "encoder_of", "is_adapted", "origin_of", "with_in_place"]


def is_adapted(space: Space) -> bool:
    """Whether a space was made of another one by an adapter."""
    return space.spec.startswith(PREFIX)


def origin_of(catalog: Catalog, space: Space) -> SpaceName | None:
    """The space that a space was made of; None for one that an encoder has filled by itself."""
    setting = catalog.setting(_setting(space)) if is_adapted(space) else None
    try:
        return None if setting is None else SpaceName(**json.loads(setting))
    except (TypeError, ValueError):
        return None


def derive(catalog: Catalog, adapter: Adapter) -> SpaceRow:
    """Make, beside those there are, the space that an adapter maps stored vectors to, and fill it with what they are mapped to.

    Nothing is embedded, and what the space has already stays. It does not serve yet.

    Raises:
        AdapterMismatch: The library has no vectors of the space that the adapter was trained on.
    """
    base = next((row for row in catalog.spaces() if row.space.fingerprint == adapter.card.fingerprint), None)
    if base is None:
        there = " and ".join(row.space.spec for row in catalog.spaces("serving"))
        raise AdapterMismatch(adapter.card.name, adapter.card.spec, there or "no vectors yet")
    with catalog.transaction() as writer:
        row = writer.add_space(adapter.adapted_space, "kept")
        writer.put_setting(_setting(row.space), json.dumps(asdict(adapter.card.space)))
        writer.derive_space(base.id, row.id, adapter.apply)
    return row


def with_in_place(catalog: Catalog, row: SpaceRow, fingerprint: str) -> list[SpaceRow]:
    """The spaces that serve, with another one in the place of a space or of what was made of it.

    Args:
        catalog: Of the library.
        row: The other one.
        fingerprint: Of the space whose place it takes.

    Raises:
        BadInput: Neither that space nor anything that was made of it serves.
    """
    serving = catalog.spaces("serving")
    stand = [each.id for each in serving if each.id == row.id or fingerprint in (each.space.fingerprint, _origin(catalog, each))]
    if not stand:
        specs = " and ".join(each.space.spec for each in serving) or "nothing"
        raise BadInput(f"{row.space.spec} can take the place of nothing: {specs} serves, which it has nothing to do with")
    return list(dict.fromkeys(row if each.id in stand else each for each in serving))


def encoder_of(catalog: Catalog, row: SpaceRow, load: Callable[[SpaceRow], Encoder]) -> Encoder:
    """The encoder of a space that an adapter has made: that of the space it was made of, with the adapter behind it.

    Args:
        catalog: Of the library.
        row: The space.
        load: Gives the encoder of the other one.

    Raises:
        ModelUnavailable: The adapter's file is gone, damaged or another one.
    """
    name = row.space.spec.removeprefix(PREFIX)
    remedy = "take it away with  anyseek adapters rollback , or put its file back"
    try:
        adapter = AdapterStore(catalog.folder).read(name)
    except (BadInput, LibraryError) as error:
        raise ModelUnavailable(row.space.spec, str(error), remedy) from error
    if adapter.adapted_space.fingerprint != row.space.fingerprint:
        raise ModelUnavailable(row.space.spec, f"the adapter {name} is another one than the space was made by", remedy)
    base = adapter.card.space
    return AdaptedEncoder(load(SpaceRow(row.id, Space(base.spec, base.dim, base.fingerprint, base.revision), "kept")), adapter)


def _origin(catalog: Catalog, row: SpaceRow) -> str | None:
    origin = origin_of(catalog, row.space)
    return None if origin is None else origin.fingerprint


def _setting(space: Space) -> str:
    return f"made_of.{space.fingerprint}"
