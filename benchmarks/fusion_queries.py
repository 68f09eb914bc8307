"""Queries of several parts to the demo, by sort, in the format of `data/queries.json`; ``fusion.toml`` says what they are."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from .judged_queries import Place, Query
from .measure import ROOT

__all__ = ["SLIP", "UNWANTED", "composed_queries", "sort_of"]

UNWANTED = "unwanted"
SLIP = "words, an example of the same and one of something else"
AGREEING = "words and an example of one thing"
PARTS = ("text", "image", "audio", "video")
TARGETS = {"photos": "image", "sounds": "audio", "films": "video"}


def composed_queries(path: Path = ROOT / "benchmarks" / "fusion.toml") -> list[Query]:
    """Read the queries.

    Returns:
        Queries with ids ``SORT/NUMBER``. Those that name what they do not want are there once more, with what is unwanted for right
        answers, under ``unwanted/SORT/NUMBER``: their precision is the share of hits that should not be there. Words with an
        example are there once more as `SLIP`, with a further example that is none.
    """
    document = tomllib.loads(path.read_text(encoding="utf-8"))
    things: Mapping[str, Sequence[str]] = document["things"]
    queries = []
    for sort, listed in (document["sorts"] | {SLIP: _slips(document["sorts"][AGREEING])}).items():
        for number, asked in enumerate(listed, 1):
            name = f"{sort}/{number:02}"
            right = _places(asked, "right", 2 if "less" in asked else 1, things)
            queries.append(_query(name, asked, [*right, *_places(asked, "less", 1, things)]))
            if UNWANTED in asked:
                queries.append(_query(f"{UNWANTED}/{name}", asked, _places(asked, UNWANTED, 1, things)))
    return queries


def sort_of(name: str) -> str:
    """The sort of the query that is called so."""
    return name.rpartition("/")[0]


def _slips(listed: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Give every picture with words the sound of the next query that has one, and every sound the next picture."""
    slips = []
    for number, asked in enumerate(listed):
        own = "image" if "image" in asked else "audio"
        other = "audio" if own == "image" else "image"
        following = [*listed[number + 1 :], *listed[:number]]
        wrong = next(after[other] for after in following if other in after and not set(after["right"]) & set(asked["right"]))
        if own in asked:  # and not a film
            slips.append({**asked, other: wrong})
    return slips


def _query(name: str, asked: Mapping[str, Any], relevant: Sequence[Place]) -> Query:
    if not relevant:
        raise ValueError(f"{name}: no right answer is left")
    first, *others = (part for part in PARTS if part in asked)
    further = {part: asked[part] for part in (*others, "negative", "weights") if part in asked}
    return {"id": name, "kind": first, "query": asked[first], "target": asked.get("target", "any"), "relevant": list(relevant), **further}


def _places(asked: Mapping[str, Any], key: str, grade: int, things: Mapping[str, Sequence[str]]) -> list[Place]:
    """Where the things are that a query lists, without what it cannot be answered with."""
    target = asked.get("target", "any")
    own = {path for part in PARTS for path in ([asked[part]] if isinstance(asked.get(part), str) else asked.get(part, ()))}
    answers = dict.fromkeys(path for thing in asked.get(key, ()) for path in things.get(thing, (thing,)))
    fitting = (answer for answer in answers if target in {"any", TARGETS[answer.split("/")[0]]} and answer not in own)
    return [{**_place(answer), "grade": grade} for answer in fitting]


def _place(answer: str) -> Place:
    path, _, stretch = answer.partition("@")
    if not stretch:
        return {"path": path}
    start, end = map(int, stretch.split("-"))
    return {"path": path, "start_ms": start, "end_ms": end}
