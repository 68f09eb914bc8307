"""Questions as people put them: what each part weighs, and what cannot be asked. Vectors are those of the fake encoder, by hand."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes import ColourEncoder
from samples import write_picture, write_tone

from anyseek import Library
from anyseek.asking import Asked
from anyseek.errors import BadFilter, BadQuery
from anyseek.filters import parse
from anyseek.search.query import Part, Query
from anyseek.search.references import Reference
from anyseek.search.timings import Stopwatch


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    folder = tmp_path_factory.mktemp("asking")
    for colour in ("red", "green", "blue", "yellow"):
        write_picture(folder / "media" / f"{colour}.png", colour)
    write_tone(folder / "media" / "low.wav", 200)
    with Library.open(folder / "library", encoder=ColourEncoder(), calibrated=False) as library:
        library.index(folder / "media")
        yield library


@pytest.fixture
def media(library: Library) -> Path:
    return library.path.parent / "media"


def asked(library: Library, question: Asked) -> Query:
    return question.query(library.engine, library.catalog, Stopwatch())


def weights(parts: tuple[Part, ...]) -> list[tuple[str, str, float]]:
    return [(part.name, part.label, part.weight) for part in parts]


def test_parts_of_one_sort_count_together_as_one(library: Library, media: Path) -> None:
    pictures = [media / "red.png", media / "green.png"]
    query = asked(library, Asked(text=["red", "blue", "green"], image=pictures, weights={"image": 3.0}))
    assert weights(query.parts) == [
        ("text", "red", 1 / 3),
        ("text", "blue", 1 / 3),
        ("text", "green", 1 / 3),
        ("image", "red.png", 1.5),
        ("image", "green.png", 1.5),
    ]


def test_what_is_not_wanted_has_a_negative_weight(library: Library, media: Path) -> None:
    liked, disliked = Reference(media / "red.png"), Reference(media / "low.wav", 0, 1000)
    question = Asked(
        text=["red"], negative=["blue"], like=[liked], unlike=[disliked], weights={"negative": 0.5, "unlike": 2.0, "like": 0.25}
    )
    assert weights(asked(library, question).parts) == [
        ("text", "red", 1.0),
        ("text", "blue", -0.5),
        ("like", "red.png", 0.25),
        ("like", "low.wav@0:00.000-0:01.000", -2.0),
    ]


def test_the_file_that_is_the_question_is_no_answer_to_it(library: Library, media: Path) -> None:
    asset = library.catalog.find_asset(media / "red.png")
    assert asset is not None
    assert asset.content_id is not None
    query = asked(library, Asked(similar_to=Reference(media / "red.png")))
    assert query.without == {asset.content_id}
    assert asked(library, Asked(like=[Reference(media / "red.png")])).without == frozenset()


def test_a_negative_text_takes_its_share_off_the_odds(library: Library) -> None:
    """yellow is red and green: a green picture answers it, a red one does as well and is not wanted."""
    wanted = {hit.path.name: hit for hit in library.search("yellow", kinds=["image"], min_relevance=0)}
    found = {
        hit.path.name: hit for hit in library.search("yellow", negative="red", weights={"negative": 0.7}, kinds=["image"], min_relevance=0)
    }
    unwanted = {hit.path.name: hit for hit in library.search("red", kinds=["image"], min_relevance=0)}
    assert wanted["red.png"].score == pytest.approx(wanted["green.png"].score, abs=1e-2)
    for name, hit in found.items():
        odds = math.exp(wanted[name].score) * (1 - 0.7 * unwanted[name].relevance)
        assert hit.score == pytest.approx(math.log(odds), abs=1e-6)
        assert hit.cosine == wanted[name].cosine


def test_conditions_may_be_text_or_values(library: Library) -> None:
    by_text = library.search("red", where="path:*.png and not path:red.*")
    by_value = library.search("red", where=parse("path:*.png and not path:red.*"))
    assert [hit.path.name for hit in by_text] == [hit.path.name for hit in by_value]
    assert {hit.path.name for hit in by_text} == {"green.png", "blue.png", "yellow.png"}
    with pytest.raises(BadFilter, match="column 5: nothing stands behind"):
        library.search("red", where="path:")
    assert not library.search("red", where="path:nothing").hits


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"text": ()}, "there is nothing to search for"),
        ({"text": "red", "weights": {"negative": 1.0}}, "no part called 'negative'"),
        ({"text": "red", "weights": {"text": math.inf}}, "inf is no weight"),
        ({"text": "red", "order": "beauty"}, "no order is called 'beauty'"),
        ({"text": "red", "fusion": "median"}, "no fusion is called 'median'"),
        ({"text": "red", "min_relevance": 1.5}, "a relevance of 1.5 there is not"),
        ({"text": "red", "min_relevance": math.nan}, "a relevance of nan there is not"),
        ({"text": "red", "moments": 0}, "0 moments are none"),
        ({"text": "red", "like": "nowhere.png"}, "nowhere.png is not in the library"),
        ({"text": "red", "like": ""}, "a path is empty"),
        ({"text": ["red", ""]}, "the text is empty"),
    ],
)
def test_what_cannot_be_asked(library: Library, given: dict[str, object], reason: str) -> None:
    with pytest.raises(BadQuery, match=reason):
        library.search(**given)  # type: ignore[arg-type]


def test_a_time_beyond_the_end_is_no_moment(library: Library, media: Path) -> None:
    with pytest.raises(BadQuery, match=r"low.wav@9:00.000: there is nothing of the file at that time"):
        library.similar(f"{media / 'low.wav'}@9:00")


def test_what_was_found_can_be_asked_for_again(library: Library, media: Path) -> None:
    (low,) = library.search("low", kinds=["audio"])
    assert low.reference.startswith(f"{media / 'low.wav'}@0:00.000-")
    (again,) = library.search(like=low.reference, kinds=["audio"])
    assert again.cosine == pytest.approx(1.0, abs=1e-3)
