from pathlib import Path

import numpy as np
import pytest
from fakes import ColourEncoder
from PIL import Image

from anyseek.duplicates.finder import Wanted
from anyseek.errors import BadFilter, BadInput
from anyseek.library import Library
from anyseek.types import Kind


def photo(path: Path, seed: int, size: tuple[int, int] = (160, 120)) -> Path:
    """Blots of colour: those of different seeds have nothing in common."""
    path.parent.mkdir(parents=True, exist_ok=True)
    blots = np.random.default_rng(seed).integers(0, 255, (9, 12, 3), np.uint8)
    Image.fromarray(blots).resize((160, 120), Image.Resampling.BICUBIC).resize(size).save(path)
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    media = tmp_path / "media"
    photo(media / "a" / "one.png", 1)
    photo(media / "a" / "two.png", 2)
    photo(media / "b" / "small one.png", 1, (80, 60))
    photo(media / "b" / "small two.png", 2, (80, 60))
    (media / "b" / "copy of one.png").write_bytes((media / "a" / "one.png").read_bytes())
    photo(media / "three.png", 3)
    with Library.open(tmp_path / "library", encoder=ColourEncoder()) as library:
        library.index(media)
    return tmp_path


def names(groups) -> list[list[str]]:
    return sorted([member.path.name for member in group.members] for group in groups)


def opened(folder: Path, **options: object) -> Library:
    return Library.open(folder / "library", encoder=ColourEncoder(), **options)


def test_what_exact_tells_near_does_not_tell_again(folder: Path) -> None:
    with opened(folder) as library:
        found = library.duplicates()
        assert found.looked_at == 6
        assert names(group for group in found if group.tier == "exact") == [["one.png", "copy of one.png"]]
        assert names(group for group in found if group.tier == "near") == [["one.png", "small one.png"], ["two.png", "small two.png"]]
        assert names(library.duplicates(tiers="near")) == [["one.png", "copy of one.png", "small one.png"], ["two.png", "small two.png"]]


def test_near_leaves_to_similar_only_what_it_keeps(folder: Path) -> None:
    with opened(folder) as library:
        alone = library.duplicates(tiers=["similar"], min_similarity=-1.0)
        after = library.duplicates(tiers=["exact", "near", "similar"], min_similarity=-1.0)
    assert [len(group.members) for group in alone] == [6]
    (left,) = (group for group in after if group.tier == "similar")
    assert {member.path.name for member in left.members} == {"one.png", "two.png", "three.png"}
    assert after.min_similarity == {Kind.IMAGE: -1.0}


def test_kinds_and_conditions_choose_what_takes_part(folder: Path) -> None:
    with opened(folder) as library:
        assert len(library.duplicates(kinds=["audio"])) == 0
        assert names(library.duplicates(where="path:b/*")) == [["copy of one.png", "small one.png"]]
        assert len(library.duplicates(tiers=["exact"], where="path:a/*")) == 0


def test_without_leave_to_write_the_answer_is_the_same_with_a_note(folder: Path) -> None:
    with opened(folder, readonly=True) as library:
        told = library.duplicates()
    assert told.notes == ("what 5 files look like could not be kept in the library, for it was opened for reading only",)
    with opened(folder) as library:
        kept = library.duplicates()
    assert kept.notes == ()
    assert kept.groups == told.groups


def test_what_is_gone_is_left_out_with_a_note(folder: Path) -> None:
    (folder / "media" / "a" / "two.png").unlink()
    with opened(folder) as library:
        found = library.duplicates(tiers=["near"])
    assert names(found) == [["one.png", "copy of one.png", "small one.png"]]
    (note,) = found.notes
    assert note.startswith("1 file could not be looked at")
    assert "two.png" in note


def test_whoever_deletes_what_need_not_be_kept_is_left_with_a_copy(folder: Path) -> None:
    original, copy = folder / "media" / "a" / "one.png", folder / "media" / "b" / "copy of one.png"
    with opened(folder) as library:
        library.duplicates()  # so that fingerprints are there, and no file has to be looked at any more
        (kept,) = (member.path for group in library.duplicates(tiers=["exact"]) for member in group.members if member.keep)
        other = copy if kept == original else original
        kept.unlink()
        gone = library.duplicates(tiers=["exact"])
        other.write_bytes(b"something else")
        changed = library.duplicates(tiers=["exact", "near"])
    assert len(gone) == 0
    assert gone.notes == (f"1 file of a group is left out, being gone or changed since indexed ({kept.name}): run  anyseek index",)
    assert names(changed) == [["two.png", "small two.png"]]
    assert [note.split(",")[0] for note in changed.notes] == ["2 files of a group are left out"]


def test_one_is_told_how_it_goes_on(folder: Path) -> None:
    told: list[tuple[str, int, int]] = []
    with opened(folder) as library:
        library.duplicates(on_look=lambda what, done, total: told.append((what, done, total)))
    assert told == [("looking at pictures", done, 5) for done in range(1, 6)]


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({"tiers": ["nearly"]}, "tiers are exact, near, similar"),
        ({"tiers": []}, "no tier is named"),
        ({"distance": 16}, "give 0 to 15"),
        ({"distance": -1}, "give 0 to 15"),
        ({"min_similarity": float("nan")}, "no cosine"),
        ({"min_similarity": 1.5}, "no cosine"),
    ],
)
def test_what_cannot_be_meant_is_refused(given: dict[str, object], complaint: str) -> None:
    usual = {"tiers": ["near"], "kinds": frozenset(), "where": None, "distance": None, "min_similarity": None}
    with pytest.raises(BadInput, match=complaint):
        Wanted.of(**{**usual, **given})


def test_a_condition_that_cannot_be_read_is_refused() -> None:
    with pytest.raises(BadFilter):
        Wanted.of(["near"], frozenset(), "rating >=", None, None)
