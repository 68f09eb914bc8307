"""Filters as SQL.

A condition is about an asset with its content: two copies of a picture may differ in where they lie and in what their owner wrote down.
What is not known of an asset satisfies no comparison, and a negation is satisfied by all that what it negates is not.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, assert_never, cast

from sqlalchemy import CTE, ColumnElement, Integer, LargeBinary, Select, and_, case, func, literal, or_, select
from sqlalchemy import cast as sql_cast

from ..filters import And, Comparison, Condition, Not, Or
from ..filters.condition import checked
from ..filters.dates import Period
from ..filters.fields import META, UserValue
from ..filters.patterns import Pattern
from ..filters.places import Box, Circle
from ..filters.spans import Span
from ..types import Kind
from .models import annotation, asset, content, path_to_bytes

__all__ = ["contents_where", "needs_roots", "satisfies"]

Clause = ColumnElement[bool]
Roots = Mapping[int, Path]

MOST_NS = 2**63 - 1
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def contents_where(condition: Condition | None, roots: Roots, kinds: Collection[Kind] | None = None) -> Select[tuple[int]]:
    """Select the ids of the contents of all indexed assets that satisfy a condition; one of several copies will do.

    Args:
        condition: See `satisfies`.
        roots: Absolute roots of the sources by id; may be empty where `needs_roots` says no.
        kinds: Only contents of these.
    """
    statement = select(asset.c.content_id).join(content, content.c.id == asset.c.content_id).where(asset.c.state == "indexed")
    if kinds is not None:
        statement = statement.where(content.c.kind.in_(sorted(kinds)))
    return statement if condition is None else statement.where(satisfies(condition, roots))


def needs_roots(condition: Condition) -> bool:
    """Whether a condition is about where sources lie."""
    left: list[Condition] = [condition]
    while left:
        node = left.pop()
        if isinstance(node, Comparison):
            if node.field == "source" or (isinstance(node.value, Pattern) and node.value.absolute):
                return True
        else:
            left.extend((node.part,) if isinstance(node, Not) else node.parts)
    return False


def satisfies(condition: Condition, roots: Roots) -> Clause:
    """Put a condition into SQL, for a statement that has `asset` and `content` joined.

    Args:
        condition: Of any shape that `checked` lets pass.
        roots: Absolute roots of the sources by id.

    Raises:
        BadFilter: It is too large.
    """
    return _clause(checked(condition), roots)


def _clause(condition: Condition, roots: Roots) -> Clause:
    match condition:
        case And():
            return and_(*(_clause(part, roots) for part in condition.parts))
        case Or():
            return or_(*(_clause(part, roots) for part in condition.parts))
        case Not():  # SQL knows a third truth value, and its negation would be that again
            return _clause(condition.part, roots).is_distinct_from(literal(1))
        case Comparison():
            return _comparison(condition, roots)
    assert_never(condition)


def _comparison(comparison: Comparison, roots: Roots) -> Clause:
    value: Any = comparison.value
    if comparison.field.startswith(META):
        return _of_user(comparison.field.removeprefix(META), value)
    match comparison.field:
        case "path":
            return _at_path(value, roots)
        case "source":
            return _in_source(value, roots)
        case "tag":
            return _tagged(value, cast("Span | None", comparison.sureness))
    return _CLAUSES[comparison.field](value)


def _matches(column: ColumnElement[Any], pattern: Pattern) -> Clause:
    return func.anyseek_matches(pattern.regex, column, type_=Integer) == 1


def _spanned(column: ColumnElement[Any], span: Span) -> Clause:
    bounds: list[Clause] = []
    if span.low is not None:
        bounds.append(column > span.low if span.above else column >= span.low)
    if span.high is not None:
        bounds.append(column < span.high if span.below else column <= span.high)
    return and_(*bounds)


def _at_path(pattern: Pattern, roots: Roots) -> Clause:
    if not pattern.absolute:
        return _matches(asset.c.path, pattern)
    if not roots:
        return literal(0) == 1
    folders = {id_: literal(path_to_bytes(f"{root.as_posix().rstrip('/')}/"), LargeBinary) for id_, root in roots.items()}
    whole = case(folders, value=asset.c.source_id).op("||")(asset.c.path)
    return _matches(sql_cast(whole, LargeBinary), pattern)


def _in_source(pattern: Pattern, roots: Roots) -> Clause:
    from .sql_functions import matches

    found = [id_ for id_, root in roots.items() if matches(pattern.regex, root.as_posix() if pattern.absolute else root.name)]
    return asset.c.source_id.in_(found)


def _taken(period: Period) -> Clause:
    """When the file says, by the clock of the camera: the first 19 characters of an ISO date, whose order is that of time."""
    said, changed = func.substr(content.c.captured_at, 1, 19), asset.c.mtime_ns
    by_file: list[Clause] = [content.c.captured_at.is_not(None)]
    by_time: list[Clause] = [content.c.captured_at.is_(None)]
    if period.start is not None:
        by_file.append(said >= period.start.isoformat())
        by_time.append(changed >= _nanoseconds(period.start))
    if period.end is not None:
        by_file.append(said < period.end.isoformat())
        by_time.append(changed < _nanoseconds(period.end))
    return or_(and_(*by_file), and_(*by_time))


def _nanoseconds(moment: datetime) -> int:
    since = (moment.replace(tzinfo=UTC) - EPOCH) // timedelta(microseconds=1) * 1000
    return max(-MOST_NS, min(since, MOST_NS))


def _oriented(wanted: str) -> Clause:
    width, height = content.c.width, content.c.height
    return {"landscape": width > height, "portrait": width < height, "square": width == height}[wanted]


def _in_box(box: Box) -> Clause:
    latitude, longitude = content.c.latitude, content.c.longitude
    across = [longitude >= box.west, longitude <= box.east]
    return and_(latitude.between(box.south, box.north), and_(*across) if box.west <= box.east else or_(*across))


def _in_circle(circle: Circle) -> Clause:
    far = func.anyseek_distance(content.c.latitude, content.c.longitude, circle.latitude, circle.longitude)
    return and_(_in_box(circle.bounds), far <= circle.metres)


def _with_keyword(pattern: Pattern) -> Clause:
    words = func.json_each(content.c.keywords).table_valued("value")
    return and_(content.c.keywords != "[]", select(literal(1)).select_from(words).where(_matches(words.c.value, pattern)).exists())


def _every_tag() -> CTE:
    """Every text of a tag once, found by going from one to the next in the index: they are few, and written down very often."""
    row = annotation.alias()
    texts = select(func.min(row.c.text).label("text")).where(row.c.type == "tag").cte("tag_texts", recursive=True)
    following = select(func.min(row.c.text)).where(row.c.type == "tag", row.c.text > texts.c.text).scalar_subquery()
    return texts.union_all(select(following).where(texts.c.text.is_not(None)))


_TAGS = _every_tag()


def _tagged(pattern: Pattern, sure: Span | None) -> Clause:
    alike = select(_TAGS.c.text).where(_matches(_TAGS.c.text, pattern))
    tags = select(annotation.c.content_id).where(annotation.c.type == "tag", annotation.c.text.in_(alike))
    return content.c.id.in_(tags if sure is None else tags.where(_spanned(annotation.c.confidence, sure)))


def _of_user(key: str, wanted: UserValue) -> Clause:
    sound = case((func.json_valid(asset.c.user_metadata) == 1, asset.c.user_metadata))  # what is none would end the query with an error
    entries = func.json_each(sound).table_valued("key", "value", "type")
    of_key = select(literal(1)).select_from(entries).where(entries.c.key == key)
    if wanted.pattern is not None:
        shown = case({"true": "true", "false": "false"}, value=entries.c.type, else_=entries.c.value)
        found = of_key.where(_matches(shown, wanted.pattern))
    else:
        assert wanted.span is not None
        found = of_key.where(entries.c.type.in_(("integer", "real", "text")), _spanned(func.anyseek_number(entries.c.value), wanted.span))
    return and_(asset.c.user_metadata.is_not(None), found.exists())


def _known(what: str) -> Clause:
    return {
        "artist": content.c.artist.is_not(None),
        "camera": content.c.camera.is_not(None),
        "date": content.c.captured_at.is_not(None),
        "gps": and_(content.c.latitude.is_not(None), content.c.longitude.is_not(None)),
        "keyword": content.c.keywords != "[]",
        "meta": func.coalesce(asset.c.user_metadata, "{}") != "{}",
        "rating": content.c.rating.is_not(None),
        "sound": or_(content.c.has_audio == 1, content.c.kind == Kind.AUDIO.value),
        "tag": content.c.id.in_(select(annotation.c.content_id).where(annotation.c.type == "tag")),
        "title": content.c.title.is_not(None),
    }[what]


_CLAUSES: Mapping[str, Callable[[Any], Clause]] = {
    "kind": lambda kind: content.c.kind == kind,
    "ext": partial(_matches, asset.c.path),
    "format": partial(_matches, content.c.format),
    "date": _taken,
    "duration": partial(_spanned, content.c.duration_ms),
    "size": partial(_spanned, asset.c.size),
    "width": partial(_spanned, content.c.width),
    "height": partial(_spanned, content.c.height),
    "megapixels": partial(_spanned, content.c.width * content.c.height),
    "orientation": _oriented,
    "camera": partial(_matches, content.c.camera),
    "title": partial(_matches, content.c.title),
    "artist": partial(_matches, content.c.artist),
    "rating": partial(_spanned, content.c.rating),
    "keyword": _with_keyword,
    "near": _in_circle,
    "within": _in_box,
    "has": _known,
}
