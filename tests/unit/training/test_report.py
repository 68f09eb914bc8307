"""The report of a training stands by itself, its document has the fields that are promised, its tables say what is true."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from pathlib import Path

import pytest

from anyseek.errors import BadInput, MissingExtra
from anyseek.evaluation import plots as evaluation_plots
from anyseek.training.document import as_document, metrics_of
from anyseek.training.drift import Drift
from anyseek.training.figures import compare, compared_by_class, compared_by_pair, compared_by_source
from anyseek.training.gate import decide
from anyseek.training.judge import HeldOut, Judged
from anyseek.training.outcome import DataSummary, Epoch, Judgement, TrainReport
from anyseek.training.plots import plot_before_and_after, plot_classes, plot_loss, plot_recall
from anyseek.training.report import report_page, write_report
from anyseek.training.rows import change_rows, class_rows, data_rows, figure_rows
from anyseek.types import Modality

EVIL = "<script>alert('x')</script>&amp;"
WORDS = ("blick", "dax", EVIL, "fep", "toma", "wug", "zorp")


def judged(word: str, *places: float, found: Modality = Modality.IMAGE, sources: tuple[str, ...] = ("file",)) -> Judged:
    right: dict[int, tuple[tuple[int, int], ...]] = dict.fromkeys(range(len(places)), ())
    return Judged(HeldOut(word, "text", found, right, sources=sources), tuple(sorted(places)))


@pytest.fixture
def judgement() -> Judgement:
    before = [judged(word, 20.0, 30.0) for word in WORDS] + [judged("dax", 12.0, found=Modality.AUDIO, sources=("keywords",))]
    after = [judged(word, 1.0, 12.0) for word in WORDS] + [judged("dax", 12.0, found=Modality.AUDIO, sources=("keywords",))]
    parts = (compared_by_class(before, after), compared_by_source(before, after), compared_by_pair(before, after))
    general = compare("unrelated queries", before[:1], before[:1])
    return Judgement(compare("all", before, after), *parts, general, Drift(1000, 0.98, 0.991, 0.004), 1234)


@pytest.fixture
def report(judgement: Judgement) -> TrainReport:
    data = DataSummary(
        pairs=70,
        negatives=2,
        sources={"file": 60, "keywords": 10},
        classes=dict.fromkeys(WORDS, 10),
        queries=7,
        targets=70,
        groups=66,
        parts={"train": 48, "validation": 8, "test": 14},
        left_out={"name files that the library does not hold": 3},
    )
    epochs = tuple(Epoch(number, 2 / number, 1 - 1 / number) for number in range(1, 21))
    verdict = decide(judgement.overall, judgement.general, judgement.drift)
    return TrainReport(
        Path("library"), "residual", "residual", "query", "infonce", "starter", None, {"seed": 0, "balancing": {"caps": True}}, data,
        epochs, 20, judgement, verdict, True, "older", Path("library/adapters/residual.safetensors"), seconds=3.25,
        peak_mb=300.4, notes=(EVIL,),
    )  # fmt: skip


def test_the_page_needs_nothing_else_and_nothing_in_it_is_markup(report: TrainReport) -> None:
    page = report_page(report)
    assert EVIL not in page
    assert page.count("&lt;script&gt;") == 3  # class, summary of the data, and note
    assert set(re.findall(r"https?://[^\"'\s<]+", page)) <= {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}
    assert "default-src 'none'; style-src 'unsafe-inline'" in page
    assert page.count("<svg") == 4
    assert "It is on." in page
    assert "It was interrupted" in report_page(replace(report, judgement=None, verdict=None, interrupted=True))
    dry = report_page(replace(report, judgement=None, verdict=None, epochs=(), dry_run=True))
    assert "<svg" not in dry
    assert "Nothing was trained" in dry


def test_plots_say_what_they_are_given(report: TrainReport, judgement: Judgement) -> None:
    made = [plot_loss(report.epochs), plot_recall(report.epochs, 19), plot_before_and_after(judgement.overall)]
    made.append(plot_classes(judgement.classes, "recall@10"))
    referred = []
    for svg in made:
        assert ElementTree.fromstring(svg).tag == "{http://www.w3.org/2000/svg}svg"
        referred.append(set(re.findall(r"#(\w{5,})[\")]", svg)))
    assert not referred[0] & referred[1]
    assert ">before<" in made[2]
    assert ">validation recall@10<" in made[1]


def test_the_document_is_json_with_the_promised_fields(report: TrainReport, judgement: Judgement) -> None:
    document = json.loads(json.dumps(as_document(report)))
    assert set(document) == {
        "library", "name", "method", "side", "loss", "space", "target", "settings", "data", "epochs", "best_epoch", "judgement", "verdict",
        "switched_on", "replaced", "path", "dry_run", "interrupted", "resumed", "seconds", "peak_mb", "notes",
    }  # fmt: skip
    assert set(document["judgement"]) == {
        "overall", "pairs", "sources", "classes", "worst_class", "worst_decile", "general", "drift", "segments",
    }  # fmt: skip
    assert document["judgement"]["overall"]["after"]["recall@10"] == round((7 * 0.5) / 8, 4)
    assert document["judgement"]["worst_class"] == {"name": "dax", "before": 0.0, "after": 0.25}
    assert document["judgement"]["worst_decile"] == {"before": 0.0, "after": 0.25}
    assert document["judgement"]["drift"] == {"captions": 1000, "first_kept": 0.98, "overlap": 0.991, "lost": 0.004}
    assert document["epochs"][1] == {"epoch": 2, "loss": 1.0, "recall": 0.5}
    assert document["verdict"]["passed"] is True
    assert document["verdict"]["interval"]["significant"] is True
    assert document["data"]["left_out"] == {"name files that the library does not hold": 3}
    empty = as_document(replace(report, judgement=None, verdict=None, path=None))
    assert (empty["judgement"], empty["verdict"], empty["path"]) == (None, None, None)
    assert report.verdict is not None
    assert metrics_of(judgement, report.verdict)["held_out"] == {"metric": "recall@10", "before": 0.0, "after": 0.4375}


def test_tables_show_all_then_groups_then_the_worst(judgement: Judgement) -> None:
    rows = figure_rows(judgement)
    assert [(row.name, row.queries) for row in rows] == [
        ("all", "8 / 15"),
        ("text → audio", "1 / 1"),
        ("text → image", "7 / 14"),
        ("file", "7 / 14"),
        ("keywords", "1 / 1"),
        ("worst tenth of the classes", "1"),
        ("unrelated queries", "1 / 2"),
    ]
    assert rows[0].cells[3] == (0, 0.4375)
    assert [row.name for row in class_rows(judgement, 2)] == ["dax", EVIL]
    header, interval, told = change_rows(judgement.overall)[3]
    assert (header, interval.is_significant, told[:14]) == ("R@10", True, "* +0.438 [+0.3")
    assert change_rows(judgement.classes[0]) == []


def test_what_was_learnt_from_is_told_in_words(report: TrainReport) -> None:
    told = dict(data_rows(report.data))
    assert told["pairs"] == "70, 2 of them say what is not right"
    assert told["from"] == "file 60, keywords 10"
    assert told["classes"] == f"7: from blick 10, dax 10, {EVIL} 10 … to toma 10, wug 10, zorp 10"
    assert told["parts"] == "train 48, validation 8, test 14"
    assert told["left out"] == "3 name files that the library does not hold"


def test_a_report_that_cannot_be_written_says_so(report: TrainReport, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_report(report, tmp_path / "report.html")
    assert (tmp_path / "report.html").read_text("utf-8").startswith("<!doctype html>")
    with pytest.raises(BadInput, match="the report cannot be written there"):
        write_report(report, tmp_path / "nowhere" / "report.html")
    monkeypatch.setattr(evaluation_plots, "find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match=re.escape("pip install 'anyseek[train]'")):
        report_page(report)
