"""The report is one page that stands by itself, in which nothing is markup that was not meant to be; runs can be read by other tools."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import ir_measures
import pytest
from ir_measures import AP, R
from judging import found, question, result, truth

from anyseek.errors import BadInput, MissingExtra
from anyseek.evaluation import plots
from anyseek.evaluation.columns import columns, difference_rows, group_rows, told_difference
from anyseek.evaluation.configurations import Configuration
from anyseek.evaluation.course import Evaluated, Evaluation, Settings
from anyseek.evaluation.intervals import Interval
from anyseek.evaluation.ranking import ranking_values
from anyseek.evaluation.report import misses_first, report_page, write_report
from anyseek.evaluation.results import Result, document_id
from anyseek.evaluation.summary import summarise
from anyseek.evaluation.trec import write_trec

EVIL = "<script>alert('x')</script>&amp;"
PHOTO, FILM = truth("in here/<b>a.jpg"), truth("in here/a b@c.mp4", (0, 1500))


def results() -> list[Result]:
    made = [
        result(question(PHOTO, name="well", target="image"), [found("in here/<b>a.jpg", right=PHOTO)], took_ms=3.0, refused=False),
        result(question(FILM, name=EVIL, text=EVIL), [found("x.jpg", relevance=0.2), found("in here/a b@c.mp4", (0, 1000), right=FILM)]),
        result(question(PHOTO, name="never"), [found("x.jpg")], refused=False),
        result(question(name="absent"), [found("x.jpg", relevance=0.1)], refused=True, values={"absent refused": 1.0}),
        result(question(PHOTO, name="odd"), problem=EVIL),
    ]
    judgements = {
        each.question.judged.id: {document_id(one.path): 1 for one in each.question.truths} for each in made if each.question.is_good
    }
    values = ranking_values(judgements, {each.question.judged.id: each.ranking for each in made}, (1, 5))
    return [replace(each, values={**each.values, **values.get(each.question.judged.id, {})}) for each in made]


@pytest.fixture
def evaluation() -> Evaluation:
    made = results()
    interval = Interval(0.25, 0.125, 0.5, 9)
    first = Evaluated(Configuration("one"), tuple(made), summarise(made), {})
    other = Evaluated(Configuration(EVIL), tuple(made), summarise(made), {"mAP": interval, "absent refused": replace(interval, low=-1.0)})
    return Evaluation(Path("queries.json"), Path("library"), 6, ("left out",), (), Settings((1, 5), 20), (first, other), (EVIL,))


class Page(HTMLParser):
    """Counts elements and keeps what they point to."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.texts: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name in ("href", "src", "xlink:href", "action", "data")]

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def test_the_page_needs_nothing_else_and_runs_nothing(evaluation: Evaluation) -> None:
    text = report_page(evaluation)
    page = Page(text)
    assert not {"script", "link", "img", "iframe", "object", "b"} & set(page.tags)
    assert all(link.startswith("#") for link in page.links)
    assert set(re.findall(r"https?://[^\"'\s<]+", text)) <= {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}
    assert re.findall(r"url\((?!#)", text) == []
    assert "default-src 'none'; style-src 'unsafe-inline'" in text
    assert page.tags.count("svg") == 3
    assert "prefers-color-scheme: dark" in text


def test_names_and_queries_are_text(evaluation: Evaluation) -> None:
    text = report_page(evaluation)
    assert EVIL not in text
    assert Page(text).texts.count(EVIL) >= 2 + 2 + 1  # queries and problems of two ways, and the note
    assert "in here/<b>a.jpg" in Page(text).texts
    assert "in here/a b@c.mp4 @ 0–1.5 s" in Page(text).texts


def test_misses_come_first() -> None:
    assert [each.question.judged.id for each in misses_first(results())] == ["odd", "never", EVIL, "well", "absent"]


def test_plots_are_svg_in_the_colour_of_the_page_and_their_ids_are_their_own(evaluation: Evaluation) -> None:
    first, second = plots.plot_success(evaluation.evaluated, 20), plots.plot_relevance(evaluation.evaluated[0].results, "one")
    referred = []
    for svg in (first, second):
        assert ElementTree.fromstring(svg).tag == "{http://www.w3.org/2000/svg}svg"
        assert "currentColor" in svg
        assert plots.INK not in svg
        referred.append(set(re.findall(r"#(\w{5,})[\")]", svg)))
    assert all(referred)
    assert not referred[0] & referred[1]
    assert first == plots.plot_success(evaluation.evaluated, 20)


def test_the_plot_says_how_many_first_hits_were_right() -> None:
    svg = plots.plot_relevance(results(), "one")
    assert re.findall(r">([^<>]+ \(\d+\))<", svg) == ["right (1)", "wrong (2)", "nothing is right (1)"]


def test_columns_that_apply_to_no_query_are_left_out(evaluation: Evaluation) -> None:
    shown = columns(evaluation)
    assert [column.header for column in shown] == ["n", "S@1", "S@5", "R@5", "mAP", "nDCG@5", "rank", "absent"]
    rows = dict(group_rows(evaluation.evaluated))
    assert list(rows) == ["all", "text → any", "text → image"]
    assert [column.cell(rows["all"][0][1]) for column in shown] == ["4+1", "0.250", "0.500", "0.500", "0.375", "0.408", "–", "1.000"]
    assert [column.cell(rows["text → image"][0][1]) for column in shown][-2:] == ["1", ""]


def test_differences_are_told_with_their_intervals(evaluation: Evaluation) -> None:
    rows = difference_rows(evaluation.evaluated, columns(evaluation))
    assert [(column.header, [told_difference(one) for one in intervals]) for column, intervals in rows] == [
        ("mAP", ["* +0.250 [+0.125, +0.500]"]),
        ("absent", ["+0.250 [-1.000, +0.500]"]),
    ]
    assert difference_rows(evaluation.evaluated[:1], columns(evaluation)) == []


def test_a_report_that_cannot_be_written_says_so(evaluation: Evaluation, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="the report cannot be written there"):
        write_report(evaluation, tmp_path)
    odd = replace(evaluation, queries=Path("queries\udcff.json"))
    write_report(odd, tmp_path / "report.html")
    assert "queries\\udcff.json" in (tmp_path / "report.html").read_text("utf-8")


def test_without_what_draws_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plots, "find_spec", lambda name: None if name == "jinja2" else object())
    with pytest.raises(MissingExtra, match=r"jinja2 is not installed: run  pip install 'anyseek\[eval\]'"):
        plots.check_plots_installed()


def test_other_tools_read_the_run_and_come_to_the_same(tmp_path: Path) -> None:
    made = results()
    beside = write_trec(made, tmp_path / "search.run", "fusion=mean two words")
    assert beside == tmp_path / "search.qrels"
    qrels, run = list(ir_measures.read_trec_qrels(str(beside))), list(ir_measures.read_trec_run(str(tmp_path / "search.run")))
    assert len(qrels) == 4
    assert len(run) == sum(len(each.ranking) for each in made)
    means = summarise(made).overall.means
    assert ir_measures.calc_aggregate([AP, R @ 5], qrels, run) == pytest.approx({AP: means["mAP"], R @ 5: means["recall@5"]})
    lines = (tmp_path / "search.run").read_text("ascii").splitlines()
    assert all(len(line.split(" ")) == 6 for line in lines)
    assert lines[0] == "well Q0 in%20here/%3Cb%3Ea.jpg 1 1 fusion=mean%20two%20words"
    assert "in%20here/a%20b%40c.mp4 2 1" in lines[2]


def test_a_run_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="the run cannot be written there"):
        write_trec(results(), tmp_path / "none" / "search.run", "x")
    with pytest.raises(BadInput, match=r"\.qrels"):
        write_trec(results(), tmp_path / "search.qrels", "x")
