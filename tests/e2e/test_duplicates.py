"""``anyseek duplicates`` on real files: copies of the demo media that are smaller, recompressed, cut and joined."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest
from commandline import CommandLine
from derived import Part, brighter, cut_film, cut_sound, marked, resized
from PIL import Image

pytestmark = pytest.mark.xdist_group("duplicates")

MEMBER = {
    "path": (str,),
    "asset_id": (int,),
    "keep": (bool,),
    "alike": (float,),
    "start_ms": (int, type(None)),
    "end_ms": (int, type(None)),
    "bytes": (int,),
    "width": (int, type(None)),
    "height": (int, type(None)),
    "duration_ms": (int, type(None)),
}
GROUP = {"tier": (str,), "kind": (str,), "why": (str,), "freed": (int,), "members": (list,)}
FOUND = {
    "looked_at": (int,),
    "took_ms": (float,),
    "interrupted": (bool,),
    "notes": (list,),
    "min_similarity": (dict,),
    "freed": (int,),
    "groups": (list,),
}


@dataclass(frozen=True)
class Attic:
    """The demo media and copies of some of them.

    Attributes:
        near: For each that has copies, by name: these, and where parts of it begin and end, in seconds.
    """

    media: Path
    command: CommandLine
    near: dict[str, dict[str, tuple[float, float] | None]]


@pytest.fixture(scope="module")
def attic(demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Attic:
    base = tmp_path_factory.mktemp("attic")
    media = base / "media"
    shutil.copytree(demo, media)
    photos, films, sounds, more = media / "photos", media / "films", media / "sounds", media / "more"
    more.mkdir()
    shutil.copy(photos / "IMG_2041.jpg", more / "copy of IMG_2041.jpg")
    resized(photos / "IMG_2041.jpg", more / "small.jpg")
    resized(photos / "IMG_2041.jpg", more / "other.webp", 0.8, 60)
    marked(photos / "IMG_2057.jpg", more / "marked.jpg")
    brighter(photos / "IMG_2063.jpg", more / "bright.png", 1.05)
    for colour in ("white", "black", "grey"):
        Image.new("RGB", (300, 200), colour).save(more / f"{colour}.png")
    cut_film(more / "small.mp4", Part(films / "city trip.mkv"), size=(320, 180), crf=33)
    cut_film(more / "clip.mp4", Part(films / "city trip.mkv", 12.0, 21.0))
    cut_film(more / "mute.mp4", Part(films / "VID_20230611.webm", 5.0, 20.0), silent=True)
    cut_film(more / "joined.mp4", Part(films / "bunny.mp4"), Part(films / "MVI_0412.mp4"), size=(640, 360), crf=23)
    cut_sound(more / "quiet.m4a", Part(sounds / "REC001.wav"), loudness=0.4)
    cut_sound(more / "cut.mp3", Part(sounds / "REC007.m4a", 2.0, 7.0), codec="libmp3lame")
    cut_sound(more / "both.m4a", *(Part(sounds / name) for name in ("REC003.mp3", "REC011.ogg")), bit_rate=96_000)
    command = CommandLine(base / "home", library=base / "library")
    command("index", media)
    near = {
        "IMG_2041.jpg": {"small.jpg": None, "other.webp": None},
        "IMG_2057.jpg": {"marked.jpg": None},
        "bright.png": {"IMG_2063.jpg": None},
        "city trip.mkv": {"small.mp4": None, "clip.mp4": (12.0, 21.0)},
        "VID_20230611.webm": {"mute.mp4": (5.0, 20.0)},
        "joined.mp4": {"bunny.mp4": (0.0, 5.3), "MVI_0412.mp4": (5.3, 33.3)},
        "REC001.wav": {"quiet.m4a": None},
        "REC007.m4a": {"cut.mp3": (2.0, 7.0)},
        "both.m4a": {"REC003.mp3": (0.0, 5.0), "REC011.ogg": (5.0, 14.0)},
    }
    return Attic(media, command, near)


@pytest.fixture(autouse=True)
def _nothing_is_deleted(attic: Attic) -> Iterator[None]:
    before = {path: path.read_bytes() for path in attic.media.rglob("*") if path.is_file()}
    yield
    assert {path: path.read_bytes() for path in attic.media.rglob("*") if path.is_file()} == before


def by_first(groups: list[Any], tier: str) -> dict[str, dict[str, Any]]:
    """The members of the groups of a tier by the name of the first and their own."""
    return {
        Path(group["members"][0]["path"]).name: {Path(one["path"]).name: one for one in group["members"][1:]}
        for group in groups
        if group["tier"] == tier
    }


def test_what_is_nearly_the_same_is_found_and_nothing_else(attic: Attic) -> None:
    found = by_first(attic.command("duplicates", "--json").json["groups"], "near")
    assert {first: set(others) for first, others in found.items()} == {first: set(others) for first, others in attic.near.items()}
    for first, others in attic.near.items():
        for name, part in others.items():
            member = found[first][name]
            if part is None:
                assert (member["start_ms"], member["end_ms"]) == (None, None), name
            else:
                begins, ends = (round(seconds * 1000) for seconds in part)
                assert member["start_ms"] == pytest.approx(begins, abs=600), name
                assert member["end_ms"] == pytest.approx(ends, abs=700), name


def test_copies_of_the_same_bytes_are_a_tier_of_their_own(attic: Attic) -> None:
    (group,) = attic.command("duplicates", "--exact", "--json").json["groups"]
    assert [Path(one["path"]).name for one in group["members"]] == ["IMG_2041.jpg", "copy of IMG_2041.jpg"]
    assert [one["keep"] for one in group["members"]] == [True, False]
    assert (group["tier"], group["kind"], group["why"]) == ("exact", "image", "oldest")
    assert group["freed"] == group["members"][0]["bytes"] == (attic.media / "photos" / "IMG_2041.jpg").stat().st_size


def test_without_that_tier_all_copies_are_in_the_groups_of_the_next(attic: Attic) -> None:
    found = by_first(attic.command("duplicates", "--near", "-k", "image", "--json").json["groups"], "near")
    assert set(found["IMG_2041.jpg"]) == {"copy of IMG_2041.jpg", "small.jpg", "other.webp"}
    assert found["IMG_2041.jpg"]["copy of IMG_2041.jpg"]["alike"] == 1


def test_the_shape_of_json_is_a_promise(attic: Attic) -> None:
    found = attic.command("duplicates", "--exact", "--near", "--similar", "--json").json
    for value, shape in [(found, FOUND), *((group, GROUP) for group in found["groups"])]:
        assert list(value) == list(shape)
        assert all(type(value[key]) in kinds for key, kinds in shape.items())
    assert list(found["min_similarity"]) == ["image", "audio", "video"]
    assert all(0 < cosine < 1 for cosine in found["min_similarity"].values())
    for group in found["groups"]:
        assert len(group["members"]) > 1
        assert group["members"][0]["keep"]
        assert group["freed"] == sum(one["bytes"] for one in group["members"] if not one["keep"])
        for member in group["members"]:
            assert list(member) == list(MEMBER)
            assert all(type(member[key]) in kinds for key, kinds in MEMBER.items()), member
    assert found["freed"] == sum(group["freed"] for group in found["groups"])
    assert found["looked_at"] == attic.command("status", "--json").json["files"]["image"] + sum(
        attic.command("status", "--json").json["files"][kind] for kind in ("audio", "video")
    )


def test_each_tier_leaves_what_those_before_it_found(attic: Attic) -> None:
    groups = attic.command("duplicates", "--exact", "--near", "--min-similarity", "0.7", "--json").json["groups"]
    not_kept = [one["path"] for group in groups for one in group["members"] if not one["keep"]]
    assert len(not_kept) == len(set(not_kept))
    assert [tier for tier, _ in groupby(group["tier"] for group in groups)] == ["exact", "near", "similar"]
    similar = {one["path"] for group in groups if group["tier"] == "similar" for one in group["members"]}
    dropped_before = {one["path"] for group in groups if group["tier"] != "similar" for one in group["members"] if not one["keep"]}
    assert similar.isdisjoint(dropped_before)
    alone = attic.command("duplicates", "--min-similarity", "0.7", "--json").json["groups"]
    assert not {one["path"] for group in alone for one in group["members"]}.isdisjoint(dropped_before)


def test_similar_files_by_a_cosine_of_ones_own(attic: Attic) -> None:
    strict = attic.command("duplicates", "--min-similarity", "0.8", "-k", "audio", "--json").json
    assert strict["min_similarity"] == {"image": None, "audio": 0.8, "video": None}
    assert {group["tier"] for group in strict["groups"]} == {"similar"}
    assert min(one["alike"] for group in strict["groups"] for one in group["members"]) >= 0.8
    loose = attic.command("duplicates", "--min-similarity", "-1", "-k", "audio", "--json").json
    (group,) = loose["groups"]
    assert len(group["members"]) == loose["looked_at"]
    assert min(one["alike"] for one in group["members"]) < 0.5
    said = attic.command("duplicates", "--min-similarity", "0.8", "-k", "audio").text
    assert "similar   alike, by a cosine of 0.80 at least (sounds)" in said


def test_paths_are_those_that_need_not_be_kept(attic: Attic) -> None:
    groups = attic.command("duplicates", "--json").json["groups"]
    wanted = [one["path"] for group in groups for one in group["members"] if not one["keep"]]
    assert attic.command("duplicates", "--paths").text.splitlines() == wanted
    assert attic.command("duplicates", "--print0").out == b"".join(path.encode() + b"\0" for path in wanted)
    assert str(attic.media / "more" / "small.jpg") in wanted
    assert str(attic.media / "photos" / "IMG_2041.jpg") not in wanted


def test_the_table_names_what_to_keep_and_why(attic: Attic) -> None:
    said = attic.command("duplicates", env={"COLUMNS": "200"})
    lines = [" ".join(line.split()) for line in said.text.splitlines()]
    assert lines[0].startswith("10 groups, 14 files that need not be kept, ")
    kept = next(line for line in lines if line.endswith("most pixels") and "IMG_2041" in line)
    assert kept.startswith("▣ picture keep ")
    assert any("clip.mp4" in line and line.endswith("is 0:12 – 0:21 of it") for line in lines)
    assert any("joined.mp4" in line and line.endswith("longest") for line in lines)
    assert any("other.webp" in line and line.endswith("% alike") for line in lines)
    assert said.complaint == ""


def test_where_there_are_none_the_code_says_so(attic: Attic) -> None:
    said = attic.command("duplicates", "--exact", "-k", "video", code=1)
    assert said.text.startswith("no duplicates   among ")
    assert attic.command("duplicates", "--exact", "-k", "video", "--json", code=1).json["groups"] == []
    assert attic.command("duplicates", "--exact", "-k", "video", "--print0", code=1).out == b""


def test_what_cannot_be_meant_is_refused(attic: Attic, tmp_path: Path) -> None:
    assert "no cosine" in attic.command("duplicates", "--min-similarity", "2", code=2).complaint
    assert "15" in attic.command("duplicates", "--distance", "16", code=2).complaint
    assert "there is no library" in attic.command("duplicates", "-l", tmp_path / "none", code=4).complaint
    assert not (tmp_path / "none").exists()


def test_a_smaller_distance_finds_fewer(attic: Attic) -> None:
    few, usual = (
        by_first(attic.command("duplicates", "--distance", distance, "-k", "image", "--json").json["groups"], "near") for distance in (0, 7)
    )
    assert 0 < sum(map(len, few.values())) < sum(map(len, usual.values()))


def test_only_files_that_satisfy_a_condition_are_compared(attic: Attic) -> None:
    found = attic.command("duplicates", "--filter", "path:more/*", "-k", "image", "--json").json
    assert found["looked_at"] == 8
    assert by_first(found["groups"], "exact") == {}
    assert {first: set(others) for first, others in by_first(found["groups"], "near").items()} == {
        "copy of IMG_2041.jpg": {"small.jpg", "other.webp"}
    }
    assert "EXPR" not in attic.command("duplicates", "--filter", "path:", code=2).complaint


def test_what_is_gone_or_changed_is_told(attic: Attic, tmp_path: Path) -> None:
    media = tmp_path / "media"
    media.mkdir()
    for name in ("IMG_2041.jpg", "IMG_2057.jpg", "IMG_2063.jpg"):
        shutil.copy(attic.media / "photos" / name, media)
    command = CommandLine(tmp_path / "home", library=tmp_path / "library")
    command("index", media)
    (media / "IMG_2041.jpg").unlink()
    said = command("duplicates", code=1)
    assert "note: 1 file could not be looked at, being gone, changed or unreadable since they were indexed (IMG_2041.jpg)" in said.complaint
    assert "could not be looked at" in command("duplicates", "--json", code=1).json["notes"][0]
