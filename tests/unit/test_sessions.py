"""What was liked and rejected in a session, through the library's door: the same as when it is named, and of the right query alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes import ColourEncoder
from samples import write_picture, write_tone

from anyseek import Library
from anyseek.errors import BadQuery
from anyseek.search.engine import Answer
from anyseek.search.references import Reference

COLOURS = ("red", "green", "blue", "yellow", "black", "white")


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    for colour in COLOURS:
        write_picture(tmp_path / "media" / f"{colour}.png", colour)
    for name, hertz in (("low", 200), ("middle", 1000)):
        write_tone(tmp_path / "media" / f"{name}.wav", hertz, seconds=9)
    with Library.open(tmp_path / "library", encoder=ColourEncoder(), calibrated=False) as library:
        library.index(tmp_path / "media")
        library.enable_feedback()
        yield library


@pytest.fixture
def media(library: Library) -> Path:
    return library.path.parent / "media"


def told(answer: Answer) -> list[tuple[str, float]]:
    return [(hit.path.name, round(hit.cosine, 6)) for hit in answer]


def test_what_was_recorded_in_a_session_counts_as_if_it_were_named(library: Library, media: Path) -> None:
    plain = library.search("red", limit=50)
    for path, verdict in (("green.png", "liked"), ("low.wav", "rejected"), ("blue.png", "opened")):
        library.record_feedback("red", media / path, verdict, session="s")  # type: ignore[arg-type]
    named = library.search("red", liked=media / "green.png", rejected=[media / "low.wav"], limit=50)
    assert told(library.search("  red ", session="s", limit=50)) == told(named) != told(plain)
    assert "low.wav" not in dict(told(named))
    assert {"green.png", "blue.png"} <= set(dict(told(named)))
    assert dict(told(named))["green.png"] > dict(told(plain))["green.png"]
    assert told(library.search("red", limit=50)) == told(plain)


def test_other_sessions_and_queries_are_not_touched(library: Library, media: Path) -> None:
    library.record_feedback("red", media / "green.png", "liked", session="s")
    for text, session in (("red", "t"), ("blue", "s"), ("Red", "s")):
        answer = library.search(text, session=session, limit=50)
        assert told(answer) == told(library.search(text, limit=50))
        assert f"nothing was liked or rejected of this query in the session '{session}': it was asked as it stands" in answer.notes
    assert not library.search("red", session="s").notes
    library.forget_feedback(session="s")
    assert told(library.search("red", session="s", limit=50)) == told(library.search("red", limit=50))


def test_it_works_when_feedback_is_off_again_and_without_any(library: Library, media: Path) -> None:
    library.record_feedback("red", media / "green.png", "liked", session="s")
    library.enable_feedback(False)
    assert told(library.search("red", session="s")) == told(library.search("red", liked=media / "green.png"))


def test_what_is_named_goes_before_what_was_recorded(library: Library, media: Path) -> None:
    library.record_feedback("red", media / "green.png", "rejected", session="s")
    library.record_feedback("red", media / "blue.png", "liked", session="s")
    mixed = library.search("red", liked=media / "green.png", session="s", limit=50)
    assert told(mixed) == told(library.search("red", liked=[media / "green.png", media / "blue.png"], limit=50))


def test_a_query_by_a_file_is_known_by_it(library: Library, media: Path) -> None:
    asked = f"{media / 'low.wav'}@0:03-0:06"
    library.record_feedback(Reference.read(asked), media / "green.png", "liked", session="s")
    wanted = told(library.search(like=asked, liked=media / "green.png", limit=50))
    assert told(library.search(like=asked, session="s", limit=50)) == wanted
    assert "low.wav" in dict(wanted)
    similar = told(library.similar(asked, session="s", limit=50))
    assert similar == told(library.similar(asked, liked=[media / "green.png"], limit=50))
    assert "low.wav" not in dict(similar)
    assert told(library.similar(media / "low.wav", session="s")) == told(library.similar(media / "low.wav"))
    assert "green.png" not in dict(told(library.similar(asked, rejected=media / "green.png", limit=50)))


def test_a_session_counts_after_a_rename(library: Library, media: Path) -> None:
    library.record_feedback("red", media / "green.png", "liked", session="s")
    library.record_feedback(Reference(media / "low.wav"), media / "blue.png", "rejected", session="s")
    before = library.search("red", session="s", limit=50)
    (media / "green.png").rename(media / "vert.png")
    (media / "low.wav").rename(media / "bas.wav")
    library.index()
    after = library.search("red", session="s", limit=50)
    assert [hit.cosine for hit in after] == [hit.cosine for hit in before]
    assert "blue.png" not in dict(told(library.similar(media / "bas.wav", session="s", limit=50)))


def test_what_is_gone_is_passed_over_with_a_note(library: Library, media: Path) -> None:
    library.record_feedback("red", media / "green.png", "liked", session="s")
    library.record_feedback("red", media / "blue.png", "liked", session="s")
    (row,) = [row for row in library.feedback() if row.path == media / "blue.png"]
    (space,) = library.catalog.spaces("serving")
    with library.catalog.transaction() as writer:
        writer.drop_embeddings(row.content_id, space.id)
    answer = library.search("red", session="s", limit=50)
    assert "1 of what was liked or rejected in the session 's' has no vectors in the models that serve" in answer.notes
    assert told(answer) == told(library.search("red", liked=media / "green.png", limit=50))


def test_what_cannot_be_asked(library: Library, media: Path) -> None:
    with pytest.raises(BadQuery, match=r"green.png is both liked and rejected: leave it out of one of them"):
        library.search("red", liked=media / "green.png", rejected=media / "green.png")
    with pytest.raises(BadQuery, match=r"other.png is not in the library"):
        library.search("red", liked=media / "other.png")
    with pytest.raises(BadQuery, match=r"low.wav@9:00.000: there is nothing of the file at that time"):
        library.search("red", rejected=f"{media / 'low.wav'}@9:00")
    for parts in ({"text": ["red", "blue"]}, {"image": media / "red.png"}, {"like": [media / "red.png", media / "blue.png"]}):
        with pytest.raises(BadQuery, match="a session knows queries by their words, or by the one file"):
            library.search(**parts, session="s")  # type: ignore[arg-type]
    with pytest.raises(BadQuery, match="there is nothing to search for"):
        library.search(liked=media / "red.png")
