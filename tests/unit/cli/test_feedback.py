"""``anyseek feedback``: switched on, recorded, listed, forgotten after a question, and refused in words that help."""

import json

import pytest
from typer.testing import CliRunner

from anyseek import Library
from anyseek.cli.app import make_app
from anyseek.errors import BadInput, LibraryNotFound
from anyseek.storage.catalog import Catalog
from anyseek.storage.layout import LibraryFolder
from anyseek.types import Kind, MediaInfo

runner = CliRunner()


@pytest.fixture
def library(tmp_path):
    """A library of a picture and a film, which are never read."""
    folder = tmp_path / "library"
    with Catalog.create(LibraryFolder(folder)) as catalog:
        source = catalog.source_for(tmp_path).id
        with catalog.transaction() as writer:
            writer.put_asset(source, "a.jpg", 1, 1, writer.begin_content(b"x" * 16, 1, MediaInfo(Kind.IMAGE, "jpeg")))
            film = writer.begin_content(b"y" * 16, 1, MediaInfo(Kind.VIDEO, "mp4", duration_ms=60_000))
            writer.put_asset(source, "b.mp4", 1, 1, film)
    return folder


@pytest.fixture
def on(library):
    said(library, "on")
    return library


def said(library, *arguments, code=0, answer=None):
    words = ["feedback", *arguments, "--library", str(library)]
    done = runner.invoke(make_app("feedback"), words, input=answer, catch_exceptions=False, env={"COLUMNS": "200", "TERM": "dumb"})
    assert done.exit_code == code, done.output
    return done


def recorded(library):
    with Library.open(library, readonly=True) as opened:
        return [(row.session, row.query, row.path.name, row.start_ms, row.end_ms, row.verdict) for row in opened.feedback()]


def test_it_is_off_until_it_is_switched_on(library):
    assert said(library).stdout == "feedback is off   nothing was recorded\n"
    with pytest.raises(BadInput, match="switch it on with  anyseek feedback on"):
        said(library, "like", str(library.parent / "a.jpg"), "--query", "a dog")
    assert "from now on, in this library and nowhere else" in said(library, "on").output
    assert said(library, "status").stdout == "feedback is on   nothing was recorded\n"
    said(library, "like", str(library.parent / "a.jpg"), "--query", "a dog")
    said(library, "open", str(library.parent / "b.mp4"), "--query", "a dog", "--session", "monday")
    assert said(library).stdout == "feedback is on   1 liked, 1 opened in 2 sessions\n"
    assert json.loads(said(library, "status", "--json").stdout) == {
        "enabled": True,
        "liked": 1,
        "rejected": 0,
        "opened": 1,
        "sessions": ["default", "monday"],
    }
    assert "what was recorded stays (2): forget it with  anyseek feedback forget --all" in said(library, "off").output
    assert said(library).stdout.startswith("feedback is off   1 liked")


def test_verdicts_are_recorded_and_the_last_counts(on):
    picture, film = str(on.parent / "a.jpg"), str(on.parent / "b.mp4")
    assert "✓ liked as answers to  a dog  in the session default: 2" in said(on, "like", picture, f"{film}@0:12-0:18", "-q", "a dog").output
    said(on, "reject", picture, "-q", "a  dog")
    said(on, "open", f"{film}@0:12-0:18", "-q", "a dog")
    told = json.loads(said(on, "like", picture, "--similar-to", f"{film}@0:05", "-s", "monday", "--json").stdout)
    assert told == {"verdict": "liked", "query": f"{film}@0:05.000", "session": "monday", "answers": [picture]}
    assert recorded(on) == [
        ("default", "a dog", "a.jpg", 0, 0, "rejected"),
        ("default", "a dog", "b.mp4", 12_000, 18_000, "liked"),
        ("monday", f"{film}@5.000-5.001", "a.jpg", 0, 0, "liked"),
    ]


def test_listed_as_a_table_and_as_json(on):
    said(on, "list", code=1)
    assert "nothing was recorded" in said(on, "list", code=1).output
    film = str(on.parent / "b.mp4")
    said(on, "like", f"{film}@0:12-0:18", "-q", "a [dog]")
    said(on, "reject", film, "--similar-to", str(on.parent / "a.jpg"), "-s", "monday")
    heading, first, second = said(on, "list").stdout.splitlines()
    assert heading.split() == ["when", "(UTC)", "session", "query", "verdict", "answer"]
    assert first.split()[2:6] == ["default", "a", "[dog]", "liked"]
    assert first.rstrip().endswith("b.mp4  0:12 – 0:18")
    assert second.split()[2:6] == ["monday", "like", "a.jpg", "rejected"]
    (row,) = json.loads(said(on, "list", "--session", "monday", "--json").stdout)["feedback"]
    assert row.pop("at").endswith("+00:00")
    assert row == {
        "id": 2,
        "session": "monday",
        "query": str(on.parent / "a.jpg"),
        "query_kind": "like",
        "path": film,
        "start_ms": 0,
        "end_ms": 0,
        "verdict": "rejected",
    }
    assert json.loads(said(on, "list", "--query", "a [dog]", "--session", "monday", "--json", code=1).stdout) == {"feedback": []}
    assert len(said(on, "list", "--similar-to", str(on.parent / "a.jpg")).stdout.splitlines()) == 2
    assert "nothing like this was recorded" in said(on, "list", "--before", "2020-01-01", code=1).output


def test_forgetting_asks_before_and_says_how_much(on):
    for number in range(3):
        said(on, "like", str(on.parent / "a.jpg"), "-q", f"a dog {number}", "-s", "monday" if number else "sunday")
    assert "forget 3 verdicts?" in said(on, "forget", "--all", answer="n\n", code=1).output
    assert "nothing was forgotten" in said(on, "forget", "--all", answer="", code=1).output
    assert len(recorded(on)) == 3
    assert "✓ 1 verdict forgotten" in said(on, "forget", "--session", "monday", "--query", "a dog 1", answer="y\n").output
    assert "there is nothing to forget" in said(on, "forget", "--before", "2020-01-01", "--yes", code=1).output
    assert json.loads(said(on, "forget", "--session", "monday", "--yes", "--json").stdout) == {"forgotten": 1}
    assert [row[1] for row in recorded(on)] == ["a dog 0"]
    said(on, "off")
    assert "✓ 1 verdict forgotten" in said(on, "forget", "--all", "--yes").output
    assert recorded(on) == []


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["forget"], "say what to forget"),
        (["forget", "--all", "--session", "s"], "say what to forget"),
        (["like", "a.jpg"], "say which query it was liked as an answer to"),
        (["reject", "a.jpg", "--query", "x", "--similar-to", "a.jpg"], "a query is either of words or of a file"),
        (["like", "elsewhere.jpg", "--query", "x"], "elsewhere.jpg is not in the library"),
    ],
)
def test_what_cannot_be_done_is_refused(on, words, reason):
    with pytest.raises(BadInput, match=reason):
        said(on, *words)


def test_no_library_is_made(tmp_path):
    for words in (["on"], ["status"], ["list"], ["forget", "--all", "--yes"], ["like", "a.jpg", "-q", "x"]):
        with pytest.raises(LibraryNotFound):
            said(tmp_path / "none", *words)
    assert list(tmp_path.iterdir()) == []
