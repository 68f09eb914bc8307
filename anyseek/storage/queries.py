"""Pieces that several queries share."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable

from sqlalchemy import ColumnElement, Connection, ScalarSelect, Select, func, literal, select

from ..types import Modality, Segment, Space
from .models import NO_FRAME, asset, content, coverage, space
from .rows import SpaceRow, SpaceState

__all__ = ["has_live_asset", "lacking", "listed", "segment_from", "spaces_in"]


def listed(ids: Iterable[int]) -> ScalarSelect[int]:
    """A list of ids of any length as one bound value, for ``column.in_(listed(ids))``."""
    return select(func.json_each(json.dumps([int(id_) for id_ in ids])).table_valued("value").c.value).scalar_subquery()


def has_live_asset(content_id: ColumnElement[int]) -> ColumnElement[bool]:
    """Whether a content lies at any place that can be shown."""
    return select(literal(1)).where(asset.c.content_id == content_id, asset.c.state == "indexed").exists()


def lacking(space_id: int) -> Select[tuple[int]]:
    """Select the ids of contents that lie at some place, can be read, and have not all of their vectors in a space."""
    done = select(coverage.c.content_id).where(coverage.c.space_id == space_id, coverage.c.state.in_(("complete", "refused")))
    return select(content.c.id).where(content.c.failure_code.is_(None), content.c.id.not_in(done), has_live_asset(content.c.id))


def spaces_in(connection: Connection, states: Collection[SpaceState] = ()) -> list[SpaceRow]:
    """Look up the spaces that are in one of some states, oldest first; all when none is named."""
    statement = select(space).order_by(space.c.id)
    if states:
        statement = statement.where(space.c.state.in_(sorted(states)))
    return [SpaceRow(row.id, Space(row.spec, row.dim, row.fingerprint, row.revision), row.state) for row in connection.execute(statement)]


def segment_from(modality: str, start_ms: int, end_ms: int, frame_ms: int) -> Segment:
    """Make a segment of its columns."""
    return Segment(Modality(modality), start_ms, end_ms, None if frame_ms == NO_FRAME else frame_ms)
