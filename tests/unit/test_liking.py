"""Feedback through the library's door: off by default, one verdict for each answer, nothing that is of no use, forgotten at will."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from fakes import ColourEncoder
from samples import write_picture, write_tone

from anyseek import Library
from anyseek.errors import BadInput, BadQuery, LibraryError, LibraryLocked
from anyseek.search.references import Reference

HOLD = """
import sys
from pathlib import Path
from anyseek.storage.layout import LibraryFolder
from anyseek.storage.lock import WriterLock
with WriterLock(LibraryFolder(Path(sys.argv[1])), "indexing"):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def media(tmp_path: Path) -> Path:
    for colour in ("red", "green"):
        write_picture(tmp_path / "media" / f"{colour}.png", colour)
    write_tone(tmp_path / "media" / "low.wav", 200, seconds=9)
    (tmp_path / "media" / "broken.png").write_text("no picture")
    return tmp_path / "media"


@pytest.fixture
def library(tmp_path: Path, media: Path) -> Iterator[Library]:
    with Library.open(tmp_path / "library", encoder=ColourEncoder()) as library:
        library.index(media)
        library.enable_feedback()
        yield library


def told(library: Library, **wanted: object) -> list[tuple[object, ...]]:
    rows = library.feedback(**wanted)  # type: ignore[arg-type]
    return [(row.session, row.query, row.path.name if row.path else None, row.start_ms, row.end_ms, row.verdict) for row in rows]


def test_it_is_off_until_it_is_switched_on_and_what_was_recorded_stays_when_it_is_switched_off(tmp_path: Path, media: Path) -> None:
    with Library.open(tmp_path / "library", encoder=ColourEncoder()) as library:
        library.index(media)
        assert not library.feedback_enabled
        with pytest.raises(BadInput, match=r"feedback is off in the library at .*: switch it on with  anyseek feedback on"):
            library.record_feedback("red", media / "red.png", "liked")
        library.enable_feedback()
        library.record_feedback("red", media / "red.png", "liked")
        library.enable_feedback(False)
    with Library.open(tmp_path / "library", encoder=ColourEncoder()) as library:
        assert not library.feedback_enabled
        assert told(library) == [("default", "red", "red.png", 0, 0, "liked")]


def test_hits_are_judged_as_they_come(library: Library, media: Path) -> None:
    (hit,) = library.search("low", kinds=["audio"])
    library.record_feedback("low", hit.path, "opened", hit.start_ms, hit.end_ms)
    library.record_feedback("low", hit.reference, "liked")
    library.record_feedback("low", f"{media / 'low.wav'}@0:05", "rejected", session="t")
    library.record_feedback(Reference.read(hit.reference), media / "red.png", "liked")
    moment = f"{media / 'low.wav'}@{(hit.start_ms or 0) / 1000:.3f}-{(hit.end_ms or 0) / 1000:.3f}"
    assert told(library) == [
        ("default", "low", "low.wav", hit.start_ms, hit.end_ms, "liked"),
        ("t", "low", "low.wav", 5000, 5001, "rejected"),
        ("default", moment, "red.png", 0, 0, "liked"),
    ]
    assert told(library, query=Reference.read(moment)) == told(library)[2:]
    assert told(library, query=" low ", session="t") == told(library)[1:2]
    assert told(library, verdicts=["rejected"]) == told(library)[1:2]


def test_times_are_in_utc(library: Library, media: Path) -> None:
    before = datetime.now(UTC).replace(microsecond=0)
    library.record_feedback("red", media / "red.png", "liked")
    (row,) = library.feedback()
    assert before <= row.at <= datetime.now(UTC)


@pytest.mark.parametrize(
    ("query", "path", "verdict", "times", "session", "reason"),
    [
        ("red", "red.png", "loved", (), "s", "'loved' is no verdict: use liked, opened, rejected"),
        ("  ", "red.png", "liked", (), "s", "a query is empty"),
        ("red", "red.png", "liked", (), "", "a session is empty"),
        ("red\0", "red.png", "liked", (), "s", "cannot be written down as a query"),
        ("\udcff", "red.png", "liked", (), "s", "cannot be written down as a query"),
        ("r" * 10_001, "red.png", "liked", (), "s", "10,001 characters is too long"),
        ("red", "blue.png", "liked", (), "s", "blue.png is not in the library"),
        ("red", "broken.png", "liked", (), "s", "broken.png could not be indexed"),
        ("red", "red.png", "liked", (0, 1000), "s", "is a picture, which has no moments"),
        ("red", "low.wav", "liked", (9000,), "s", "low.wav@0:09.000 is no moment of that file"),
        ("red", "low.wav", "liked", (2000, 2000), "s", "is no moment of that file"),
        ("red", "low.wav", "liked", (-1, 2000), "s", "is no moment of that file"),
        (Reference(Path("blue.png")), "red.png", "liked", (), "s", "blue.png is not in the library"),
    ],
)
def test_what_cannot_be_written_down_is_refused(
    library: Library, media: Path, query: str | Reference, path: str, verdict: str, times: tuple[int, ...], session: str, reason: str
) -> None:
    with pytest.raises(BadInput, match=reason):
        library.record_feedback(query, media / path, verdict, *times, session=session)  # type: ignore[arg-type]
    assert library.feedback() == []


def test_a_moment_that_cannot_be_read_is_a_bad_query(library: Library, media: Path) -> None:
    with pytest.raises(BadQuery, match="ends before it begins"):
        library.record_feedback("low", f"{media / 'low.wav'}@0:05-0:04", "liked")


def test_forgetting_needs_to_be_told_what(library: Library, media: Path) -> None:
    for query, session in (("red", "s"), ("green", "s"), ("red", "t")):
        library.record_feedback(query, media / "red.png", "liked", session=session)
    for asked in ({}, {"everything": True, "session": "s"}):
        with pytest.raises(BadInput, match="say what to forget"):
            library.forget_feedback(**asked)  # type: ignore[arg-type]
    assert library.forget_feedback(before=datetime.now(UTC).date()) == 0
    assert library.forget_feedback(session="s", query="red") == 1
    assert library.forget_feedback(query="red", before=date.today() + timedelta(days=2)) == 1
    assert told(library) == [("s", "green", "red.png", 0, 0, "liked")]
    library.enable_feedback(False)
    assert library.forget_feedback(everything=True) == 1
    assert library.feedback() == []


def test_a_rename_keeps_it_and_a_prune_forgets_it(library: Library, media: Path) -> None:
    from anyseek.indexer.indexer import IndexOptions

    library.record_feedback("red", media / "red.png", "liked")
    (media / "red.png").rename(media / "rouge.png")
    library.index()
    assert told(library) == [("default", "red", "rouge.png", 0, 0, "liked")]
    (media / "rouge.png").unlink()
    library.index()
    assert told(library) == [("default", "red", None, 0, 0, "liked")]
    library.index(options=IndexOptions(prune=True))
    assert told(library) == []


def test_beside_another_writer_nothing_is_recorded_and_it_says_who_that_is(library: Library, media: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", HOLD, library.path], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        for write in (
            lambda: library.record_feedback("red", media / "red.png", "liked"),
            lambda: library.forget_feedback(everything=True),
            lambda: library.enable_feedback(False),
        ):
            with pytest.raises(LibraryLocked, match="indexing"):
                write()
        assert library.feedback() == []
    library.record_feedback("red", media / "red.png", "liked")
    assert len(library.feedback()) == 1


def test_a_library_that_is_open_for_reading_only_refuses(library: Library, media: Path) -> None:
    library.record_feedback("red", media / "red.png", "liked")
    with Library.open(library.path, readonly=True, encoder=ColourEncoder()) as reader:
        for write in (
            lambda: reader.record_feedback("red", media / "red.png", "rejected"),
            lambda: reader.forget_feedback(everything=True),
            lambda: reader.enable_feedback(False),
        ):
            with pytest.raises(LibraryError, match="was opened for reading only: open it for writing"):
                write()
        assert told(reader) == [("default", "red", "red.png", 0, 0, "liked")]


def test_of_several_answers_all_are_written_down_or_none(library: Library, media: Path) -> None:
    with pytest.raises(BadInput, match=r"blue\.png is not in the library"):
        library.record_feedback("red", [media / "red.png", media / "blue.png"], "liked")
    assert told(library) == []
    library.record_feedback("red", [media / "red.png", f"{media / 'low.wav'}@0:01-0:02"], "liked")
    assert [row[2:] for row in told(library)] == [("red.png", 0, 0, "liked"), ("low.wav", 1000, 2000, "liked")]
