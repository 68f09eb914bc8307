"""The demo library, its licences and its judged queries are whole."""

import json
import re
from collections import Counter
from pathlib import Path

import av
import pytest
from PIL import Image, ImageOps

DATA = Path(__file__).resolve().parents[2] / "data"
LICENCES = {"CC0-1.0", "Public domain", "CC-BY-2.0", "CC-BY-3.0", "CC-BY-4.0", "CC-BY-SA-2.0", "CC-BY-SA-3.0", "CC-BY-SA-4.0"}
PICTURES = {".jpg", ".png", ".webp", ".avif", ".heic"}
SOUNDS = {".ogg", ".mp3", ".wav", ".flac", ".m4a"}
FILMS = {".mp4", ".webm", ".mkv", ".mpg"}

MEDIA = sorted(path for folder in ("demo", "queries") for path in (DATA / folder).rglob("*") if path.is_file())
QUERIES = json.loads((DATA / "queries.json").read_text(encoding="utf-8"))["queries"]
RECIPE = json.loads((DATA / "sources.json").read_text(encoding="utf-8"))


def name(path: Path) -> str:
    return path.relative_to(DATA).as_posix()


def duration_ms(path: Path) -> float:
    with av.open(str(path)) as container:
        return (container.duration or 0) / 1000


def test_every_file_is_listed_with_a_licence():
    text = (DATA / "README.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `((?:demo|queries)/[^`]+)` \|.*\| ([^|]+) \| [^|]+ \|$", text, re.MULTILINE))
    assert set(rows) == {name(path) for path in MEDIA}
    assert set(rows.values()) <= LICENCES


def test_every_source_has_a_place_an_author_and_a_licence():
    for source in RECIPE["sources"].values():
        assert source["licence"] in LICENCES
        assert source["member"]
        assert source["author"]
        assert not source["package"] or source["package"] in RECIPE["packages"]


def test_share_alike_is_kept():
    for item in RECIPE["photos"] + RECIPE["sounds"] + RECIPE["films"]:
        parts = [item, *item.get("shots", []), *item.get("clips", [])]
        licences = {RECIPE["sources"][part["source"]]["licence"] for part in parts if "source" in part}
        share_alike = sorted(licence for licence in licences if "-SA-" in licence)
        assert item["licence"] == share_alike[-1] if share_alike else item["licence"] in licences


def test_size_and_counts():
    assert sum(path.stat().st_size for path in MEDIA) <= 25_000_000
    kinds = Counter(path.relative_to(DATA / "demo").parts[0] for path in MEDIA if name(path).startswith("demo/"))
    assert set(kinds) == {"photos", "sounds", "films"}
    assert 40 <= kinds["photos"] <= 80
    assert 15 <= kinds["sounds"] <= 24
    assert 3 <= kinds["films"] <= 5


@pytest.mark.parametrize("path", MEDIA, ids=name)
def test_every_file_decodes(path):
    if path.suffix in PICTURES:
        if path.suffix == ".heic":
            pytest.importorskip("pillow_heif").register_heif_opener()
        with Image.open(path) as picture:
            assert min(ImageOps.exif_transpose(picture).convert("RGB").size) >= 200
    elif path.suffix in SOUNDS:
        with av.open(str(path)) as container:
            samples = sum(frame.samples / frame.sample_rate for frame in container.decode(audio=0))
        assert 2 <= samples <= 13
    else:
        assert path.suffix in FILMS
        with av.open(str(path)) as container:
            frames = sum(1 for _ in container.decode(video=0))
        assert abs(frames * 40 - duration_ms(path)) < 200  # 25 pictures a second


def test_one_photo_is_turned_by_exif_and_one_has_a_date_and_a_place():
    with Image.open(DATA / "demo/photos/IMG_2093.jpg") as lying:
        assert lying.getexif()[0x0112] == 6
        assert lying.width > lying.height
        assert ImageOps.exif_transpose(lying).size == (lying.height, lying.width)
    with Image.open(DATA / "demo/photos/holiday/PXL_20230704_101502.jpg") as dated:
        exif = dated.getexif()
        assert exif.get_ifd(0x8769)[0x9003] == "2023:07:04 10:15:02"
        assert exif.get_ifd(0x8825)[1] == "N"


def test_query_ids_are_unique_and_enough_of_each_kind():
    assert len({query["id"] for query in QUERIES}) == len(QUERIES)
    kinds = Counter((query["kind"], query["target"]) for query in QUERIES)
    absent = [query for query in QUERIES if not query["relevant"]]
    assert all(query["id"].startswith("absent-") and query["target"] == "any" for query in absent)
    assert 45 <= len(QUERIES) - len(absent) <= 60 <= len(absent)
    assert kinds["text", "image"] >= 20
    assert kinds["text", "audio"] >= 10
    assert kinds["text", "video"] >= 8
    assert all(kinds[pair] for pair in [("image", "audio"), ("audio", "image"), ("image", "image"), ("video", "any")])


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: query["id"])
def test_query_is_well_formed_and_answerable_unless_it_says_that_nothing_answers_it(query):
    assert set(query) == {"id", "kind", "query", "target", "relevant"}
    assert query["kind"] in {"text", "image", "audio", "video"}
    assert query["target"] in {"image", "audio", "video", "any"}
    if query["kind"] != "text":
        suffixes = {"image": PICTURES, "audio": SOUNDS, "video": FILMS}[query["kind"]]
        assert (DATA / query["query"]).is_file()
        assert (DATA / query["query"]).suffix in suffixes
    assert bool(query["relevant"]) is not query["id"].startswith("absent-")
    for answer in query["relevant"]:
        path = DATA / "demo" / answer["path"]
        assert path.is_file()
        assert f"demo/{answer['path']}" != query["query"]
        assert path.suffix in {"image": PICTURES, "audio": SOUNDS, "video": FILMS, "any": PICTURES | SOUNDS | FILMS}[query["target"]]
        if "start_ms" in answer:
            assert 0 <= answer["start_ms"] < answer["end_ms"] <= duration_ms(path) + 1
