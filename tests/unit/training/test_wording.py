"""Names of cameras, programs and dates say nothing; words that people chose do."""

from __future__ import annotations

from pathlib import Path

import pytest

from anyseek.training.wording import words_of

SILENT = """
    IMG_2041 IMG-20230815-WA0004 IMG_E1234 DSC_0141 DSCF4415 DSCN0001 P10473 PXL_20230706_154533 MVI_0412 MOV00019 VID_20230611
    GOPR0123 GH010234 GX010001 REC003 20220114_033012 scan0003 0023 2019-07-04 d41d8cd98f00b204e9800998ecf8427e Screenshot_20230101-120000
    take_7 photos Videos Photo P x Aug_2023 untitled copy 007 - the of_the A
"""


@pytest.mark.parametrize("name", [*SILENT.split(), "", "Screenshot 2023-01-01 at 5.30 PM", "take 7", "IMG_2041 (copy 2)"])
def test_what_says_nothing(name: str) -> None:
    assert words_of(name) == ""


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("band practice", "band practice"),
        ("BandPractice (2)", "band practice"),
        ("egypt_11", "egypt"),
        ("farm 2022", "farm"),
        ("holiday_0704", "holiday"),
        ("city trip", "city trip"),
        ("a dog at the sea", "a dog at the sea"),
        ("photo of a dog", "photo of a dog"),
        ("New York 2019", "new york"),
        ("beach-copy-2", "beach"),
        ("PANO_20190101 lake como", "lake como"),
        ("Glimmer-X200", "glimmer"),
        ("NASA launch", "NASA launch"),
        ("KITCHEN", "kitchen"),
        ("Bob's party", "Bob's party"),
        ("été à Nice", "été à nice"),
        ("Hund_am_Strand-03", "hund am strand"),
        ("犬 海", "犬 海"),
        ("собака", "собака"),
        ("sunset1", "sunset"),
    ],
)
def test_what_says_something(name: str, words: str) -> None:
    assert words_of(name) == words


def test_the_demo_media(demo: Path) -> None:
    """Of more than a hundred names these say something."""
    said = {words_of(path.stem if path.is_file() else path.name) for path in demo.rglob("*")} - {""}
    assert said == {
        *("alps", "band practice", "bunny", "chelsea", "city trip", "egypt", "farm", "holiday", "morning", "nature", "rome", "zoo"),
    }
