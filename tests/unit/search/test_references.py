"""How people name a moment."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anyseek.errors import BadQuery
from anyseek.search.references import Reference, reference_to, timecode


@pytest.mark.parametrize(
    ("text", "path", "start", "end"),
    [
        ("film.mp4", "film.mp4", None, None),
        ("film.mp4@0:12-0:18", "film.mp4", 12_000, 18_000),
        ("film.mp4@00:12-00:18", "film.mp4", 12_000, 18_000),
        ("film.mp4@12", "film.mp4", 12_000, None),
        ("film.mp4@1:02:03.5-1:02:04", "film.mp4", 3_723_500, 3_724_000),
        ("film.mp4@0:00.25-90", "film.mp4", 250, 90_000),
        ("a@b.mp4", "a@b.mp4", None, None),
        ("a@1.mp4@2-3", "a@1.mp4", 2_000, 3_000),
        ("film.mp4@later", "film.mp4@later", None, None),
        ("film.mp4@-5", "film.mp4@-5", None, None),
        ("film.mp4@" + "9" * 5000, "film.mp4@" + "9" * 5000, None, None),
        ("two\nlines@3", "two\nlines", 3_000, None),
    ],
)
def test_references_are_read(text: str, path: str, start: int | None, end: int | None) -> None:
    assert Reference.read(text) == Reference(Path(path), start, end)


def test_a_file_of_that_very_name_is_meant_as_a_whole(tmp_path: Path) -> None:
    (tmp_path / "take@3").touch()
    assert Reference.read(tmp_path / "take@3") == Reference(tmp_path / "take@3")
    assert Reference.read(f"{tmp_path}/take@3@4-5") == Reference(tmp_path / "take@3", 4000, 5000)


def test_the_home_folder_may_be_short(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert Reference.read("~/film.mp4@1-2") == Reference(tmp_path / "film.mp4", 1000, 2000)


@pytest.mark.parametrize("text", ["film.mp4@5-5", "film.mp4@0:18-0:12"])
def test_a_stretch_must_not_end_before_it_begins(text: str) -> None:
    with pytest.raises(BadQuery, match="ends before it begins"):
        Reference.read(text)


def test_nothing_is_no_reference() -> None:
    with pytest.raises(BadQuery, match="a path is empty"):
        Reference.read("")


TIMES = st.integers(0, 9_999 * 3_600_000)


@given(TIMES, st.none() | st.integers(1, 10_000_000))
def test_what_is_written_is_read(start: int, length: int | None) -> None:
    end = None if length is None else start + length
    assert Reference.read(reference_to(Path("a b@c.mp4"), start, end)) == Reference(Path("a b@c.mp4"), start, end)


@pytest.mark.parametrize(("ms", "text"), [(0, "0:00.000"), (61_001, "1:01.001"), (3_599_999, "59:59.999"), (3_600_000, "1:00:00.000")])
def test_timecodes(ms: int, text: str) -> None:
    assert timecode(ms) == text
