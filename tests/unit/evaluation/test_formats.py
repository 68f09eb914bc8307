"""Files of judged queries: what is read, what is refused and how that is said, and whether the published schema agrees."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anyseek.errors import BadInput
from anyseek.evaluation.fields import Fields
from anyseek.evaluation.formats import read_queries
from anyseek.evaluation.judged import JudgedQuery, RightAnswer, Stretch
from anyseek.evaluation.native import read_native

ROOT = Path(__file__).parents[3]
SCHEMA = json.loads((ROOT / "docs" / "queries.schema.json").read_text("utf-8"))
QUERY = {"id": "dogs", "kind": "text", "query": "a dog", "target": "image", "relevant": [{"path": "a.jpg"}]}


def document(**changes: Any) -> dict[str, Any]:
    """A document of one query, with some of its fields changed; None takes one away."""
    query = {name: value for name, value in {**QUERY, **changes}.items() if value is not None}
    return {"version": 1, "queries": [query]}


def right(**fields: Any) -> dict[str, Any]:
    return document(relevant=[fields])


GOOD = [
    document(),
    document(relevant=[]),
    document(target=None),
    document(kind="image", query=["a.jpg", "b.jpg"]),
    document(negative="people", image=["a.jpg"], weights={"image": 2, "negative": 0.5}, where="rating>=4", note="why"),
    document(like="film.mp4@0:12-0:18", unlike=["b.jpg"], audio="a.ogg", video=["c.mp4"], text=["more"]),
    right(path="a.mp4", start_ms=0, end_ms=1, grade=3),
    document(relevant=[{"path": "a.mp4", "start_ms": 0, "end_ms": 5}, {"path": "a.mp4", "start_ms": 5, "end_ms": 9}]),
    {"version": 1, "queries": [QUERY], "description": {"by": "me"}},
]
BAD = {
    "must be an object, not []": [],
    "'version' is missing": {"queries": [QUERY]},
    "must be a whole number of 1 or more, not true": {"version": True, "queries": [QUERY]},
    "it is of version 2 and this anyseek reads 1": {"version": 2, "queries": [QUERY]},
    "'queries' must be a list": {"version": 1, "queries": {}},
    "there is no query in it": {"version": 1, "queries": []},
    'there is no field called "extra"': {"version": 1, "queries": [QUERY], "extra": 1},
    "query 1: must be an object": {"version": 1, "queries": ["a dog"]},
    "query 1: 'id' is missing": document(id=None),
    "query 1: 'id' must be a text that is not empty": document(id=" "),
    "query 'dogs': there is no field called \"relevent\": use ": document(relevent=[]),
    "query 'dogs': 'relevant' is missing": document(relevant=None),
    "query 'dogs': 'relevant' must be a list": document(relevant="a.jpg"),
    "query 'dogs': 'kind' must be text, image, audio, video, not \"smell\"": document(kind="smell"),
    "query 'dogs': 'target' must be image, audio, video, any, not 3": document(target=3),
    "query 'dogs': 'query' is missing": document(query=[]),
    "query 'dogs': 'query' must be a text that is not empty": document(query=""),
    "query 'dogs': 'query' must be a text or a list of texts, not 7": document(query=7),
    "query 'dogs': 'negative' must be a text that is not empty, not 1": document(negative=[1]),
    "query 'dogs': 'weights' must be an object of numbers": document(weights=[2]),
    "query 'dogs': 'weights' must hold numbers, and 'text' is \"2\"": document(weights={"text": "2"}),
    "query 'dogs': 'weights' must hold numbers, and 'text' is true": document(weights={"text": True}),
    "query 'dogs': 'where' must be a text": document(where={}),
    "query 'dogs', right answer 1: must be an object": document(relevant=["a.jpg"]),
    "query 'dogs', right answer 1: 'path' is missing": right(start_ms=0, end_ms=1),
    "query 'dogs', right answer 1: 'grade' must be a whole number of 1 or more, not 0": right(path="a.jpg", grade=0),
    "query 'dogs', right answer 1: 'grade' must be a whole number of 1 or more, not 1.5": right(path="a.jpg", grade=1.5),
    "query 'dogs', right answer 1: 'end_ms' is missing": right(path="a.mp4", start_ms=0),
    "query 'dogs', right answer 1: 'start_ms' is missing": right(path="a.mp4", end_ms=4),
    "query 'dogs', right answer 1: 'start_ms' must be a whole number of 0 or more, not -1": right(path="a.mp4", start_ms=-1, end_ms=4),
    "query 'dogs', right answer 1: there is no field called \"from\"": right(path="a.mp4", **{"from": 3}),
}
ONLY_READ = {
    "query 'dogs', right answer 1: it ends at 3 ms, before it begins at 4 ms": right(path="a.mp4", start_ms=4, end_ms=3),
    "two queries have the id 'dogs'": {"version": 1, "queries": [QUERY, QUERY]},
    "query 'dogs': 'a.jpg' is listed twice": document(relevant=[{"path": "a.jpg"}, {"path": "a.jpg", "grade": 2}]),
    "query 'dogs': 'a.mp4' is right as a whole and in a stretch": document(
        relevant=[{"path": "a.mp4"}, {"path": "a.mp4", "start_ms": 0, "end_ms": 5}]
    ),
    "query 'dogs', right answer 1: 'path' holds characters that are none": right(path="a\0.jpg"),
    "'query' holds characters that are none": document(query="a \ud800 dog"),
}
"""What a schema cannot say."""


def written(folder: Path, value: object) -> Path:
    path = folder / "queries.json"
    path.write_text(json.dumps(value), encoding="utf-8")
    return path


def conforms(value: Any, schema: dict[str, Any]) -> bool:
    """Whether a value conforms to a schema, as far as our schema uses the standard."""
    if "$ref" in schema and not conforms(value, SCHEMA["$defs"][schema["$ref"].rpartition("/")[2]]):
        return False
    checks = {
        "const": lambda wanted: value == wanted and not isinstance(value, bool),
        "enum": lambda wanted: value in wanted,
        "anyOf": lambda ways: any(conforms(value, way) for way in ways),
        "pattern": lambda pattern: not isinstance(value, str) or re.search(pattern, value) is not None,
        "minimum": lambda least: not _is_number(value) or value >= least,
        "minItems": lambda least: not isinstance(value, list) or len(value) >= least,
        "items": lambda of: not isinstance(value, list) or all(conforms(each, of) for each in value),
        "type": lambda kind: {
            "object": isinstance(value, dict),
            "array": isinstance(value, list),
            "string": isinstance(value, str),
            "number": _is_number(value),
            "integer": _is_number(value) and value == int(value),
        }[kind],
    }
    if not all(check(schema[name]) for name, check in checks.items() if name in schema):
        return False
    return not isinstance(value, dict) or _fields_conform(value, schema)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _fields_conform(value: dict[str, Any], schema: dict[str, Any]) -> bool:
    known = schema.get("properties", {})
    others = schema.get("additionalProperties", True)
    for name, each in value.items():
        of = known.get(name, others)
        if of is False or (isinstance(of, dict) and not conforms(each, of)):
            return False
    needed = [
        *schema.get("required", []),
        *(other for name, all_ in schema.get("dependentRequired", {}).items() if name in value for other in all_),
    ]
    return all(name in value for name in needed)


@pytest.mark.parametrize("value", GOOD, ids=range(len(GOOD)))
def test_what_is_good_is_read_and_conforms_to_the_schema(value: Any, tmp_path: Path) -> None:
    assert len(read_queries(written(tmp_path, value)).queries) == 1
    assert conforms(value, SCHEMA)


@pytest.mark.parametrize(("reason", "value"), {**BAD, **ONLY_READ}.items())
def test_what_is_bad_is_refused_with_its_reason(reason: str, value: Any, tmp_path: Path) -> None:
    path = written(tmp_path, value)
    with pytest.raises(BadInput) as caught:
        read_queries(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert reason in str(caught.value)


@pytest.mark.parametrize("value", BAD.values(), ids=BAD)
def test_what_is_bad_does_not_conform_to_the_schema(value: Any) -> None:
    assert not conforms(value, SCHEMA)


def test_the_shipped_queries_conform_to_the_schema_and_are_read_whole() -> None:
    path = ROOT / "data" / "queries.json"
    queries = json.loads(path.read_text("utf-8"))
    assert conforms(queries, SCHEMA)
    assert [query.id for query in read_queries(path).queries] == [query["id"] for query in queries["queries"]]


def test_every_field_arrives(tmp_path: Path) -> None:
    value = document(
        kind="image", query="one.jpg", text="a beach", image="two.jpg", audio=["waves.ogg"], video="film.mp4", like=["a.mp4@0:01-0:02"],
        negative=["people", "boats"], unlike="b.jpg", weights={"image": 2}, where="rating>=4", target="any",
        relevant=[{"path": "a.jpg", "grade": 2}, {"path": "a.mp4", "start_ms": 1000, "end_ms": 2000}],
    )  # fmt: skip
    (query,) = read_queries(written(tmp_path, value)).queries
    assert query == JudgedQuery(
        "dogs", "any", (RightAnswer("a.jpg", 2), RightAnswer("a.mp4", 1, Stretch(1000, 2000))),
        text=("a beach",), negative=("people", "boats"), image=("one.jpg", "two.jpg"), audio=("waves.ogg",), video=("film.mp4",),
        like=("a.mp4@0:01-0:02",), unlike=("b.jpg",), weights={"image": 2.0}, where="rating>=4",
    )  # fmt: skip
    assert query.kind == "text+image+audio+video+like+not"
    assert query.kinds == frozenset()
    assert query.has_parts


def test_a_plain_query_is_of_one_kind_and_one_part(tmp_path: Path) -> None:
    (query,) = read_queries(written(tmp_path, document())).queries
    assert (query.pair, query.has_parts, query.question) == ("text → image", False, "a dog")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "it is no JSON"),
        (b"\xff\xfe\x00", "it is no JSON"),
        (b"{" * 100_000, "it is no JSON"),
        (b"[" * 100_000, "it is no JSON"),
        (b'{"version": 1, "queries": [' + b"9" * 5000 + b"]}", "it is no JSON"),
        (b'{"version": NaN}', "NaN is no number"),
        (b'{"version": 1, "version": 1, "queries": []}', "a field is there twice: 'version'"),
        (b'{"version": 1e400, "queries": []}', "must be a whole number"),
        (b"null", "must be an object, not null"),
    ],
    ids=range(9),
)
def test_what_is_no_document_is_refused(content: bytes, reason: str, tmp_path: Path) -> None:
    path = tmp_path / "queries.json"
    path.write_bytes(content)
    with pytest.raises(BadInput, match=re.escape(reason)):
        read_queries(path)


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none.json", Path("a\0b"), tmp_path / ("x" * 5000)):
        with pytest.raises(BadInput, match=r"there is no such file|cannot be read"):
            read_queries(path)


def test_a_byte_order_mark_is_no_obstacle(tmp_path: Path) -> None:
    path = tmp_path / "queries.json"
    path.write_bytes(b"\xef\xbb\xbf" + json.dumps(document()).encode())
    assert len(read_queries(path).queries) == 1


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*QUERY, "path", "start_ms", "version"]), inner, max_size=4)
    ),
    max_leaves=8,
)


@given(JSON, st.sampled_from([*QUERY, "weights", "negative", "where"]))
def test_what_is_read_conforms_to_the_schema_and_all_else_is_refused(value: Any, name: str) -> None:
    changed = document(**{name: value})
    refused = ""
    try:
        read_native(Fields(changed, "queries.json"))
    except BadInput as error:
        refused = str(error)
    assert refused.startswith("queries.json: ") if refused else conforms(changed, SCHEMA)


# Captions as COCO has them

COCO: dict[str, Any] = {
    "info": {"year": 2017},
    "licenses": [],
    "images": [{"id": 9, "file_name": "000009.jpg", "height": 480, "license": 3}, {"id": 25, "file_name": "rain.ogg"}],
    "annotations": [
        {"id": 661611, "image_id": 9, "caption": "A dog on a beach."},
        {"id": 661977, "image_id": 9, "caption": "A dog runs. "},
        {"id": 7, "image_id": 25, "caption": "Rain falls."},
    ],
}


def test_each_caption_asks_for_its_picture(tmp_path: Path) -> None:
    queries = read_queries(written(tmp_path, COCO)).queries
    assert [(query.id, query.text, query.pair, query.relevant) for query in queries] == [
        ("caption-661611", ("A dog on a beach.",), "text → image", (RightAnswer("000009.jpg"),)),
        ("caption-661977", ("A dog runs. ",), "text → image", (RightAnswer("000009.jpg"),)),
        ("caption-7", ("Rain falls.",), "text → audio", (RightAnswer("rain.ogg"),)),
    ]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"annotations": [{"image_id": 4, "caption": "a", "id": 1}]}, "query 'caption-1': there is no image 4"),
        ({"annotations": [{"image_id": 9, "id": 1}]}, "query 'caption-1': 'caption' is missing"),
        ({"annotations": [{"image_id": 9, "caption": "a"}, {"image_id": 9, "caption": "b", "id": 1}]}, "two annotations have that id"),
        ({"annotations": [[]]}, "annotation 1: must be an object"),
        ({"annotations": []}, "there is no query in it"),
        ({"images": [{"id": 9, "file_name": "a.jpg"}, {"id": 9, "file_name": "b.jpg"}]}, "two images have the id 9"),
        ({"images": [{"id": 9}]}, "image 1: 'file_name' is missing"),
        ({"images": 3}, "'images' must be a list"),
    ],
)
def test_broken_captions_are_refused(change: dict[str, Any], reason: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=re.escape(reason)):
        read_queries(written(tmp_path, {**COCO, **change}))


def test_the_example_in_the_documentation_is_one(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "evaluation.md").read_text("utf-8")
    example = re.search(r"```json\n(.*?)```", page, re.DOTALL)
    assert example is not None
    value = json.loads(example.group(1))
    assert conforms(value, SCHEMA)
    assert [query.pair for query in read_queries(written(tmp_path, value)).queries] == [
        "text → image",
        "text → video",
        "image → any",
        "text → any",
    ]


def test_the_documentation_names_every_field() -> None:
    page = (ROOT / "docs" / "evaluation.md").read_text("utf-8")
    fields = {*SCHEMA["$defs"]["query"]["properties"], *SCHEMA["$defs"]["right"]["properties"]}
    assert {field for field in fields if f"`{field}`" not in page} == set()
