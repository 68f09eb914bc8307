import pytest
from lives import live

from anyseek.duplicates.keeping import best_first, longest_first, reason, told_apart
from anyseek.types import Kind

AT = "2023-07-01T10:00:00"


@pytest.mark.parametrize(
    ("better", "why"),
    [
        (live("z", width=800, size=1), "most pixels"),
        (live("z", size=2_000), "most bytes"),
        (live("z", captured_at="1969-12-31T23:00:00+00:00"), "oldest"),
        (live("0"), "first by path"),
    ],
)
def test_the_first_criterion_that_tells_them_apart_decides(better, why) -> None:
    other = live("a")
    assert best_first([other, better])[0] == better
    assert reason(better, [other]) == why


def test_films_of_one_size_are_told_apart_by_their_bit_rate() -> None:
    short = live("short.mp4", Kind.VIDEO, size=4_000, duration_ms=1_000)
    long = live("long.mp4", Kind.VIDEO, size=6_000, duration_ms=2_000)
    assert best_first([long, short]) == [short, long]
    assert reason(short, [long]) == "highest bit rate"
    assert longest_first([short, long]) == [long, short]
    assert reason(long, [short], longest=True) == "longest"


def test_the_reason_is_the_one_against_the_best_of_the_others() -> None:
    kept, second, third = live("k", size=3_000), live("s", size=2_000), live("t", width=10)
    assert reason(kept, [third, second]) == "most bytes"


@pytest.mark.parametrize(
    ("other", "apart"),
    [
        ({"captured_at": "2023-07-01T10:00:01"}, True),
        ({"captured_at": "2023-07-01T10:59:59"}, True),
        ({"captured_at": "2023-07-01T12:00:01+02:00"}, True),
        ({}, False),
        ({"captured_at": "2023-07-01T12:00:00+02:00"}, False),
        ({"captured_at": "2023-07-01T11:00:00"}, False),
        ({"captured_at": "2023-07-01T10:00:01", "camera": "B"}, False),
        ({"captured_at": "2023-07-01T10:00:01", "camera": None}, False),
        ({"captured_at": "2023-07-01T10:00:01", "captured_origin": "xmp"}, False),
        ({"captured_at": None, "captured_origin": None}, False),
    ],
)
def test_shots_of_a_series_are_no_copies(other: dict[str, object], apart: bool) -> None:
    one = live(captured_at=AT, captured_origin="exif", camera="A")
    another = one._replace(**other)
    assert told_apart(one, another) is told_apart(another, one) is apart
