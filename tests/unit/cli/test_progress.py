"""What is drawn while long work goes on."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from anyseek.cli import progress
from anyseek.cli.progress import drawn


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Console:
    """A terminal whose output is kept."""
    terminal = Console(file=io.StringIO(), force_terminal=True, width=100)
    monkeypatch.setattr(progress, "said", lambda: terminal)
    return terminal


def written(terminal: Console) -> str:
    assert isinstance(terminal.file, io.StringIO)
    return terminal.file.getvalue()


def test_what_is_done_is_drawn_and_how_far_it_is(terminal: Console) -> None:
    with drawn("looking for copies") as told:
        told("looking at pictures", 3, 8)
    assert "looking at pictures" in written(terminal)
    assert "3/8" in written(terminal)


def test_each_thing_that_is_done_takes_the_place_of_the_one_before(terminal: Console) -> None:
    with drawn("looking for copies") as told:
        told("looking at pictures", 8, 8)
        terminal.file.truncate(0)  # type: ignore[attr-defined]
        told("comparing films", 1, 2)
    assert "comparing films" in written(terminal)
    assert "pictures" not in written(terminal)


def test_names_are_no_markup(terminal: Console) -> None:
    with drawn("asking") as told:
        told("asking, model=[bold]one[/bold]", 1, 2)
    assert "model=[bold]one[/bold]" in written(terminal)


def test_nothing_is_drawn_where_nobody_looks(terminal: Console) -> None:
    terminal._force_terminal = False
    with drawn("asking") as told:
        told("asking", 1, 2)
    assert written(terminal) == ""
