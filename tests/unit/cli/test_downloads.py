import io

import pytest
from rich.console import Console
from rich.progress import Progress

from anyseek.cli import downloads
from anyseek.cli.downloads import drawn_download, human_size


@pytest.fixture
def console(monkeypatch):
    """A terminal whose output is kept."""
    terminal = Console(file=io.StringIO(), force_terminal=True, width=100)
    monkeypatch.setattr(downloads, "said", lambda: terminal)
    return terminal


def test_a_bar_shows_the_repository_and_how_much_is_here(console):
    with drawn_download() as take:
        take("some/model", 500_000, 2_000_000)
    assert "some/model" in console.file.getvalue()
    assert "0.5/2.0 MB" in console.file.getvalue()


def test_nothing_is_drawn_before_there_is_something_to_fetch(console):
    with drawn_download():
        pass
    assert console.file.getvalue() == ""


def test_what_is_whole_shows_no_more(console):
    with drawn_download() as take:
        take("some/model", 5, 10)
        take("some/model", 10, 10)
        console.file.truncate(0)
        take("other/model", 1, 10)
    assert "other/model" in console.file.getvalue()
    assert "some/model" not in console.file.getvalue()


def test_it_draws_nothing_where_something_else_is_being_drawn(console):
    with Progress(console=console) as other, drawn_download() as take:
        other.add_task("indexing")
        take("some/model", 5, 10)
    assert console.file.getvalue() != ""


def test_nothing_is_written_to_a_pipe(console):
    console._force_terminal = False
    with drawn_download() as take:
        take("some/model", 5, 10)
    assert console.file.getvalue() == ""


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 kB"), (4_400, "4 kB"), (612_000_000, "612 MB"), (999_000_000, "999 MB"), (1_507_000_000, "1.5 GB")]
)
def test_sizes_are_said_in_round_numbers(count, text):
    assert human_size(count) == text
