from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from derived import brighter, marked, page, resized
from lives import live
from PIL import Image

from anyseek.duplicates.pictures import near_pictures
from anyseek.media.fingerprint import PICTURE, VERSION, fingerprint
from anyseek.types import Kind

CONTRAST, NEUTRAL = 60, 128


def print_of(coarse: int, fine: bytes = bytes(32), contrast: int = CONTRAST, blue: int = NEUTRAL, red: int = NEUTRAL) -> bytes:
    row = np.array([(VERSION, contrast, blue, red, coarse, np.frombuffer(fine, np.uint8))], PICTURE)
    return row.tobytes()


def groups(*pictures: tuple[str, bytes], distance: int = 7, **known: object) -> list[tuple[str, list[tuple[str, float]]]]:
    contents = [live(name, **known) for name, _ in pictures]
    prints = {content.id: stored for content, (_, stored) in zip(contents, pictures, strict=True)}
    return [(kept.path, [(one.path, share) for one, share in others]) for kept, others in near_pictures(contents, prints, distance)]


def bits(count: int) -> bytes:
    return ((1 << count) - 1).to_bytes(32, "big")


def test_both_hashes_must_be_near() -> None:
    assert groups(("a", print_of(0)), ("b", print_of(0x7F, bits(31)))) == [("a", [("b", 1 - 31 / 256)])]
    assert groups(("a", print_of(0)), ("b", print_of(0xFF))) == []
    assert groups(("a", print_of(0)), ("b", print_of(0, bits(32)))) == []
    assert groups(("a", print_of(0)), ("b", print_of(0xFF, bits(35))), distance=8) == [("a", [("b", 1 - 35 / 256)])]


def test_nothing_is_in_a_group_by_a_chain() -> None:
    a, b, c = print_of(0), print_of(0x1F), print_of(0x3FF)
    assert groups(("a", a), ("b", b), ("c", c)) == [("a", [("b", 1.0)])]


def test_those_of_equal_hashes_are_together_too() -> None:
    assert groups(("b", print_of(5)), ("a", print_of(5)), ("c", print_of(5)), ("d", print_of(~5 & 0xFFFF_FFFF))) == [
        ("a", [("b", 1.0), ("c", 1.0)])
    ]


def test_the_most_like_comes_first() -> None:
    found = groups(("a", print_of(1)), ("b", print_of(1, bits(9))), ("c", print_of(1, bits(2))))
    assert found == [("a", [("c", 1 - 2 / 256), ("b", 1 - 9 / 256)])]


def test_plain_pictures_are_in_no_group() -> None:
    assert groups(("a", print_of(7, contrast=3)), ("b", print_of(7, contrast=3)), ("c", print_of(7, contrast=4))) == []
    assert groups(("a", print_of(7, contrast=4)), ("b", print_of(7, contrast=4))) == [("a", [("b", 1.0)])]


def test_a_red_one_is_no_blue_one_but_one_without_colour_may_be_either() -> None:
    red, blue, grey, redder = (print_of(7, blue=b, red=r) for b, r in ((110, 160), (160, 110), (130, 125), (105, 175)))
    assert groups(("a", red), ("b", blue)) == []
    assert groups(("a", red), ("b", grey)) == [("a", [("b", 1.0)])]
    assert groups(("a", red), ("b", redder)) == [("a", [("b", 1.0)])]


def test_a_square_is_no_wide_one() -> None:
    contents = [live("wide", width=400, height=300), live("square", width=300, height=300), live("half", width=200, height=151)]
    prints = {content.id: print_of(7) for content in contents}
    assert [(kept.path, [one.path for one, _ in others]) for kept, others in near_pictures(contents, prints)] == [("wide", ["half"])]


def test_without_fingerprints_there_are_no_groups() -> None:
    assert near_pictures([live(), live()], {}) == []
    assert near_pictures([], {}) == []


@pytest.mark.parametrize("make", [resized, brighter, marked, lambda source, target: resized(source, target.with_suffix(".webp"), 1.0, 60)])
def test_variants_of_real_photos_are_found_and_photos_told_apart(demo: Path, tmp_path: Path, make: Callable[[Path, Path], Path]) -> None:
    photos = sorted((demo / "photos").glob("IMG_*.jpg"))
    paths = [path for number, photo in enumerate(photos) for path in (photo, make(photo, tmp_path / f"{number}.jpg"))]
    assert len(photos) > 8
    contents = []
    for path in paths:
        with Image.open(path) as image:
            turned = image.getexif().get(274, 1) >= 5
            width, height = image.size[::-1] if turned else image.size
        contents.append(live(str(path), width=width, height=height, size=path.stat().st_size))
    prints = {content.id: fingerprint(Path(content.path), Kind.IMAGE) for content in contents}
    found = near_pictures(contents, prints)
    together = {frozenset([kept.path, *(one.path for one, _ in others)]) for kept, others in found}
    assert together == {frozenset(map(str, paths[place : place + 2])) for place in range(0, len(paths), 2)}


def test_letters_of_one_head_are_told_apart(tmp_path: Path) -> None:
    contents = [live(str(page(tmp_path / f"{seed}.png", seed)), width=620, height=877) for seed in range(12)]
    prints = {content.id: fingerprint(Path(content.path), Kind.IMAGE) for content in contents}
    assert near_pictures(contents, prints) == []
