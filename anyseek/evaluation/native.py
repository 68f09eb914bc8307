"""The native format of judged queries; docs/evaluation.md describes it and docs/queries.schema.json defines it."""

from __future__ import annotations

from collections import Counter

from ..types import Kind
from .fields import Fields
from .judged import ANY, JudgedQuery, RightAnswer, Stretch

__all__ = ["ASKED_WITH", "TARGETS", "VERSION", "read_native"]

VERSION = 1
ASKED_WITH = ("text", "image", "audio", "video")
TARGETS = (*(kind.value for kind in Kind), ANY)


def read_native(document: Fields) -> list[JudgedQuery]:
    """Read a document ``{"version": 1, "queries": [...]}``.

    Raises:
        BadInput: Something in it is wrong; names the query.
    """
    version = document.whole("version", 1)
    if version != VERSION:
        raise document.wrong(f"it is of version {version} and this anyseek reads {VERSION}: upgrade with  pip install --upgrade anyseek")
    listed = document.items("queries")
    document.ignore("description")
    document.end()
    queries: dict[str, JudgedQuery] = {}
    for number, value in enumerate(listed, 1):
        query = _query(Fields(value, f"{document.name}: query {number}"), document.name)
        if query.id in queries:
            raise document.wrong(f"two queries have the id {query.id!r}: give each its own")
        queries[query.id] = query
    return list(queries.values())


def _query(fields: Fields, file: str) -> JudgedQuery:
    name = fields.text("id")
    fields.name = f"{file}: query {name!r}"
    kind = fields.choice("kind", ASKED_WITH)
    asked = fields.texts("query")
    if not asked:
        raise fields.wrong("'query' is missing: give a text, or the path of an example")
    parts = {part: fields.texts(part) for part in (*ASKED_WITH, "like", "negative", "unlike")}
    parts[kind] = asked + parts[kind]
    target = fields.choice("target", TARGETS, ANY)
    relevant = [_right(Fields(value, f"{fields.name}, right answer {number}")) for number, value in enumerate(fields.items("relevant"), 1)]
    weights, where = fields.numbers("weights"), fields.text("where") if fields.has("where") else None
    fields.ignore("where", "note")
    fields.end()
    _check_once(fields, relevant)
    return JudgedQuery(name, target, tuple(relevant), weights=weights, where=where, **parts)


def _right(fields: Fields) -> RightAnswer:
    path, grade = fields.text("path"), fields.whole("grade", 1, 1)
    stretch = None
    if fields.has("start_ms") or fields.has("end_ms"):
        stretch = Stretch(fields.whole("start_ms", 0), fields.whole("end_ms", 1))
        if stretch.end_ms <= stretch.start_ms:
            raise fields.wrong(f"it ends at {stretch.end_ms} ms, before it begins at {stretch.start_ms} ms")
    fields.ignore("start_ms", "end_ms")
    fields.end()
    return RightAnswer(path, grade, stretch)


def _check_once(fields: Fields, relevant: list[RightAnswer]) -> None:
    wholes = {right.path for right in relevant if right.stretch is None}
    for (path, stretch), times in Counter((right.path, right.stretch) for right in relevant).items():
        if times > 1:
            raise fields.wrong(f"{path!r} is listed twice as a right answer")
        if stretch is not None and path in wholes:
            raise fields.wrong(f"{path!r} is right as a whole and in a stretch: list one of both")
