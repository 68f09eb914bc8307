"""``anyseek eval`` as a user meets it: the judged queries of the demo, as table, JSON, report and run; and what is refused."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from commandline import CommandLine
from demo_library import DemoLibrary

pytestmark = pytest.mark.xdist_group("demo")

QUERIES = Path(__file__).parents[2] / "data" / "queries.json"
ASKED: list[dict[str, Any]] = json.loads(QUERIES.read_text("utf-8"))["queries"]
MEASURES = [f"{name}@{k}" for name in ("success", "recall", "precision") for k in (1, 5, 10)] + ["mAP", "nDCG@10"]
REFUSALS = ["good refused", "absent refused"]
MOMENTS = ["iou", "iou>=0.5", "iou any", "iou any>=0.5"]

NUMBER, TEXT, TRUTH_VALUE = (int, float), str, bool
GROUP = {"queries": int, "absent": int, "median_rank": NUMBER, "means": dict}
FIELDS: dict[str, Any] = {
    "queries": TEXT,
    "library": TEXT,
    "asked": int,
    "unjudged": [TEXT],
    "missing": [{"query": TEXT, "path": TEXT}],
    "cutoffs": [int],
    "depth": int,
    "min_relevance": (float, type(None)),
    "notes": [TEXT],
    "configurations": [
        {
            "name": TEXT,
            "models": [TEXT],
            "fusion": TEXT,
            "calibrated": TRUTH_VALUE,
            "bridge": (str, type(None)),
            "adapter": (str, type(None)),
            "overall": GROUP,
            "pairs": {"text → image": GROUP},
            "latency_ms": {"p50": NUMBER, "p95": NUMBER, "p99": NUMBER},
            "kinds": {kind: {"right": NUMBER, "first": NUMBER, "as_many": NUMBER} for kind in ("image", "audio", "video")},
            "differences": {"mAP": {"difference": NUMBER, "low": NUMBER, "high": NUMBER, "queries": int, "significant": TRUTH_VALUE}},
            "results": [
                {
                    "id": TEXT,
                    "question": TEXT,
                    "kind": TEXT,
                    "target": TEXT,
                    "rank": (int, type(None)),
                    "refused": (bool, type(None)),
                    "took_ms": (float, type(None)),
                    "problem": (str, type(None)),
                    "values": dict,
                    "right": [{"path": TEXT, "kind": TEXT, "grade": int, "stretches": [{"start_ms": int, "end_ms": int}]}],
                    "found": [
                        {
                            "path": TEXT,
                            "kind": TEXT,
                            "relevance": NUMBER,
                            "right": TRUTH_VALUE,
                            "start_ms": (int, type(None)),
                            "end_ms": (int, type(None)),
                        }
                    ],
                }
            ],
        }
    ],
}
"""The document that docs/evaluation.md promises. Objects by names of things (pairs, differences) show one of them."""
BY_NAME = {"pairs", "differences"}


def assert_fields(value: Any, fields: Any, place: str = "the document") -> None:
    """See that a value has exactly some fields, of some types."""
    if isinstance(fields, dict):
        assert set(value) == set(fields), place
        for name, of in fields.items():
            if name in BY_NAME:
                for each, inner in value[name].items():
                    assert_fields(inner, next(iter(of.values())), f"{place}.{name}[{each}]")
            else:
                assert_fields(value[name], of, f"{place}.{name}")
    elif isinstance(fields, list):
        assert isinstance(value, list), place
        for number, each in enumerate(value):
            assert_fields(each, fields[0], f"{place}[{number}]")
    else:
        assert isinstance(value, fields), place


@pytest.fixture(scope="module")
def document(demo_library: DemoLibrary) -> Any:
    """The judged queries, with calibration and without."""
    return demo_library.command("eval", QUERIES, "--json", "--compare", "calibration=on,off").json


def test_the_document_has_the_fields_that_are_promised(document: Any) -> None:
    assert_fields(document, FIELDS)
    assert document["asked"] == len(ASKED)
    assert (document["missing"], document["unjudged"], document["cutoffs"], document["depth"]) == ([], [], [1, 5, 10], 100)
    on, off = document["configurations"]
    assert (on["name"], on["calibrated"], off["name"], off["calibrated"]) == ("calibration=on", True, "calibration=off", False)
    assert on["differences"] == {}
    assert set(off["differences"]) == {*MEASURES, *MOMENTS, *REFUSALS}
    assert {*MEASURES, "good refused"} <= set(on["pairs"]["text → image"]["means"]) <= {*MEASURES, *REFUSALS}
    assert {*MEASURES, *MOMENTS, "good refused"} <= set(on["pairs"]["text → video"]["means"])
    assert on["overall"]["absent"] == sum(not query["relevant"] for query in ASKED)


def test_means_are_those_of_the_results(document: Any) -> None:
    for configuration in document["configurations"]:
        results = configuration["results"]
        assert len(results) == configuration["overall"]["queries"] == sum(pair["queries"] for pair in configuration["pairs"].values())
        for measure in ("success@1", "recall@5", "mAP", "iou>=0.5", *REFUSALS):
            values = [result["values"][measure] for result in results if measure in result["values"]]
            assert configuration["overall"]["means"][measure] == pytest.approx(sum(values) / len(values), abs=1e-3)
        for result in results:
            if not result["right"]:
                assert set(result["values"]) == {"absent refused"}
                continue
            rank = result["rank"]
            assert result["values"]["success@5"] == float(rank is not None and rank <= 5)
            assert rank is None or rank > 10 or result["found"][rank - 1]["right"]


def test_the_starter_answers_the_demo_s_queries(document: Any) -> None:
    for configuration in document["configurations"]:
        assert configuration["overall"]["means"]["success@5"] >= 0.9
        assert configuration["overall"]["median_rank"] == 1


def test_the_table_fits_a_screen_and_names_what_it_shows(demo_library: DemoLibrary) -> None:
    said = demo_library.command("eval", QUERIES, env={"COLUMNS": "100"})
    lines = said.text.splitlines()
    assert lines[0] == f"queries.json   {len(ASKED)} of {len(ASKED)} queries judged"
    wanted = "asked with → for n S@1 S@5 S@10 R@10 mAP nDCG@10 rank IoU≥½ IoU refused absent"
    assert lines[1].split() == wanted.split()
    assert re.match(rf"all +{sum(bool(query['relevant']) for query in ASKED)}\+\d+ +0\.\d{{3}} ", lines[2])
    good, absent = (
        Counter(f"{query['kind']} → {query['target']}" for query in ASKED if bool(query["relevant"]) is right) for right in (True, False)
    )
    told = {pair: f"{good[pair]}+{absent[pair]}" if absent[pair] else f"{good[pair]}" for pair in good | absent}
    assert {line[:16].strip(): line[16:].split()[0] for line in lines[3 : 3 + len(told)]} == told
    assert any(line.startswith("as it is: a search takes p50 ") for line in lines)
    assert len(lines) <= 30
    assert max(map(len, lines)) <= 100
    assert said.complaint == ""


def test_a_comparison_shows_differences(demo_library: DemoLibrary) -> None:
    text = demo_library.command("eval", QUERIES, "--compare", "calibration=off,on", "--only", "image", "--k", "1,3").text
    assert "difference to calibration=off and its 95 % interval" in text
    assert re.search(r"^S@3 +(\* )?[+-]\d\.\d{3} \[[+-]\d\.\d{3}, [+-]\d\.\d{3}\]$", text, re.MULTILINE)
    assert "too few queries" in demo_library.command("eval", QUERIES, "--compare", "calibration=off,on", "--limit-queries", 3).text


def test_queries_can_be_chosen(demo_library: DemoLibrary) -> None:
    every = demo_library.command("eval", QUERIES, "--json", "--only", "text:video", "--only", "video").json["configurations"][0]
    wanted = [query for query in ASKED if query["kind"] == "video" or (query["kind"], query["target"]) == ("text", "video")]
    assert [result["id"] for result in every["results"]] == [query["id"] for query in wanted]
    few = demo_library.command("eval", QUERIES, "--json", "--limit-queries", 4).json["configurations"][0]["results"]
    assert [result["id"] for result in few] == [ASKED[place * len(ASKED) // 4]["id"] for place in range(4)]
    refused = demo_library.command("eval", QUERIES, "--only", "smell", code=2)
    assert "no query is asked with smell: there are text:image, text:audio, " in refused.complaint


def test_report_and_run_are_written(demo_library: DemoLibrary, tmp_path: Path) -> None:
    import ir_measures  # the wheel is tested without it

    report, run = tmp_path / "report.html", tmp_path / "search.run"
    said = demo_library.command(
        "eval", QUERIES, "--html", report, "--run", run, "--json", "--only", "text:audio", "--compare", "calibration=on,off"
    )  # fmt: skip
    page = report.read_text("utf-8")
    assert page.startswith("<!doctype html>")
    assert page.count("<svg") == 3
    assert all(result["id"] in page for result in said.json["configurations"][0]["results"])
    assert {path.name for path in tmp_path.iterdir()} == {"report.html", "search.run", "search.2.run", "search.qrels", "search.2.qrels"}
    for configuration, name in zip(said.json["configurations"], ("search", "search.2"), strict=True):
        qrels = ir_measures.read_trec_qrels(str(tmp_path / f"{name}.qrels"))
        scored = ir_measures.read_trec_run(str(tmp_path / f"{name}.run"))
        assert ir_measures.calc_aggregate([ir_measures.AP], qrels, scored)[ir_measures.AP] == pytest.approx(
            configuration["overall"]["means"]["mAP"], abs=1e-4
        )


def test_absent_and_missing_and_unaskable_queries_are_told_apart(demo_library: DemoLibrary, tmp_path: Path) -> None:
    queries = [
        {"id": "there", "kind": "text", "query": "a dog", "target": "image", "relevant": [{"path": "photos/IMG_2041.jpg"}]},
        {"id": "gone", "kind": "text", "query": "a cat", "relevant": [{"path": "photos/gone.jpg"}]},
        {"id": "absent", "kind": "text", "query": "a submarine", "relevant": []},
        {"id": "odd", "kind": "image", "query": "sounds/REC001.wav", "relevant": [{"path": "photos/IMG_2041.jpg"}]},
    ]
    file = tmp_path / "mine.json"
    file.write_text(json.dumps({"version": 1, "queries": queries}))
    said = demo_library.command("eval", file, "--json", "--min-relevance", 0, code=3)
    results = {result["id"]: result for result in said.json["configurations"][0]["results"]}
    assert set(results) == {"there", "absent", "odd"}
    assert said.json["unjudged"] == ["gone"]
    assert said.json["missing"] == [{"query": "gone", "path": "photos/gone.jpg"}]
    assert said.json["min_relevance"] == 0
    assert results["absent"]["values"] == {"absent refused": 0}
    assert results["there"]["values"]["good refused"] == 0
    assert "REC001.wav is a sound, not a picture" in results["odd"]["problem"]
    told = demo_library.command("eval", file, code=3).complaint
    assert "not in the library, though right: photos/gone.jpg; 1 queries have no other right answer and were left out" in told
    assert "query 'odd' could not be asked (as it is): " in told


def test_captions_are_read_as_coco_has_them(demo_library: DemoLibrary, tmp_path: Path) -> None:
    captions = {
        "images": [{"id": 1, "file_name": "IMG_2041.jpg"}, {"id": 2, "file_name": "IMG_2057.jpg"}],
        "annotations": [{"id": 5, "image_id": 1, "caption": "a dog"}, {"id": 6, "image_id": 2, "caption": "a cat"}],
    }
    file = tmp_path / "captions.json"
    file.write_text(json.dumps(captions))
    refused = demo_library.command("eval", file, code=2).complaint
    assert "none of the 2 queries can be judged" in refused
    results = demo_library.command("eval", file, "--json", "--root", demo_library.media / "photos").json["configurations"][0]["results"]
    assert [(result["id"], result["target"], result["values"]["success@5"]) for result in results] == [
        ("caption-5", "image", 1),
        ("caption-6", "image", 1),
    ]


@pytest.mark.parametrize(
    ("words", "code", "reason"),
    [
        (["none.json"], 2, "there is no such file"),
        ([""], 2, "a path is empty"),
        ([QUERIES, "--compare", "fusion=mean"], 2, "two or more different values"),
        ([QUERIES, "--k", "one"], 2, "are no numbers"),
        ([QUERIES, "--k", "5,1"], 2, "the smallest first"),
        ([QUERIES, "--html", "nowhere/report.html"], 2, "there is no folder nowhere to write to"),
        ([QUERIES, "--library", "elsewhere"], 4, "there is no library at"),
    ],
)
def test_what_cannot_be_done_is_refused_in_a_line(words: list[Any], code: int, reason: str, demo_library: DemoLibrary) -> None:
    said = demo_library.command("eval", *words, code=code)
    assert said.out == b""
    assert reason in re.sub(r"[\s│]+", " ", said.complaint)


def test_without_the_extra_the_remedy_is_named(command: CommandLine, tmp_path: Path, demo: Path) -> None:
    """As where the package is not installed: it cannot be found."""
    command("index", demo / "photos" / "IMG_2041.jpg", "-l", tmp_path / "library")
    hidden = tmp_path / "hidden"
    hidden.mkdir()
    (hidden / "sitecustomize.py").write_text(
        "import importlib.util as util\n"
        "found = util.find_spec\n"
        "util.find_spec = lambda name, *rest: None if name == 'ir_measures' else found(name, *rest)\n"
    )
    said = command("eval", QUERIES, "-l", tmp_path / "library", code=2, env={"PYTHONPATH": str(hidden)})
    assert "ir-measures is not installed: run  pip install 'anyseek[eval]'" in said.complaint
