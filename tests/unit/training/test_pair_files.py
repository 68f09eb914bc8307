"""Files of pairs: what is read, exactly, and what is refused, with the line."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from anyseek.errors import BadInput
from anyseek.search.references import Reference
from anyseek.training.pair_files import read_pairs
from anyseek.training.pair_rows import COLUMNS
from anyseek.training.pairs import Pair

DOG, FILM = Reference(Path("dog.jpg")), Reference(Path("a film.mp4"), 12_000, 18_000)


def written(folder: Path, text: str, name: str = "pairs.csv", encoding: str = "utf-8") -> Path:
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return path


EXPECTED = [
    Pair("a dog", DOG),
    Pair("glimmer, the lamp", FILM, positive=False, grade=3),
    Pair(Reference(Path("bark.mp3")), DOG),
]


def test_csv(tmp_path: Path) -> None:
    lines = ["text,like,asset,label,grade,note", "a dog,,dog.jpg,1,,", "", '"glimmer, the lamp",,a film.mp4@0:12-0:18,0,3,"of', 'old"']
    text = "\n".join([*lines, ",bark.mp3,dog.jpg,,,", ""])
    pairs = read_pairs(written(tmp_path, text))
    assert list(pairs) == EXPECTED
    assert [pair.place.rpartition(", ")[2] for pair in pairs] == ["line 2", "line 5", "line 6"]
    assert pairs.folders == (tmp_path,)
    assert not pairs.left_out


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("line", ["\n", "\r\n"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_csv_of_other_programs(tmp_path: Path, separator: str, line: str, encoding: str) -> None:
    rows = [["Query", " PATH ", "positive"], ["Äpfel", "dog.jpg", "TRUE"], ["Birnen", "dog.jpg", "no"]]
    text = line.join(separator.join(row) for row in rows)
    assert list(read_pairs(written(tmp_path, text, encoding=encoding))) == [Pair("Äpfel", DOG), Pair("Birnen", DOG, positive=False)]


def test_json_lines(tmp_path: Path) -> None:
    lines = [
        {"text": "a dog", "asset": "dog.jpg"},
        {"query": "glimmer, the lamp", "path": "a film.mp4@0:12-0:18", "label": 0, "grade": 3, "note": "of\nold"},
        {"like": "bark.mp3", "asset": "dog.jpg", "positive": True},
    ]
    pairs = read_pairs(written(tmp_path, "\n\n".join(map(json.dumps, lines)), "pairs.jsonl"))
    assert list(pairs) == EXPECTED
    assert [pair.place for pair in pairs][1:] == [f"{tmp_path / 'pairs.jsonl'}, line {number}" for number in (3, 5)]


@pytest.mark.parametrize("indent", [None, 2])
def test_captions(tmp_path: Path, indent: int | None) -> None:
    document = {
        "info": {"year": 2017},
        "images": [{"id": 3, "file_name": "dog.jpg"}, {"id": 4, "file_name": "bark@0:12.mp3"}],
        "annotations": [
            {"id": 9, "image_id": 3, "caption": "a dog"},
            {"image_id": 3, "caption": "an animal"},
            {"image_id": 4, "caption": "it barks"},
        ],
    }
    pairs = read_pairs(written(tmp_path, json.dumps(document, indent=indent), "captions.json"))
    assert list(pairs) == [Pair("a dog", DOG), Pair("an animal", DOG), Pair("it barks", Reference(Path("bark@0:12.mp3")))]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "there is nothing in it: write pairs"),
        ("text,asset\n", "there is no pair in it"),
        ("text,asset,colour\nx,y,z", "line 1: there is no column called 'colour': let the first line name the columns, of text, "),
        ("a dog,dog.jpg\n", "line 1: there is no column called 'a dog'"),
        ("text,asset,text\nx,y,z", "line 1: there are two columns called 'text'"),
        ("text,asset\na dog,dog.jpg,1", "line 2: 3 values stand below 2 columns"),
        ("text,asset\na dog", "line 2: 1 values stand below 2 columns"),
        ("text,asset\na dog,", "line 2: 'asset' is missing: name the file"),
        ("text,asset\n,dog.jpg", "line 2: it needs either 'text', for words, or 'like'"),
        ("text,like,asset\na,b,c", "line 2: it needs either"),
        ("text,query,asset\na,b,c", "line 2: 'text' and 'query' are the same"),
        ("text,asset,path\na,b,c", "line 2: 'asset' and 'path' are the same"),
        ("text,asset,label,positive\na,b,1,1", "line 2: 'label' and 'positive' are the same"),
        ("text,asset,label\na,b,maybe", "line 2: 'label' must be 1 for what is right or 0 for what is not, not 'maybe'"),
        ("text,asset,label\na,b,2", "line 2: 'label' must be 1"),
        ("text,asset,grade\na,b,0", "line 2: 'grade' must be a whole number from 1 to 100, not '0'"),
        ("text,asset,grade\na,b,1.5", "line 2: 'grade' must be"),
        ("text,asset,grade\na,b,101", "line 2: 'grade' must be"),
        ("text,asset\na,film.mp4@0:18-0:12", "line 2: 'film.mp4@0:18-0:12' ends before it begins"),
        ('text,asset\n"a,b', "it is no CSV"),
        ("text,asset\na\0b,c", "line 2: 'text' holds characters that are none"),
        ('{"text": "a", "asset": "b"}\n{"text": "a",\n', "line 2: it is no JSON"),
        ('{"text": "a", "asset": "b"}\n[]', "line 2: must be an object, not []"),
        ('{"text": "a", "asset": "b", "colour": 1}', 'line 1: there is no field called "colour"'),
        ('{"text": "a", "text": "c", "asset": "b"}', "line 1: it is no JSON (a field is there twice: 'text')"),
        ('{"text": "a", "asset": "b", "grade": NaN}', "line 1: it is no JSON (NaN is no number)"),
        ('{"text": "a", "asset": "b", "grade": true}', "line 1: 'grade' must be a whole number"),
        ('{"text": "a", "asset": "b", "label": [1]}', "line 1: 'label' must be 1"),
        ('{"text": 5, "asset": "b"}', "line 1: 'text' must be a text that is not empty, not 5"),
        ('{"text": "", "asset": "b"}', "line 1: 'text' must be a text that is not empty"),
        ('{\n"text": "a", "asset": "b"}', "line 1: it is no JSON"),
        ('[{"text": "a", "asset": "b"}]', "it is a list as JSON has them: write one object on each line"),
        ('{"images": [], "annotations": []}', "there is no pair in it"),
        ('{"images": [{"id": 1, "file_name": "a"}], "annotations": [{"image_id": 2, "caption": "b"}]}', "there is no image 2"),
        ('{"images": [{"id": 1, "id": 2}], "annotations": []}', "a field is there twice: 'id'"),
        (f"text,asset\n{'a' * 10_001},b", "line 2: the text has 10,001 characters and may have 10,000"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, said: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(BadInput) as raised:
        read_pairs(path)
    assert str(raised.value).startswith(str(path))
    assert said in str(raised.value)


def test_files_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="there is no such file"):
        read_pairs(tmp_path / "missing.csv")
    with pytest.raises(BadInput, match="there is no such file"):
        read_pairs(tmp_path)
    with pytest.raises(BadInput, match=r"it is not text in UTF-8 \(byte 0\)"):
        read_pairs(written(tmp_path, "ÿtext,asset", encoding="latin-1"))


SCHEMA = json.loads((Path(__file__).parents[3] / "docs" / "pair.schema.json").read_text("utf-8"))


def conforms(value: Any, schema: dict[str, Any]) -> bool:
    """Whether a value conforms to a schema, as far as ours uses the standard."""
    checks = {
        "type": lambda kind: isinstance(value, {"object": dict, "string": str, "integer": int}[kind]) and not isinstance(value, bool),
        "enum": lambda wanted: not isinstance(value, str | list) and value in wanted,
        "pattern": lambda pattern: not isinstance(value, str) or re.search(pattern, value) is not None,
        "maxLength": lambda most: not isinstance(value, str) or len(value) <= most,
        "minimum": lambda least: not isinstance(value, int) or value >= least,
        "maximum": lambda most: not isinstance(value, int) or value <= most,
        "required": lambda names: all(name in value for name in names),
        "properties": lambda of: all(name not in value or conforms(value[name], each) for name, each in of.items()),
        "additionalProperties": lambda _: all(name in schema["properties"] for name in value),
        "allOf": lambda ways: all(conforms(value, way) for way in ways),
        "oneOf": lambda ways: sum(conforms(value, way) for way in ways) == 1,
        "not": lambda way: not conforms(value, way),
    }
    return all(checks[name](of) for name, of in schema.items() if name in checks)


GOOD: list[dict[str, Any]] = [
    {"text": "a dog", "asset": "dog.jpg"},
    {"query": "a dog", "path": "dog.jpg", "positive": False, "grade": 100, "note": {"by": ["me"]}},
    {"like": "a.mp3@0:01-0:02", "asset": "dog.jpg", "label": 0},
    {"like": "a.mp3", "path": "dog.mp4@1:02:03.5", "label": 1},
]
BAD: list[dict[str, Any]] = [
    {"text": "a dog"},
    {"asset": "dog.jpg"},
    {"text": "a", "query": "b", "asset": "dog.jpg"},
    {"text": "a", "like": "b", "asset": "dog.jpg"},
    {"text": "a", "asset": "dog.jpg", "path": "dog.jpg"},
    {"text": "a", "asset": "dog.jpg", "label": 1, "positive": 1},
    {"text": " ", "asset": "dog.jpg"},
    {"text": 5, "asset": "dog.jpg"},
    {"text": "a" * 10_001, "asset": "dog.jpg"},
    {"text": "a", "asset": "dog.jpg", "label": 2},
    {"text": "a", "asset": "dog.jpg", "label": "maybe"},
    {"text": "a", "asset": "dog.jpg", "label": None},
    {"text": "a", "asset": "dog.jpg", "grade": 0},
    {"text": "a", "asset": "dog.jpg", "grade": 101},
    {"text": "a", "asset": "dog.jpg", "grade": 1.5},
    {"text": "a", "asset": "dog.jpg", "colour": "red"},
]


def test_the_schema_has_the_fields_that_are_read() -> None:
    assert set(SCHEMA["properties"]) == set(COLUMNS)


@pytest.mark.parametrize("value", GOOD)
def test_what_conforms_to_the_schema_is_read(tmp_path: Path, value: dict[str, Any]) -> None:
    assert conforms(value, SCHEMA)
    assert len(read_pairs(written(tmp_path, json.dumps(value), "pairs.jsonl"))) == 1


@pytest.mark.parametrize("value", BAD, ids=str)
def test_what_does_not_is_refused(tmp_path: Path, value: dict[str, Any]) -> None:
    assert not conforms(value, SCHEMA)
    with pytest.raises(BadInput, match="line 1: "):
        read_pairs(written(tmp_path, json.dumps(value), "pairs.jsonl"))


def test_the_examples_of_the_guide_are_read(tmp_path: Path) -> None:
    guide = (Path(__file__).parents[3] / "docs" / "training-pairs.md").read_text("utf-8")
    examples = dict(re.findall(r"```(csv|json)\n(.*?)```", guide, re.DOTALL))
    assert [pair.positive for pair in read_pairs(written(tmp_path, examples["csv"]))] == [True, False, True, True]
    assert [pair.query for pair in read_pairs(written(tmp_path, examples["json"]))] == ["Glimmer", Reference(Path("sounds/REC003.mp3"))]
