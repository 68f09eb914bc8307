"""What stands behind an operator: numbers with units, dates, places, patterns."""

import re
import time
from datetime import datetime
from math import cos, radians

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anyseek.filters import parse
from anyseek.filters.dates import Period
from anyseek.filters.patterns import fold, path_glob
from anyseek.filters.places import EARTH, Box, Circle, distance
from anyseek.filters.spans import Span


def value(text):
    return parse(text).value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("rating:3", Span(3, 4, below=True)),
        ("rating=3", Span(3, 4, below=True)),
        ("rating>3", Span(low=3, above=True)),
        ("rating>=3", Span(low=3)),
        ("rating<3", Span(high=3, below=True)),
        ("rating<=3", Span(high=3)),
        ("rating:3..5", Span(3, 5)),
        ("rating:3..", Span(low=3)),
        ("rating:..5", Span(high=5)),
        ("megapixels:12", Span(12_000_000, 13_000_000, below=True)),
        ("mp>=0.5", Span(low=500_000)),
        ("size>5MB", Span(low=5_000_000, above=True)),
        ("size>5mb", Span(low=5_000_000, above=True)),
        ("size>5M", Span(low=5_000_000, above=True)),
        ("size>5MiB", Span(low=5 * 2**20, above=True)),
        ("size:1.5GB", Span(1_500_000_000, 1_600_000_000, below=True)),
        ("size<=100", Span(high=100)),
        ("duration>10s", Span(low=10_000, above=True)),
        ("duration>10", Span(low=10_000, above=True)),
        ("duration>500ms", Span(low=500, above=True)),
        ("duration:1:30", Span(90_000, 91_000, below=True)),
        ("duration:1:02:03", Span(3_723_000, 3_724_000, below=True)),
        ("duration:0:01.5", Span(1_500, 1_600, below=True)),
        ("duration:2min", Span(120_000, 180_000, below=True)),
        ("duration>=1h30min", Span(low=5_400_000)),
        ("duration>=1h30m5s", Span(low=5_405_000)),
        ("duration:10s..1min", Span(10_000, 60_000)),
        ("width>=999999999999999999", Span(low=999_999_999_999_999_999)),
        ("size>=999999999999TB", Span(low=999999999999e12)),
        ("date:2024", Period(datetime(2024, 1, 1), datetime(2025, 1, 1))),
        ("date:2024-12", Period(datetime(2024, 12, 1), datetime(2025, 1, 1))),
        ("date:2024-2", Period(datetime(2024, 2, 1), datetime(2024, 3, 1))),
        ("date:2024-02-29", Period(datetime(2024, 2, 29), datetime(2024, 3, 1))),
        ("date:2024-05-17T18", Period(datetime(2024, 5, 17, 18), datetime(2024, 5, 17, 19))),
        ("date:2024-05-17T18:30", Period(datetime(2024, 5, 17, 18, 30), datetime(2024, 5, 17, 18, 31))),
        ('date:"2024-05-17 23:59:59"', Period(datetime(2024, 5, 17, 23, 59, 59), datetime(2024, 5, 18))),
        ("date>=2024-05", Period(datetime(2024, 5, 1), None)),
        ("date>2024-05", Period(datetime(2024, 6, 1), None)),
        ("date<2024-05", Period(None, datetime(2024, 5, 1))),
        ("date<=2024-05", Period(None, datetime(2024, 6, 1))),
        ("date:2024-05..2024-07", Period(datetime(2024, 5, 1), datetime(2024, 8, 1))),
        ("date:2024..", Period(datetime(2024, 1, 1), None)),
        ("date:..2024", Period(None, datetime(2025, 1, 1))),
        ("date:9999", Period(datetime(9999, 1, 1), None)),
        ("date:9999-12-31", Period(datetime(9999, 12, 31), None)),
        ('near:"52.5, 13.4 10km"', Circle(52.5, 13.4, 10_000)),
        ("near:52.5,13.4,10km", Circle(52.5, 13.4, 10_000)),
        ("near:-52.5,-13.4,800m", Circle(-52.5, -13.4, 800)),
        ("near:0,0,1mi", Circle(0, 0, 1609.344)),
        ("within:-47.2,5.8,55.1,15.1", Box(-47.2, 5.8, 55.1, 15.1)),
        ("within:10,170,20,-170", Box(10, 170, 20, -170)),
        ("kind:IMAGE", "image"),
    ],
)
def test_reads(text, expected):
    assert value(text) == expected
    assert type(value(text)) is type(expected)


@pytest.mark.parametrize(
    ("pattern", "path", "expected"),
    [
        ("*.jpg", "a.jpg", True),
        ("*.jpg", "2024/may/a.JPG", True),
        ("*.jpg", "a.jpg/b.png", False),
        ("beach", "2024/beach", True),
        ("beach", "beach/a.jpg", False),
        ("beach/", "beach/a.jpg", True),
        ("beach/", "2024/Beach/x/a.jpg", True),
        ("beach/", "2024/beaches/a.jpg", False),
        ("2024/*", "2024/a.jpg", True),
        ("2024/*", "2024/may/a.jpg", False),
        ("2024/*", "old/2024/a.jpg", False),
        ("2024/**", "2024/may/a.jpg", True),
        ("2024/**", "2024/a.jpg", True),
        ("2024/**", "2024", False),
        ("2024/may/", "2024/may/x/a.jpg", True),
        ("2024/may/", "old/2024/may/a.jpg", False),
        ("**/may/*", "2024/may/a.jpg", True),
        ("**/may/*", "may/a.jpg", True),
        ("**/may/*", "2024/may/x/a.jpg", False),
        ("a/**/b/**/c", "a/b/c", True),
        ("a/**/b/**/c", "a/x/b/y/z/c", True),
        ("a/**/b/**/c", "a/x/c", False),
        ("a/**/b/*/c", "a/b/b/x/c", True),
        ("**", "anything/at/all", True),
        ("**/**", "a", True),
        ("img_?.png", "x/img_7.png", True),
        ("img_?.png", "x/img_77.png", False),
        ("?", "a/b", True),
        ("a?b", "a/b", False),
        ("[1] (2)+.jpg", "x/[1] (2)+.JPG", True),
        ("STRASSE.jpg", "straße.jpg", True),
        ("größe.jpg", "gro\u0308ße.jpg".replace("gro", "Gro"), True),
        ("*a*b*", "xxaxxbxx", True),
        ("*a*b*", "xxbxxaxx", False),
        ("a*", "a\nb", True),
    ],
)
def test_path_patterns(pattern, path, expected):
    found = path_glob(pattern)
    assert not found.absolute
    assert (re.search(found.regex, fold(path), re.DOTALL) is not None) is expected


@pytest.mark.parametrize("pattern", ["/media/**", "C:/Photos/*.jpg"])
def test_absolute_patterns(pattern):
    assert path_glob(pattern).absolute


def matches_by_hand(pattern: str, path: str) -> bool:
    """The definition, by trying everything."""

    def name(glob: str, text: str) -> bool:
        if not glob:
            return not text
        if glob[0] == "*":
            return any(name(glob[1:], text[start:]) for start in range(len(text) + 1))
        return bool(text) and glob[0] in ("?", text[0]) and name(glob[1:], text[1:])

    def names(globs: list[str], texts: list[str]) -> bool:
        if not globs:
            return not texts
        if globs[0] == "**":
            at_least = 1 if len(globs) == 1 else 0  # what lies below a folder is not the folder
            return any(names(globs[1:], texts[start:]) for start in range(at_least, len(texts) + 1))
        return bool(texts) and name(globs[0], texts[0]) and names(globs[1:], texts[1:])

    return names(pattern.split("/"), path.split("/"))


pieces = st.sampled_from(["**", "*", "a", "b", "a*", "*b", "?", "a*b", "*a*", "ab"])
paths = st.lists(st.text("ab", min_size=1, max_size=3), min_size=1, max_size=5).map("/".join)


@settings(max_examples=600, deadline=None)
@given(st.lists(pieces, min_size=2, max_size=6).map("/".join), paths)
def test_path_patterns_mean_what_they_say(pattern, path):
    assert (re.search(path_glob(pattern).regex, path, re.DOTALL) is not None) is matches_by_hand(pattern, path)


@pytest.mark.parametrize(
    "pattern", ["*a" * 60 + "b", "/".join(["**/*a*"] * 40) + "/b", "?*" * 60 + "x", "**/" * 300 + "b", "*" * 5000 + "b"]
)
def test_hostile_patterns_take_no_time(pattern):
    started = time.process_time()
    assert re.search(path_glob(pattern).regex, "a" * 2_000 + "/a" * 1_000, re.DOTALL) is None
    assert time.process_time() - started < 2


def test_distance_is_that_on_a_sphere():
    assert distance(0, 0, 0, 0) == 0
    assert distance(90, 0, -90, 120) == pytest.approx(np.pi * EARTH)
    assert distance(0, 179.5, 0, -179.5) == pytest.approx(np.radians(1) * EARTH)
    assert distance(60, 10, 60.001, 10) == pytest.approx(np.radians(0.001) * EARTH, rel=1e-6)
    assert distance(60, 10, 60, 10.001) == pytest.approx(np.radians(0.001) * EARTH * cos(radians(60)), rel=1e-6)
    assert distance(52.5200, 13.4050, 48.8566, 2.3522) == pytest.approx(877_464, rel=1e-4)  # Berlin and Paris


degrees = st.tuples(st.floats(-90, 90), st.floats(-180, 180))


@settings(max_examples=600, deadline=None)
@given(degrees, st.floats(0.1, 2.1e7), st.floats(0, 2 * np.pi), st.floats(0, 1))
def test_the_bounds_of_a_circle_hold_all_of_it(centre, metres, bearing, share):
    """A point in some direction at most so far away (great circle) lies in the box."""
    latitude, longitude = np.radians(centre)
    angle = min(metres * share / EARTH, np.pi)
    there = np.arcsin(np.clip(np.sin(latitude) * np.cos(angle) + np.cos(latitude) * np.sin(angle) * np.cos(bearing), -1, 1))
    turn = np.arctan2(np.sin(bearing) * np.sin(angle) * np.cos(latitude), np.cos(angle) - np.sin(latitude) * np.sin(there))
    north, east = float(np.degrees(there)), (float(np.degrees(longitude + turn)) + 180) % 360 - 180
    if distance(*centre, north, east) > metres:  # by a rounding
        return
    box = Circle(*centre, metres).bounds
    assert box.south <= north <= box.north
    assert box.west <= east <= box.east if box.west <= box.east else east >= box.west or east <= box.east
