"""Pieces that several queries share."""

from __future__ import annotations

import json
from collections.abc import Iterable

from sqlalchemy import ColumnElement, Connection, ScalarSelect, func, literal, select

from ..types import Modality, Segment, Space
from .models import NO_FRAME, asset, space
from .rows import SpaceRow

__all__ = ["active_space", "has_live_asset", "listed", "segment_from"]


def listed(ids: Iterable[int]) -> ScalarSelect[int]:
    """A list of ids of any length as one bound value, for ``column.in_(listed(ids))``."""
    return select(func.json_each(json.dumps([int(id_) for id_ in ids])).table_valued("value").c.value).scalar_subquery()


def has_live_asset(content_id: ColumnElement[int]) -> ColumnElement[bool]:
    """Whether a content lies at any place that can be shown."""
    return select(literal(1)).where(asset.c.content_id == content_id, asset.c.state == "indexed").exists()


def active_space(connection: Connection) -> SpaceRow | None:
    """Look up the space that is searched."""
    row = connection.execute(select(space).where(space.c.active == 1)).one_or_none()
    return None if row is None else SpaceRow(row.id, Space(row.spec, row.dim, row.fingerprint))


def segment_from(modality: str, start_ms: int, end_ms: int, frame_ms: int) -> Segment:
    """Make a segment of its columns."""
    return Segment(Modality(modality), start_ms, end_ms, None if frame_ms == NO_FRAME else frame_ms)
