"""Filters in SQL: what they let pass is what a plain look at every asset lets pass."""

from __future__ import annotations

import json
import random
import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, select

from anyseek.errors import BadFilter
from anyseek.filters import And, Comparison, Condition, Not, Operator, Or, parse
from anyseek.filters.dates import Period
from anyseek.filters.patterns import Pattern, fold
from anyseek.filters.places import Box, Circle, distance
from anyseek.filters.spans import Span
from anyseek.storage.catalog import Catalog
from anyseek.storage.filtering import satisfies
from anyseek.storage.layout import LibraryFolder
from anyseek.storage.models import annotation, asset, content
from anyseek.types import Kind, MediaInfo, Modality, Segment, Space

SPACE = Space("colour", 2, "f00d")
NAMES = [
    "a.jpg",
    "B.JPG",
    "größe.png",
    "Gro\u0308ße.PNG",
    "a.tar.gz",
    ".jpg",
    "no ending",
    "x.mp3",
    "[1]*.webp",
    "percent%_.jpg",
    "\udcff.jpg",
]
FOLDERS = ["", "2024/", "2024/May/", "2024/May/May/", "Holiday/2024/", "\u017ftra\u017fse/"]
ROOTS = ["Photos", "photos of others", "Clips"]


@dataclass(frozen=True)
class Shown:
    """An asset, as a plain dictionary of what is stored of it and its content."""

    id: int
    root: str
    asset: dict[str, Any]
    content: dict[str, Any]
    tags: tuple[tuple[str, float | None], ...]


def a_content(chance: random.Random, number: int) -> dict[str, Any]:
    def some(*values: Any) -> Any:
        return chance.choice([None, *values])

    kind = chance.choice(list(Kind))
    seen = kind is not Kind.AUDIO
    place = chance.choice([None, (52.52, 13.40), (52.40, 13.06), (-17.7, 179.9), (-17.7, -179.9), (90.0, 0.0), (0.0, 180.0), (0.0, 0.0)])
    captured = some(
        "2024-05-17T18:30:00", "2024-05-17T18:30:00.250000+02:00", "2023-12-31T23:59:59", "2024-01-01T00:00:00-08:00", "0999-01-01T00:00:00"
    )
    return {
        "id": number,
        "hash": number.to_bytes(16, "big"),
        "size": number,
        "kind": kind.value,
        "format": some("jpeg", "MP4", "png"),
        "width": chance.choice([640, 1920, 3000]) if seen else None,
        "height": chance.choice([640, 1080, 4000]) if seen else None,
        "duration_ms": None if kind is Kind.IMAGE else chance.choice([0, 999, 10_000, 10_999, 11_000, 90_000, 5_400_000]),
        "has_audio": int(kind is not Kind.IMAGE and chance.random() < 0.5),
        "captured_at": captured,
        "captured_origin": captured and "exif",
        "camera": some("Canon EOS R5", "CANON eos", "Leica\u0308 Q", "100%"),
        "latitude": place and place[0],
        "longitude": place and place[1],
        "title": some("A day (at) the SEA", "Größe", "", "x*y"),
        "artist": some("Bach", "J. S. Bach", "ΌΔΟΣ"),
        "rating": some(0, 1, 3, 5),
        "keywords": json.dumps(
            chance.choice([[], ["holiday"], ["Holiday", "sea"], ["sea shells", 'a "b"'], ["größe"]]), ensure_ascii=False
        ),
    }


def an_asset(chance: random.Random, number: int, content_id: int) -> dict[str, Any]:
    own = chance.choice(
        [
            None,
            {},
            {"project": "Lighthouse"},
            {"stars": 4, "shot by": "Ann"},
            {"stars": "4.5", "ok": True},
            {"stars": None, "l": [4]},
            {"stars": -2.5},
        ]
    )
    return {
        "id": number,
        "source_id": chance.randint(1, len(ROOTS)),
        "path": f"{chance.choice(FOLDERS)}{number} {chance.choice(NAMES)}" if chance.random() < 0.5 else f"{number}/{chance.choice(NAMES)}",
        "size": chance.choice([0, 999, 1000, 4_999_999, 5_000_000, 5_242_880, 10**10]),
        "mtime_ns": chance.choice([0, -1, 1_704_067_199_999_999_999, 1_704_067_200_000_000_000, 1_715_970_600_000_000_000]),
        "content_id": content_id,
        "state": chance.choice(["indexed"] * 9 + ["deleted"]),
        "state_since": "2026-01-01T00:00:00+00:00",
        "first_seen": "2026-01-01T00:00:00+00:00",
        "user_metadata": None if own is None else json.dumps(own),
    }


class Population:
    """A catalog of assets with every oddity, and the same as plain values."""

    def __init__(self, folder: Path) -> None:
        chance = random.Random(4)
        self.catalog = Catalog.create(LibraryFolder(folder / ".anyseek"))
        self.space = self.catalog.add_space(SPACE, "serving")
        for name in ROOTS:
            (folder / name).mkdir()
        self.roots = {source.id: source.root for source in (self.catalog.source_for(folder / name) for name in ROOTS)}
        contents = [a_content(chance, number) for number in range(1, 121)]
        assets = [an_asset(chance, number, chance.randint(1, 120)) for number in range(1, 181)]
        words = ("dog", "Dog", "dog house", "größe", "100%")
        tags = {(chance.randint(1, 120), chance.choice(words)): chance.choice([None, 0.2, 0.7, 0.9]) for _ in range(90)}
        rows = [
            {"content_id": id_, "type": "tag", "origin": "test", "text": word, "start_ms": 0, "end_ms": 0, "confidence": sure}
            for (id_, word), sure in tags.items()
        ]
        others = [{**row, "type": "caption", "text": "a dog", "content_id": row["content_id"] % 7 + 1} for row in rows[:3]]
        with self.catalog.database.writing() as connection:
            connection.execute(insert(content), contents)
            connection.execute(insert(asset), assets)
            connection.execute(insert(annotation), rows)
            connection.execute(insert(annotation).prefix_with("OR IGNORE"), others)
        by_id = {row["id"]: row for row in contents}
        self.shown = [
            Shown(
                row["id"],
                self.roots[row["source_id"]].as_posix(),
                row,
                by_id[row["content_id"]],
                tuple((word, sure) for (id_, word), sure in tags.items() if id_ == row["content_id"]),
            )
            for row in assets
        ]

    def by_sql(self, condition: Condition) -> list[int]:
        statement = select(asset.c.id).join(content, content.c.id == asset.c.content_id).where(satisfies(condition, self.roots))
        with self.catalog.database.reading() as connection:
            return sorted(row[0] for row in connection.execute(statement))

    def by_hand(self, condition: Condition) -> list[int]:
        return [one.id for one in self.shown if holds(condition, one)]


@pytest.fixture(scope="module")
def population() -> Iterator[Population]:
    with tempfile.TemporaryDirectory(prefix="anyseek-") as folder:
        made = Population(Path(folder))
        yield made
        made.catalog.close()


def holds(condition: Condition, one: Shown) -> bool:
    """The definition, in two truth values."""
    match condition:
        case And():
            return all(holds(part, one) for part in condition.parts)
        case Or():
            return any(holds(part, one) for part in condition.parts)
        case Not():
            return not holds(condition.part, one)
    return is_so(condition, one)


def is_so(comparison: Comparison, one: Shown) -> bool:
    value: Any = comparison.value
    field, known, own = comparison.field, one.content, json.loads(one.asset["user_metadata"] or "{}")
    if field.startswith("meta."):
        found = own.get(field.removeprefix("meta."))
        if value.span is not None:
            return (
                isinstance(found, int | float | str)
                and not isinstance(found, bool)
                and re.fullmatch(r"-?[\d.]+", str(found)) is not None
                and inside(float(found), value.span)
            )
        shown = json.dumps(found, separators=(",", ":")) if isinstance(found, bool | list) else found
        return found is not None and looks_like(str(shown), value.pattern)
    match field:
        case "path":
            return looks_like(f"{one.root}/{one.asset['path']}" if value.absolute else one.asset["path"], value)
        case "source":
            return looks_like(one.root if value.absolute else Path(one.root).name, value)
        case "ext":
            stem, dot, ending = Path(one.asset["path"]).name.rpartition(".")
            wanted = fold(comparison.text.removeprefix("."))
            return bool(stem and dot) and (fold(ending) == wanted or fold(Path(one.asset["path"]).name).endswith(f".{wanted}"))
        case "kind":
            return known["kind"] == value
        case "date":
            return in_period(known["captured_at"], one.asset["mtime_ns"], value)
        case "orientation":
            width, height = known["width"], known["height"]
            shape = None if width is None else "landscape" if width > height else "portrait" if width < height else "square"
            return shape == value
        case "duration":
            return known["duration_ms"] is not None and inside(known["duration_ms"], value)
        case "size":
            return inside(one.asset["size"], value)
        case "megapixels":
            return known["width"] is not None and inside(known["width"] * known["height"], value)
        case "width" | "height" | "rating":
            return known[field] is not None and inside(known[field], value)
        case "camera" | "title" | "artist" | "format":
            return known[field] is not None and looks_like(known[field], value)
        case "keyword":
            return any(looks_like(word, value) for word in json.loads(known["keywords"]))
        case "tag":
            sure = comparison.sureness
            return any(looks_like(word, value) and (sure is None or (mine is not None and inside(mine, sure))) for word, mine in one.tags)
        case "near" | "within":
            return known["latitude"] is not None and in_place(known["latitude"], known["longitude"], value)
        case "has":
            return is_known(value, one, own)
    raise AssertionError(field)


def looks_like(text: str, pattern: Pattern) -> bool:
    return re.search(pattern.regex, fold(text), re.DOTALL) is not None


def inside(number: float, span: Span) -> bool:
    over = span.low is None or (number > span.low if span.above else number >= span.low)
    return over and (span.high is None or (number < span.high if span.below else number <= span.high))


def in_period(captured: str | None, mtime_ns: int, period: Period) -> bool:
    if captured is not None:
        at = datetime.fromisoformat(captured).replace(tzinfo=None, microsecond=0)
    else:
        at = datetime.fromtimestamp(mtime_ns // 10**9, UTC).replace(tzinfo=None)
    return (period.start is None or at >= period.start) and (period.end is None or at < period.end)


def in_place(latitude: float, longitude: float, place: Box | Circle) -> bool:
    if isinstance(place, Circle):
        return distance(latitude, longitude, place.latitude, place.longitude) <= place.metres
    if place.west <= place.east:
        return place.south <= latitude <= place.north and place.west <= longitude <= place.east
    return place.south <= latitude <= place.north and not place.east < longitude < place.west


def is_known(what: str, one: Shown, own: dict[str, Any]) -> bool:
    known = one.content
    facts = {"gps": known["latitude"], "date": known["captured_at"], "meta": own or None, "tag": one.tags or None}
    facts["keyword"] = json.loads(known["keywords"]) or None
    if what == "sound":
        return bool(known["has_audio"]) or known["kind"] == "audio"
    return (facts[what] if what in facts else known[what]) is not None


WRITTEN = """
kind:image|kind:audio|kind=video|path:*.jpg|path:2024/**|path:holiday/|path:**/may/*|path:2024/*|path:"*größe.png"|path:*%_*
path:?*|path:/**/photos/**|path:"/**/photos of others/*/*"|path:/nowhere/**|source:photos|source:photos*|source:/**/Clips|source:x
ext:jpg|ext:.PNG|ext:gz|ext:tar.gz|ext:"no ending"|format:mp4|format:*p*|date:2024|date:2024-05|date:2024-05-17|date:2024-05-17T18
date:2024-05-17T18:30:00|date>2023|date>=2024|date<2024|date<=2023|date:2023..2024-05|date:..0999|date<0999|date:9999|date>=1969
date<1970|date:1969-12-31|duration:10s|duration>10s|duration>=10s|duration<1s|duration<=999ms|duration:1:30..1h30min
duration:..11s|size:5MB|size>5MB|size>=5MiB|size<1kB|size<=1kB|size:..999|size:10GB|size<999999999TB|width:640|width>640
height<=1080|megapixels:2|megapixels>=2.07|mp<1|orientation:landscape|orientation:portrait|orientation:square|camera:canon
camera="canon eos"|camera:100%|camera:c*5|camera:LEICÄ|title:sea|title="x*y"|title:x*y|title:"(at)"|title:größe|title:?
artist:bach|artist=bach|artist:όδος|rating:3|rating>=3|rating<1|rating:1..3|rating!=3|keyword:holiday|keyword:sea*|keyword=sea
keyword:"a \\"b\\""|keyword:GRÖSSE|tag:dog|tag:dog*|tag:dog>=0.7|tag:dog>0.7|tag:*<0.5|tag:100%|near:"52.5,13.4 5km"
near:"52.5,13.4 50km"|near:"-17.7,180 30km"|near:"89.9,100 20km"|near:"0,0 30000km"|within:-20,170,0,-170|within:52,13,53,14
within:0,0,0,0|has:gps|has:sound|has:date|has:camera|has:rating|has:keyword|has:tag|has:title|has:artist|has:meta
meta.project:light*|meta.project=lighthouse|meta.stars:4|meta.stars>=4|meta.stars>4|meta.stars<5|meta."shot by":ann|meta.ok:true
meta.none:x|meta.l:*4*|meta.project:""|meta.ok>=1|meta.stars>=-3|meta.stars<-2|meta.stars>-2.5|meta.stars:-2.5
"""
EXAMPLES = WRITTEN.strip().replace("\n", "|").split("|")


@pytest.mark.parametrize("text", EXAMPLES)
def test_each_comparison_lets_pass_what_a_look_at_every_asset_does(population, text):
    condition = parse(text)
    assert population.by_sql(condition) == population.by_hand(condition)
    assert population.by_sql(Not(condition)) == population.by_hand(Not(condition))


def test_the_examples_tell_assets_apart(population):
    """Most of them let some pass and some not, else the test above could not fail."""
    found = [len(population.by_hand(parse(text))) for text in EXAMPLES]
    assert sum(0 < count < len(population.shown) for count in found) > 0.85 * len(EXAMPLES)


def several(inner: st.SearchStrategy[Condition]) -> st.SearchStrategy[Condition]:
    parts = st.lists(inner, min_size=2, max_size=4).map(tuple)
    return st.builds(Not, inner) | st.builds(And, parts) | st.builds(Or, parts)


conditions = st.recursive(st.sampled_from([parse(text) for text in EXAMPLES]), several, max_leaves=10)


@settings(max_examples=200, deadline=None)
@given(condition=conditions)
@example(condition=parse("not (rating>=3 or not rating>=3)"))
@example(condition=parse("not (rating>=3 and not kind:image)"))
def test_any_condition_lets_pass_what_a_look_at_every_asset_does(population, condition):
    assert population.by_sql(condition) == population.by_hand(condition)


def test_what_is_not_known_satisfies_nothing_but_negations(population):
    unrated = {one.id for one in population.shown if one.content["rating"] is None}
    assert unrated
    assert not unrated & set(population.by_sql(parse("rating>=0")))
    assert unrated <= set(population.by_sql(parse("not rating>=3")))
    assert unrated <= set(population.by_sql(parse("rating!=3")))
    everything = population.by_sql(parse("rating>=3 or not rating>=3"))
    assert everything == [one.id for one in population.shown]


def test_the_largest_conditions_can_be_asked(population):
    flat = parse(" or ".join(f"meta.k{n}>=4" for n in range(200)))
    assert population.by_sql(flat) == []
    deep = parse("not (kind:image and " * 9 + "not kind:audio" + ")" * 9)
    assert population.by_sql(deep) == population.by_hand(deep)
    levels = parse("(kind:image or (rating>=1 and " * 9 + "not kind:audio" + "))" * 9)
    assert population.by_sql(levels) == population.by_hand(levels)
    deepest = parse("not " + "(kind:image or (rating>=1 and " * 9 + 'near:"0,0 1km"' + "))" * 9)
    assert population.catalog.live_embeddings(1, where=deepest).tolist() == []  # in a subquery there is less room for it
    assert {one.id for found in population.catalog.assets_of(range(121), where=deepest).values() for one in found} == {
        one.id for one in population.shown if one.asset["state"] == "indexed" and holds(deepest, one)
    }
    places = parse(" or ".join('near:"0,0 1km" and path:/**/a' for _ in range(100)))
    assert population.by_sql(places) == population.by_hand(places)


def test_a_condition_that_is_too_large_is_refused(population):
    condition = parse("kind:image")
    for _ in range(5000):
        condition = Not(condition)
    with pytest.raises(BadFilter, match="20 levels"):
        population.catalog.live_embeddings(1, where=condition)
    with pytest.raises(BadFilter, match="20 levels"):
        population.catalog.assets_of([1], where=condition)


@pytest.fixture
def two_copies(catalog: Catalog) -> Catalog:
    """One picture at two places, a film, and a picture that was deleted; embeddings 1 (picture), 2 and 3 (film), 4 (deleted)."""
    space = catalog.add_space(SPACE, "serving").id
    source = catalog.source_for(catalog.folder.path.parent).id
    frame, sound = Segment(Modality.IMAGE, frame_ms=0), Segment(Modality.AUDIO, 0, 3000)
    with catalog.transaction() as writer:
        for name, kind, parts, paths in (
            ("picture", Kind.IMAGE, [frame], ["one/a.jpg", "two/a.jpg"]),
            ("film", Kind.VIDEO, [frame, sound], ["one/b.mp4"]),
            ("gone", Kind.IMAGE, [frame], ["one/gone.jpg"]),
        ):
            info = MediaInfo(kind, "test")
            content_id = writer.begin_content(name.encode().ljust(16), 1, info)
            writer.add_embeddings(content_id, space, [(part, _axis()) for part in parts])
            writer.finish_content(content_id, space, info, parts)
            ids = [writer.put_asset(source, path, 1, 1, content_id) for path in paths]
        writer.delete_assets(ids)
    return catalog


def _axis() -> Any:
    import numpy as np

    return np.array([1, 0], np.float32)


@pytest.mark.parametrize(
    ("text", "embeddings", "paths"),
    [
        ("path:one/*", [1, 2, 3], ["one/a.jpg", "one/b.mp4"]),
        ("path:two/*", [1], ["two/a.jpg"]),
        ("kind:video", [2, 3], ["one/b.mp4"]),
        ("not path:one/*", [1], ["two/a.jpg"]),
        ("path:**/gone.jpg", [], []),
        ("path:nowhere", [], []),
    ],
)
def test_a_condition_is_about_the_asset_and_not_about_its_copies(two_copies, text, embeddings, paths):
    where = parse(text)
    assert two_copies.live_embeddings(1, where=where).tolist() == embeddings
    found = two_copies.assets_of([1, 2, 3], where=where)
    assert sorted(one.relative for assets in found.values() for one in assets) == paths


def test_kinds_modalities_and_a_condition_hold_together(two_copies):
    where = parse("path:one/*")
    assert two_copies.live_embeddings(1, where=where, kinds=[Kind.VIDEO]).tolist() == [2, 3]
    assert two_copies.live_embeddings(1, where=where, modalities=[Modality.AUDIO]).tolist() == [3]
    assert two_copies.live_embeddings(1, where=where, kinds=[]).tolist() == []
    assert two_copies.live_embeddings(1, where=parse("kind:image"), kinds=[Kind.VIDEO]).tolist() == []


def test_answers_are_kept_until_the_catalog_changes(two_copies):
    first = two_copies.live_embeddings(1, where=parse("kind:image"))
    assert two_copies.live_embeddings(1, where=parse('kind : "image"')) is first
    with two_copies.transaction() as writer:
        writer.delete_assets([1, 2])
    assert two_copies.live_embeddings(1, where=parse("kind:image")).tolist() == []


def test_operators_of_the_table_are_all_tested():
    tested = {(part.field.partition(".")[0], part.operator) for text in EXAMPLES for part in _leaves(parse(text))}
    assert {field for field, _ in tested} >= {"kind", "path", "source", "ext", "date", "near", "within", "has", "meta", "tag"}
    assert {operator for _, operator in tested} == set(Operator)


def _leaves(condition: Condition) -> list[Comparison]:
    if isinstance(condition, Comparison):
        return [condition]
    parts = (condition.part,) if isinstance(condition, Not) else condition.parts
    return [leaf for part in parts for leaf in _leaves(part)]
