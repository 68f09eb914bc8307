"""Tags of containers and of audio files."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import mutagen
import pytest
from mutagen import id3
from odd_files import sound_and_film as av

from anyseek.media.metadata import MediaTags, av_metadata
from anyseek.media.metadata.container import audio_file_tags, read_container_tags
from anyseek.types import Capture

LOCAL = datetime(2024, 5, 17, 14, 30, 21, tzinfo=timezone(timedelta(hours=2)))


def test_quicktime_tags_of_a_phone() -> None:
    found = read_container_tags(
        {
            "creation_time": "2024-05-17T12:30:25.000000Z",
            "com.apple.quicktime.creationdate": "2024-05-17T14:30:21+0200",
            "com.apple.quicktime.location.ISO6709": "+48.8577+002.2950+035.000/",
            "com.apple.quicktime.make": "Apple",
            "com.apple.quicktime.model": "iPhone 15",
            "com.apple.quicktime.title": "A title",
            "com.apple.quicktime.keywords": "dog, sea,,Dog",
            "com.apple.quicktime.rating.user": "4.000",
        }
    )
    assert found == MediaTags(
        capture=Capture(LOCAL, "container"),
        camera="Apple iPhone 15",
        latitude=48.8577,
        longitude=2.295,
        title="A title",
        rating=4,
        keywords=("dog", "sea"),
    )


def test_matroska_shouts() -> None:
    found = read_container_tags({"TITLE": "A title", "ARTIST": "Ann", "DATE_RECORDED": "2024-05-17 14:30:21", "KEYWORDS": "a;b"})
    expected = Capture(datetime(2024, 5, 17, 14, 30, 21), "container")
    assert found == MediaTags(capture=expected, title="A title", artist="Ann", keywords=("a", "b"))


@pytest.mark.parametrize(
    ("tags", "capture"),
    [
        ({"creation_time": "2024-05-17T12:30:21.000000Z"}, Capture(LOCAL.astimezone(UTC), "container")),
        ({"creation_time": "1904-01-01T00:00:00.000000Z", "date": "2024-05-17"}, Capture(datetime(2024, 5, 17), "tag")),
        ({"creation_time": "1904-03-01T00:00:00.000000Z"}, None),
        ({"creation_time": "1970-01-01T00:00:00.000000Z"}, None),
        ({"creation_time": "2099-01-01T00:00:00.000000Z"}, None),
        ({"origination_date": "2024-05-17", "origination_time": "14:30:21"}, Capture(LOCAL.replace(tzinfo=None), "container")),
        ({"date": "2024"}, None),
        ({"date": "2024-05-17"}, Capture(datetime(2024, 5, 17), "tag")),
        ({"title": "x", "rating": "5"}, None),
        ({}, None),
    ],
)
def test_when_a_film_or_sound_was_taken(tags: dict[str, str], capture: Capture | None) -> None:
    assert read_container_tags(tags).capture == capture


@pytest.mark.parametrize("rating", ["", "x", "-1", "6", "nan"])
def test_impossible_ratings_count_as_absent(rating: str) -> None:
    assert read_container_tags({"com.apple.quicktime.rating.user": rating}).rating is None


@pytest.mark.parametrize(("popularity", "stars"), [(0, None), (1, 1), (31, 1), (64, 2), (128, 3), (196, 4), (223, 4), (224, 5), (255, 5)])
def test_id3(tmp_path: Path, popularity: int, stars: int | None) -> None:
    path = tmp_path / "a.mp3"
    av.sound(path, codec="libmp3lame", format="mp3", rate=44_100, seconds=0.2)
    tags = id3.ID3(path)
    tags.add(id3.TIT2(encoding=3, text=["Möwe"]))
    tags.add(id3.TPE1(encoding=3, text=["Ann", "Bob"]))
    tags.add(id3.TDRC(encoding=3, text=["2024-05-17T14:30:21"]))
    tags.add(id3.POPM(email="x", rating=popularity, count=1))
    tags.save(path)
    capture = Capture(datetime(2024, 5, 17, 14, 30, 21), "tag")
    assert audio_file_tags(path) == MediaTags(capture=capture, title="Möwe", artist="Ann, Bob", rating=stars)


@pytest.mark.parametrize(
    ("name", "codec", "format", "keys"),
    [
        ("a.flac", "flac", "flac", ("title", "artist", "date")),
        ("a.opus", "libopus", "ogg", ("title", "artist", "date")),
        ("a.m4a", "aac", "ipod", ("\xa9nam", "\xa9ART", "\xa9day")),
        ("a.wma", "libmp3lame", "asf", ("Title", "Author", "WM/Year")),
    ],
)
def test_tags_of_other_audio_files(tmp_path: Path, name: str, codec: str, format: str, keys: tuple[str, ...]) -> None:  # noqa: A002
    path = tmp_path / name
    av.sound(path, codec=codec, format=format, rate=48_000, seconds=0.2)
    file = mutagen.File(path)
    if file.tags is None:
        file.add_tags()
    for key, value in zip(keys, ("Möwe", "Ann", "2024-05-17"), strict=True):
        file.tags[key] = [value]
    file.save()
    assert audio_file_tags(path) == MediaTags(capture=Capture(datetime(2024, 5, 17), "tag"), title="Möwe", artist="Ann")


def test_a_year_alone_is_no_moment(tmp_path: Path) -> None:
    path = tmp_path / "a.flac"
    av.sound(path, codec="flac", format="flac", seconds=0.2)
    file = mutagen.File(path)
    file["date"] = "1999"
    file.save()
    assert audio_file_tags(path) == MediaTags()


@pytest.mark.parametrize(
    "data",
    [b"", b"ID3", b"ID3\x04\0\0\x7f\x7f\x7f\x7f", b"\xff\xfb\x90\x64" * 3, b"fLaC\0\0\0\x22", b"OggS" + b"\0" * 60, b"RIFF\0\0\0\0WAVE"],
)
def test_junk_has_no_tags(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "a.mp3"
    path.write_bytes(data)
    assert audio_file_tags(path) == MediaTags()
    assert audio_file_tags(tmp_path / "missing.mp3") == MediaTags()


def test_capture_comes_from_the_container_and_texts_from_the_audio_file(tmp_path: Path) -> None:
    path = tmp_path / "a.flac"
    av.sound(path, codec="flac", format="flac", seconds=0.2)
    file = mutagen.File(path)
    file["title"], file["date"] = "Möwe", "2020-01-01"
    file.save()
    (tmp_path / "a.flac.xmp").write_text(
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description '
        'xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Rating="5"/></rdf:RDF>'
    )
    tags = {"title": "M?we", "artist": "Ann", "creation_time": "2024-05-17T12:30:21Z"}
    found = av_metadata(path, tags, mutagen_tags=True)
    assert found == MediaTags(capture=Capture(LOCAL.astimezone(UTC), "container"), title="Möwe", artist="Ann", rating=5)
    assert av_metadata(path, tags, mutagen_tags=False).title == "M?we"
