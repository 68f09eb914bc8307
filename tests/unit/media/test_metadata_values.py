"""Dates, places and texts as files write them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from anyseek.media.metadata.dates import exif_date, iso_date, plausible
from anyseek.media.metadata.places import Place, exif_place, iso6709_place, xmp_place
from anyseek.media.metadata.tags import MAX_KEYWORDS, MAX_TEXT, MediaTags, clean_text, clean_texts, merge
from anyseek.types import Capture, Kind, MediaInfo

PARIS_TIME = timezone(timedelta(hours=2))
TAKEN = datetime(2024, 5, 17, 14, 30, 21)


@pytest.mark.parametrize(
    ("text", "offset", "fraction", "moment"),
    [
        ("2024:05:17 14:30:21", None, None, TAKEN),
        ("2024:05:17 14:30:21\0", "+02:00", None, TAKEN.replace(tzinfo=PARIS_TIME)),
        ("2024:05:17 14:30:21", "Z", None, TAKEN.replace(tzinfo=UTC)),
        ("2024:05:17 14:30:21", "-03:30\0", "5", TAKEN.replace(microsecond=500_000, tzinfo=timezone(timedelta(hours=-3, minutes=-30)))),
        ("2024:05:17 14:30:21", "   :  ", "123456789", TAKEN.replace(microsecond=123_456)),
        ("2024:05:17 14:30:21", "+99:00", "x", TAKEN),
        ("2024-05-17T14:30:21", None, None, TAKEN),
        ("2024:05:17 14:30", None, None, TAKEN.replace(second=0)),
        ("2024:05:17 14:30:60", None, None, TAKEN.replace(second=59)),
        ("0000:00:00 00:00:00", None, None, None),
        ("    :  :     :  :  ", None, None, None),
        ("2024:13:17 14:30:21", None, None, None),
        ("2024:02:30 14:30:21", None, None, None),
        ("1970:01:01 00:00:00", None, None, None),
        ("1980:01:01 00:00:00", None, None, None),
        ("1980:01:01 00:00:01", None, None, datetime(1980, 1, 1, 0, 0, 1)),
        ("1904:01:01 12:00:00", None, None, None),
        ("1935:07:01 12:00:00", None, None, datetime(1935, 7, 1, 12)),
        ("1800:07:01 12:00:00", None, None, None),
        ("9999:12:31 23:59:59", "-12:00", None, None),
        ("", None, None, None),
        (b"2024:05:17 14:30:21", None, None, None),
        (None, None, None, None),
    ],
)
def test_exif_dates(text: object, offset: object, fraction: object, moment: datetime | None) -> None:
    assert exif_date(text, offset, fraction) == moment
    assert moment is None or exif_date(text, offset, fraction).tzinfo == moment.tzinfo


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2024-05-17T14:30:21", TAKEN),
        ("2024-05-17T14:30:21.5Z", TAKEN.replace(microsecond=500_000, tzinfo=UTC)),
        ("2024-05-17T14:30:21.000000000Z", TAKEN.replace(tzinfo=UTC)),
        ("2024-05-17T14:30:21+0200", TAKEN.replace(tzinfo=PARIS_TIME)),
        ("2024-05-17T14:30:21+02", TAKEN.replace(tzinfo=PARIS_TIME)),
        ("2024-05-17T14:30+02:00", TAKEN.replace(second=0, tzinfo=PARIS_TIME)),
        ("2024-05-17 14:30:21 UTC", TAKEN.replace(tzinfo=UTC)),
        ("20240517T143021+0200", TAKEN.replace(tzinfo=PARIS_TIME)),
        (" 2024-05-17 ", datetime(2024, 5, 17)),
        ("20240517", datetime(2024, 5, 17)),
        ("2024-05", None),
        ("2024", None),
        ("1904-01-01T00:00:00.000000Z", None),
        ("1970-01-01T00:00:00Z", None),
        ("3024-05-17T14:30:21", None),
        ("2024-05-17T25:30:21", None),
        ("yesterday", None),
        (None, None),
    ],
)
def test_iso_dates(text: object, moment: datetime | None) -> None:
    assert iso_date(text) == moment
    assert moment is None or iso_date(text).tzinfo == moment.tzinfo


def test_the_future_is_not_plausible_but_another_time_zone_is() -> None:
    now = datetime.now(UTC)
    assert plausible(now + timedelta(hours=14))
    assert not plausible(now + timedelta(days=2))


@pytest.mark.parametrize(
    ("latitude", "north", "longitude", "east", "place"),
    [
        ((48, 51, 27.72), "N", (2, 17, 42.0), "E", (48.8577, 2.295)),
        ((33, 51, 31.0), "S", (151, 12, 51.0), "E", (-33.8586111, 151.2141667)),
        ((40.5,), "N\0", (74.25,), "w", (40.5, -74.25)),
        (40.5, "N", 74.25, "W", (40.5, -74.25)),
        ((48, 51, 27), None, (2, 17, 42), "E", None),
        ((48, 51, 27), "X", (2, 17, 42), "E", None),
        ((0, 0, 0), "N", (0, 0, 0), "E", None),
        ((91, 0, 0), "N", (2, 0, 0), "E", None),
        ((48, float("nan"), 0), "N", (2, 0, 0), "E", None),
        ((), "N", (2, 0, 0), "E", None),
        ("48", "N", b"2", "E", None),
        (None, None, None, None, None),
    ],
)
def test_exif_places(latitude: object, north: object, longitude: object, east: object, place: Place | None) -> None:
    assert exif_place(latitude, north, longitude, east) == place


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("+48.8577+002.2950/", (48.8577, 2.295)),
        ("+48.8577+002.2950+035.000/", (48.8577, 2.295)),
        ("-33.8586+151.2141-005.5CRSWGS_84/", (-33.8586, 151.2141)),
        ("+4851.462+00217.7/", (48.8577, 2.295)),
        ("-335131-0701234.5/", (-33.8586111, -70.2095833)),
        ("+48.8577+2.2950", (48.8577, 2.295)),
        ("+00.0000+000.0000/", None),
        ("+98.0+002.0/", None),
        ("+485+00217/", None),
        ("48.8577, 2.2950", None),
        (None, None),
    ],
)
def test_iso_6709_places(text: object, place: Place | None) -> None:
    assert iso6709_place(text) == place


@pytest.mark.parametrize(
    ("latitude", "longitude", "place"),
    [
        ("48,51.462N", "2,17.7E", (48.8577, 2.295)),
        ("33,51,31S", "70,12,30W", (-33.8586111, -70.2083333)),
        ("48,51.462E", "2,17.7N", None),
        ("48.8577", "2.295", None),
        ("48,51.462N", None, None),
    ],
)
def test_xmp_places(latitude: object, longitude: object, place: Place | None) -> None:
    assert xmp_place(latitude, longitude) == place


def test_texts_are_cleaned_and_bounded() -> None:
    assert clean_text("  a\tb\x1b[31m c\0rest ") == "a b [31m c"
    assert clean_text("\u202egnp.exe") == "gnp.exe"
    assert [clean_text(text) for text in ("", " \n", "\0x", None, b"bytes", 7)] == [None] * 6
    assert clean_text("x" * 10_000) == "x" * MAX_TEXT


def test_keywords_keep_their_order_once() -> None:
    assert clean_texts(["Sea", "", "dog ", "sea", None, "Dog", "beach"]) == ("Sea", "dog", "beach")
    assert len(clean_texts(str(number) for number in range(10_000))) == MAX_KEYWORDS


def test_merging_takes_each_tag_from_the_first_that_has_it() -> None:
    first = MediaTags(title="first", latitude=1.0, longitude=2.0, rating=0, keywords=("a", "b"))
    second = MediaTags(title="second", artist="artist", latitude=3.0, longitude=4.0, rating=5, keywords=("B", "c"))
    assert merge(first, second) == MediaTags(
        title="first", artist="artist", latitude=1.0, longitude=2.0, rating=0, keywords=("a", "b", "c")
    )
    assert merge() == MediaTags()


def test_tags_have_the_names_of_media_info() -> None:
    tags = MediaTags(Capture(TAKEN, "exif"), "camera", 1.0, 2.0, "title", "artist", 3, ("word",))
    info = MediaInfo(Kind.IMAGE, "jpeg", **tags.as_fields())
    assert (info.capture, info.camera, info.latitude, info.longitude) == (tags.capture, "camera", 1.0, 2.0)
    assert (info.title, info.artist, info.rating, info.keywords) == ("title", "artist", 3, ("word",))
