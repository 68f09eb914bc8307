"""What is asked, what is judged, and how ways to search are compared, on a library whose answers a person can foretell."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from fakes import ColourEncoder
from judging import KIND_OF, question, truth
from samples import write_picture, write_tone

from anyseek import Library
from anyseek.asking import Asked
from anyseek.errors import BadInput, BadQuery
from anyseek.evaluation.configurations import Configuration, configurations
from anyseek.evaluation.course import Settings, ask_all, evaluate
from anyseek.evaluation.document import as_document
from anyseek.evaluation.fairness import kind_shares
from anyseek.evaluation.formats import read_queries
from anyseek.evaluation.judged import JudgedQueries
from anyseek.evaluation.questions import questions_of
from anyseek.evaluation.results import document_id
from anyseek.search.hits import Answer, Hit
from anyseek.search.moments import Moment
from anyseek.storage.catalog import ContentInfo
from anyseek.types import Capture, Kind

PLAIN = Configuration("plain", calibrated=False)
SETTINGS = Settings(cutoffs=(1, 2), depth=10)


@pytest.fixture
def media(tmp_path: Path) -> Path:
    folder = tmp_path / "media"
    for colour in ("red", "green", "blue"):
        write_picture(folder / f"{colour}.png", colour)
    write_tone(folder / "low.wav", 200)
    shutil.copy(folder / "blue.png", folder / "copy of blue.png")
    return folder


@pytest.fixture
def library(media: Path) -> Iterator[Library]:
    with Library.open(media.parent / "library", encoder=ColourEncoder(), calibrated=False) as opened:
        opened.index(media)
        yield opened


def judged(folder: Path, *queries: dict[str, Any]) -> JudgedQueries:
    """A file of queries; what they do not say is ``text``, ``any`` and numbered."""
    path = folder / "queries.json"
    full = [{"id": f"q{number}", "kind": "text", **query} for number, query in enumerate(queries, 1)]
    path.write_text(json.dumps({"version": 1, "queries": full}), encoding="utf-8")
    return read_queries(path)


def right(*paths: str) -> list[dict[str, str]]:
    return [{"path": path} for path in paths]


def test_rankings_are_what_the_library_finds(library: Library, tmp_path: Path) -> None:
    """Yellow is red and green, so that both come before blue."""
    queries = judged(
        tmp_path,
        {"query": "red", "target": "image", "relevant": right("red.png")},
        {"query": "yellow", "target": "image", "relevant": right("blue.png")},
        {"query": "low", "target": "audio", "relevant": right("low.wav")},
    )
    (evaluated,) = evaluate(library, queries, [PLAIN], SETTINGS).evaluated
    assert [result.rank for result in evaluated.results] == [1, 3, 1]
    assert evaluated.results[1].values["mAP"] == pytest.approx(1 / 3)
    assert evaluated.summary.overall.means["success@1"] == pytest.approx(2 / 3)
    assert [result.found[0].path.name for result in evaluated.results[::2]] == ["red.png", "low.wav"]
    assert all(result.took_ms is not None and result.took_ms > 0 for result in evaluated.results)


def test_copies_are_one_answer_and_either_may_be_named(library: Library, tmp_path: Path) -> None:
    queries = judged(
        tmp_path,
        {"query": "blue", "relevant": right("copy of blue.png")},
        {"query": "blue", "relevant": right("blue.png", "copy of blue.png", "green.png")},
    )
    one, two = evaluate(library, queries, [PLAIN], SETTINGS).evaluated[0].results
    assert one.values["recall@1"] == 1
    assert len([hit for hit in one.found if "blue" in hit.path.name]) == 1
    assert len(two.question.truths) == 2
    assert two.values["recall@1"] == 0.5


def test_what_is_asked_with_is_no_answer_unless_it_is_judged_to_be_one(library: Library, tmp_path: Path) -> None:
    queries = judged(
        tmp_path,
        {"kind": "image", "query": "red.png", "target": "image", "relevant": right("green.png", "blue.png")},
        {"kind": "image", "query": "red.png", "target": "image", "relevant": right("red.png")},
        {"query": "red", "like": "red.png", "target": "image", "relevant": []},
    )
    out, in_, like = evaluate(library, queries, [PLAIN], SETTINGS).evaluated[0].results
    assert "red.png" not in {hit.path.name for hit in (*out.found, *like.found)}
    assert out.values["recall@2"] == 1
    assert in_.rank == 1


def test_missing_answers_are_told_and_queries_without_others_left_out(library: Library, tmp_path: Path) -> None:
    queries = judged(
        tmp_path,
        {"query": "red", "relevant": right("red.png", "gone.png", "x" * 5000)},
        {"query": "green", "relevant": right("gone.png")},
        {"query": "blue", "relevant": []},
    )
    evaluation = evaluate(library, queries, [PLAIN], SETTINGS)
    assert [(missing.query, missing.path[:8]) for missing in evaluation.missing] == [
        ("q1", "gone.png"),
        ("q1", "xxxxxxxx"),
        ("q2", "gone.png"),
    ]
    assert evaluation.unjudged == ("q2",)
    assert [result.question.judged.id for result in evaluation.evaluated[0].results] == ["q1", "q3"]
    assert evaluation.asked == 3
    with pytest.raises(BadInput, match=r"none of the 1 queries can be judged.*'gone.png'.*--root"):
        evaluate(library, judged(tmp_path, {"query": "green", "relevant": right("gone.png")}), [PLAIN], SETTINGS)


def test_a_file_that_could_not_be_indexed_is_missing(library: Library, media: Path, tmp_path: Path) -> None:
    (media / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"broken" * 9)
    assert library.index().failed == 1
    _, missing = questions_of(library.catalog, judged(tmp_path, {"query": "red", "relevant": right("broken.png")}))
    assert [each.path for each in missing] == ["broken.png"]


def test_paths_are_relative_to_the_file_to_further_folders_or_to_the_library_s(library: Library, media: Path, tmp_path: Path) -> None:
    deep = tmp_path / "deep"
    deep.mkdir()
    for path, roots in (("red.png", []), (str(media / "red.png"), []), ("../media/red.png", []), ("media/red.png", [tmp_path])):
        queries = judged(deep, {"kind": "image", "query": path, "relevant": right(path)})
        ((asked,), missing) = questions_of(library.catalog, queries, roots)
        assert missing == []
        assert asked.truths[0].path == media / "red.png"
        assert Path(asked.asked.image[0]).samefile(media / "red.png")


def test_a_path_that_may_be_two_files_is_refused(library: Library, tmp_path: Path) -> None:
    write_picture(tmp_path / "other" / "red.png", "black")
    library.index(tmp_path / "other")
    with pytest.raises(BadInput, match=r"query 'q1': 'red.png' may be .*media/red.png or .*other/red.png: write the whole path"):
        questions_of(library.catalog, judged(tmp_path, {"query": "red", "relevant": right("red.png")}))
    queries = judged(tmp_path / "other", {"query": "red", "relevant": right("red.png")})
    assert questions_of(library.catalog, queries)[0][0].truths[0].path == tmp_path / "other" / "red.png"


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ({"kind": "image", "query": "none.png"}, "there is no file 'none.png' to ask with"),
        ({"query": "red", "where": "rating >"}, "the filter is wrong"),
        ({"query": "red", "weights": {"image": 2}}, "there is no part called 'image'"),
        ({"query": "red", "like": "red.png@0:09-0:03"}, "ends before it begins"),
    ],
)
def test_what_cannot_be_asked_is_refused_before_the_long_work(query: dict[str, Any], reason: str, library: Library, tmp_path: Path) -> None:
    with pytest.raises(BadInput) as caught:
        questions_of(library.catalog, judged(tmp_path, {**query, "relevant": []}))
    assert str(caught.value).startswith("query 'q1': ")
    assert reason in str(caught.value)


def test_a_query_that_turns_out_not_to_be_askable_does_not_lose_the_others(library: Library, media: Path, tmp_path: Path) -> None:
    queries = judged(
        tmp_path,
        {"kind": "image", "query": str(media / "low.wav"), "relevant": right("red.png")},
        {"query": "red", "relevant": right("red.png")},
    )
    evaluation = evaluate(library, queries, [PLAIN], SETTINGS)
    wrong, well = evaluation.evaluated[0].results
    assert evaluation.has_problems
    assert wrong.problem is not None
    assert "low.wav" in wrong.problem
    assert (wrong.values["success@1"], wrong.refused, wrong.took_ms) == (0, None, None)
    assert well.rank == 1
    assert evaluation.evaluated[0].summary.overall.means["success@1"] == 0.5


def test_composed_queries_are_asked_whole(library: Library, tmp_path: Path) -> None:
    """Yellow without red is green; among files that are called so, only those."""
    queries = judged(
        tmp_path,
        {"query": "yellow", "negative": "red", "weights": {"negative": 0.9}, "target": "image", "relevant": right("green.png")},
        {"query": "red", "where": "path:gr*", "relevant": right("red.png")},
    )
    pushed, filtered = evaluate(library, queries, [PLAIN], SETTINGS).evaluated[0].results
    assert pushed.rank == 1
    assert pushed.question.judged.kind == "text+not"
    assert {hit.path.name for hit in filtered.found} <= {"green.png"}
    assert filtered.rank is None


def test_ways_to_search_are_compared_query_by_query(library: Library, media: Path, tmp_path: Path) -> None:
    """Red and green: white has 0.82 with the mean of both, red and green 0.71; with the better of them white has 0.58, and they have 1."""
    write_picture(media / "white.png", "white")
    library.index()
    asked = {"query": ["red", "green"], "target": "image", "relevant": right("white.png")}
    compared = configurations(["fusion=mean,max"], library)
    assert [each.name for each in compared] == ["fusion=mean", "fusion=max"]
    told: list[tuple[str, int, int]] = []
    evaluation = evaluate(library, judged(tmp_path, *[asked] * 7), compared, SETTINGS, on_question=lambda *step: told.append(step))
    assert [{result.rank for result in each.results} for each in evaluation.evaluated] == [{1}, {3}]
    assert evaluation.evaluated[0].differences == {}
    difference = evaluation.evaluated[1].differences["success@1"]
    assert (difference.difference, difference.low, difference.high, difference.queries) == (-1.0, -1.0, -1.0, 7)
    assert told[6:8] == [("fusion=mean", 7, 7), ("fusion=max", 1, 7)]
    assert len(told) == 14
    assert evaluation.notes == ()


def test_ways_that_were_not_trained_are_refused_before_anything_is_asked(library: Library, tmp_path: Path) -> None:
    queries = judged(tmp_path, {"query": ["red", "green"], "target": "image", "relevant": right("red.png")})
    told: list[object] = []
    for way in ("weighted", "network"):
        compared = configurations([f"fusion=mean,{way}"], library)
        with pytest.raises(BadInput, match=f"nothing that is switched on joins parts by {way} in colour: train it"):
            evaluate(library, queries, compared, SETTINGS, on_question=lambda *step: told.append(step))
    assert told == []


def test_where_nothing_can_differ_a_note_says_so(library: Library, tmp_path: Path) -> None:
    queries = judged(tmp_path, {"query": "red", "relevant": right("red.png")})
    (note,) = evaluate(library, queries, configurations(["fusion=mean,max"], library), SETTINGS).notes
    assert "no query has several parts" in note


def test_models_that_the_library_keeps_can_be_compared(library: Library, media: Path, tmp_path: Path) -> None:
    blind = ColourEncoder("blind", modalities=frozenset({"text", "audio"}))  # type: ignore[arg-type]
    library.index(model=[blind])
    write_tone(media / "high.wav", 3000)
    queries = judged(tmp_path, {"query": "red", "target": "image", "relevant": right("red.png")})
    compared = configurations(["model=colour,blind,colour+blind"], library)
    assert [each.models for each in compared] == [("colour",), ("blind",), ("colour", "blind")]
    evaluation = evaluate(library, queries, compared, SETTINGS)
    assert [each.results[0].rank for each in evaluation.evaluated] == [1, None, 1]
    library.index()
    assert any("colour lacks the vectors of 1 files" in note for note in evaluate(library, queries, compared[:1], SETTINGS).notes)


def test_with_calibration_and_without_hits_have_other_relevances(library: Library, tmp_path: Path) -> None:
    """Without, the relevance is the cosine, from -1 to 1, laid out from 0 to 1: yellow has √½ with red."""
    queries = judged(tmp_path, {"query": "yellow", "target": "image", "relevant": right("red.png")})
    off, on = evaluate(library, queries, configurations(["calibration=off,on"], library), SETTINGS).evaluated
    relevance = (1 + 0.5**0.5) / 2
    assert off.results[0].found[0].relevance == pytest.approx(relevance, abs=1e-3)
    assert on.results[0].found[0].relevance != pytest.approx(relevance, abs=1e-3)


def test_stretches_of_a_file_are_one_answer_of_the_highest_grade(library: Library, tmp_path: Path) -> None:
    stretches = [(0, 500, 1), (500, 900, 3), (1000, 2000, 2)]
    relevant = [{"path": "low.wav", "start_ms": start, "end_ms": end, "grade": grade} for start, end, grade in stretches]
    ((asked,), _) = questions_of(library.catalog, judged(tmp_path, {"query": "low", "relevant": relevant}))
    (known,) = asked.truths
    assert (known.grade, known.kind) == (3, Kind.AUDIO)
    assert [(each.start_ms, each.end_ms) for each in known.stretches] == [(0, 500), (500, 900), (1000, 2000)]


def test_every_combination_is_compared(library: Library) -> None:
    compared = configurations(["calibration=on,off", "fusion=mean,rrf", "bridge=labels,ridge"], library)
    assert len(compared) == 8
    assert (compared[-1].name, compared[-1].calibrated, compared[-1].fusion, compared[-1].bridge) == (
        "calibration=off fusion=rrf bridge=ridge",
        False,
        "rrf",
        "ridge",
    )
    assert configurations([], library) == [Configuration(calibrated=False)]


@pytest.mark.parametrize(
    ("compared", "reason"),
    [
        ("colour=red,blue", "compares nothing known"),
        ("fusion", "compares nothing"),
        ("fusion=mean", "two or more different values"),
        ("fusion=mean,mean", "two or more different values"),
        ("fusion=mean,sum", "no fusion is called 'sum'"),
        ("calibration=on,maybe", "calibration is on or off, not 'maybe'"),
        ("bridge=ridge,rope", "no bridge is called 'rope'"),
        ("model=colour,clip:none", "clip:none"),
    ],
)
def test_what_cannot_be_compared_is_refused(compared: str, reason: str, library: Library) -> None:
    with pytest.raises(BadInput) as caught:
        configurations([compared], library)
    assert reason in str(caught.value)
    with pytest.raises(BadInput, match="once"):
        configurations(["fusion=mean,rrf", "fusion=mean,max"], library)


def test_an_empty_library_is_refused_with_the_remedy(tmp_path: Path) -> None:
    with Library.open(tmp_path / "library", encoder=ColourEncoder()) as library, pytest.raises(BadInput, match="anyseek index FOLDER"):
        evaluate(library, judged(tmp_path, {"query": "red", "relevant": []}), [PLAIN], SETTINGS)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"cutoffs": ()}, "use numbers from 1 on"),
        ({"cutoffs": (0, 1)}, "use numbers from 1 on"),
        ({"cutoffs": (5, 1)}, "the smallest first"),
        ({"cutoffs": (1, 50), "depth": 20}, "a depth of 20 is less than the 50 hits"),
        ({"min_relevance": 1.5}, "a relevance of 1.5 there is not"),
        ({"min_relevance": float("nan")}, "a relevance of nan there is not"),
    ],
)
def test_settings_that_make_no_sense_are_refused(fields: dict[str, Any], reason: str) -> None:
    with pytest.raises(BadInput, match=reason):
        Settings(**fields)


# Refusals, with answers made by hand


def hit(name: str, *moments: tuple[int, int], relevance: float = 0.9) -> Hit:
    path = Path(name)
    info = ContentInfo(sum(name.encode()), KIND_OF[path.suffix], "test", 1, *[None] * 4, False, *[None] * 8, ())  # type: ignore[arg-type]
    made = [Moment.__new__(Moment) for _ in moments]
    for moment, (start, end) in zip(made, moments, strict=True):
        object.__setattr__(moment, "start_ms", start)
        object.__setattr__(moment, "end_ms", end)
    capture = Capture(datetime(2024, 1, 1, tzinfo=UTC), "mtime")
    return Hit(relevance, 0.0, path, KIND_OF[path.suffix], None, None, None, (), tuple(made), capture, 1, info, "colour", 0.5, 0.0)


class Cutting:
    """Answers every question with the same hits, of which those that are not relevant enough are left out."""

    def __init__(self, hits: Sequence[Hit], cut: float) -> None:
        self.hits, self.cut = hits, cut
        self.asked: list[Asked] = []

    def __call__(self, asked: Asked) -> Answer:
        self.asked.append(asked)
        least = self.cut if asked.min_relevance is None else asked.min_relevance
        return Answer(tuple(each for each in self.hits if each.relevance >= least)[: asked.limit], min_relevance=least)


def test_refusals_are_counted_with_the_library_s_cut_or_the_given_one_and_rankings_without() -> None:
    asks = Cutting([hit("b.jpg", relevance=0.4), hit("a.jpg", relevance=0.3)], cut=0.5)
    good, absent = question(truth("a.jpg"), name="good"), question(name="absent")
    well, none = ask_all(asks, [good, absent], SETTINGS)
    assert (well.rank, well.refused, well.values["good refused"]) == (2, True, 1.0)
    assert "absent refused" not in well.values
    assert none.values == {"absent refused": 1.0}
    assert [(asked.min_relevance, asked.limit) for asked in asks.asked[:2]] == [(0.0, 10), (None, 10)]
    well, none = ask_all(asks, [good, absent], replace(SETTINGS, min_relevance=0.35))
    assert (well.rank, well.values["good refused"], none.values["absent refused"]) == (2, 0.0, 0.0)


def test_a_film_is_found_where_its_best_moment_overlaps_a_right_one() -> None:
    film = truth("a.mp4", (1000, 3000))
    for moments, rank, iou in (([(2000, 4000)], 1, 1 / 3), ([(3000, 4000), (1000, 3000)], None, 0.0)):
        (result,) = ask_all(Cutting([hit("a.mp4", *moments)], 0.0), [question(film)], SETTINGS)
        assert (result.rank, result.values["success@1"], result.values["iou"]) == (rank, float(rank == 1), pytest.approx(iou))
        assert result.ranking[0].startswith(document_id(film.path))
    assert result.values["iou any"] == 1.0
    assert result.found[0].truth is None


def test_what_the_user_asks_with_leaves_room_for_as_many_answers() -> None:
    asked = replace(question(truth("a.jpg")), own=frozenset({hit("own.jpg").info.id}))
    asks = Cutting([hit("own.jpg"), hit("a.jpg")], 0.5)
    (result,) = ask_all(asks, [asked], replace(SETTINGS, cutoffs=(1,), depth=1))
    assert (result.rank, result.refused) == (1, False)
    assert [each.limit for each in asks.asked] == [2, 11]
    (result,) = ask_all(Cutting([hit("own.jpg")], 0.5), [asked], SETTINGS)
    assert result.refused


def test_of_many_right_answers_as_many_hits_count_when_kinds_are_compared() -> None:
    """Twelve photos are right. Ten of them are found, and then two sounds: more than are shown."""
    photos = [f"{letter}.jpg" for letter in "abcdefghijkl"]
    asks = Cutting([*map(hit, photos[:10]), hit("y.ogg"), hit("z.ogg")], 0.5)
    results = ask_all(asks, [question(*map(truth, photos))], replace(SETTINGS, depth=20))
    shares = {share.kind: (share.first, share.as_many) for share in kind_shares(results)}
    assert shares[Kind.IMAGE] == (1.0, pytest.approx(10 / 12))
    assert shares[Kind.AUDIO] == (0.0, pytest.approx(2 / 12))


def test_errors_that_are_not_about_the_query_are_not_swallowed() -> None:
    def broken(asked: Asked) -> Answer:
        raise RuntimeError("the disk is gone")

    def unaskable(asked: Asked) -> Answer:
        raise BadQuery("no")

    with pytest.raises(RuntimeError):
        ask_all(broken, [question(truth("a.jpg"))], SETTINGS)
    (result,) = ask_all(unaskable, [question(truth("a.mp4", (0, 1)))], SETTINGS)
    assert (result.problem, result.values["iou"], result.values["mAP"]) == ("no", 0.0, 0.0)
    assert "good refused" not in result.values


def test_the_document_says_it_all_in_json(library: Library, tmp_path: Path) -> None:
    queries = judged(
        tmp_path,
        {"query": "red", "relevant": right("red.png", "gone.png")},
        {"query": "low", "target": "image", "relevant": right("low.wav")},
        {"query": "xx", "relevant": []},
    )
    document = json.loads(json.dumps(as_document(evaluate(library, queries, [PLAIN], SETTINGS)), allow_nan=False))
    assert document["missing"] == [{"query": "q1", "path": "gone.png"}]
    (configuration,) = document["configurations"]
    assert configuration["overall"]["queries"] == 3
    assert configuration["overall"]["absent"] == 1
    assert configuration["overall"]["median_rank"] is None  # one of two was not reached, and JSON knows no infinity
    assert configuration["results"][0]["right"] == [
        {"path": str(tmp_path / "media" / "red.png"), "kind": Kind.IMAGE.value, "grade": 1, "stretches": []}
    ]
