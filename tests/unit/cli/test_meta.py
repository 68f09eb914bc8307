"""``anyseek meta``: written down, shown, found by a filter, taken away."""

import json

import pytest
from typer.testing import CliRunner

from anyseek import Library
from anyseek.cli.app import make_app
from anyseek.errors import BadInput, LibraryNotFound
from anyseek.filters import parse
from anyseek.storage.catalog import Catalog
from anyseek.storage.layout import LibraryFolder
from anyseek.types import Kind, MediaInfo

runner = CliRunner()


@pytest.fixture
def library(tmp_path):
    """A library of one file, which is never read."""
    folder = tmp_path / "library"
    with Catalog.create(LibraryFolder(folder)) as catalog:
        source = catalog.source_for(tmp_path).id
        with catalog.transaction() as writer:
            content = writer.begin_content(b"x" * 16, 1, MediaInfo(Kind.IMAGE, "jpeg"))
            writer.put_asset(source, "a.jpg", 1, 1, content)
    return folder


def meta(library, *arguments):
    file = str(library.parent / "a.jpg")
    done = runner.invoke(make_app("meta"), ["meta", file, *arguments, "--library", str(library)], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


def test_written_shown_changed_and_taken_away(library):
    assert meta(library) == "nothing was written down of it\n"
    shown = meta(library, "project=Lighthouse", "stars=4", "note=a = b")
    assert [line.split(None, 1) for line in (row.rstrip() for row in shown.splitlines())] == [
        ["project", "Lighthouse"],
        ["stars", "4"],
        ["note", "a = b"],
    ]
    assert json.loads(meta(library, "--json")) == {
        "path": str(library.parent / "a.jpg"),
        "metadata": {"project": "Lighthouse", "stars": "4", "note": "a = b"},
    }
    assert json.loads(meta(library, "stars=5", "--remove", "project", "--remove", "note", "--json"))["metadata"] == {"stars": "5"}
    with Library.open(library, readonly=True) as opened:
        assert opened.metadata(library.parent / "a.jpg") == {"stars": "5"}
        (found,) = opened.catalog.assets_of([1], where=parse("meta.stars>=5"))[1]
        assert found.relative == "a.jpg"


def test_the_library_writes_down_numbers_and_truth_values(library):
    with Library.open(library) as opened:
        file = library.parent / "a.jpg"
        assert opened.set_metadata(file, {"stars": 4.5, "ok": True}) == {"stars": 4.5, "ok": True}
        assert opened.set_metadata(file, {"stars": None}) == opened.metadata(file) == {"ok": True}
        with pytest.raises(BadInput, match="is not in the library at"):
            opened.set_metadata(library.parent / "other.jpg", {"a": "b"})


@pytest.mark.parametrize("pair", ["project", "=x"])
def test_what_is_no_pair_is_refused(library, pair):
    done = runner.invoke(make_app("meta"), ["meta", "a.jpg", pair, "--library", str(library)], env={"COLUMNS": "200", "TERM": "dumb"})
    assert done.exit_code == 2
    assert f"'{pair}' is no pair: write it as  project=lighthouse" in done.output


def test_no_library_is_made(tmp_path):
    for arguments in ([], ["a=b"]):
        with pytest.raises(LibraryNotFound):
            runner.invoke(make_app("meta"), ["meta", "a.jpg", *arguments, "--library", str(tmp_path / "none")], catch_exceptions=False)
    assert list(tmp_path.iterdir()) == []
