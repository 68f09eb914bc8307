"""The corpus, file by file through `open_media`, and what a disk or a cable makes of good pictures."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import pytest
from odd_files import ODD_FILES, OddFile, plant

from anyseek.errors import FailureCode, MediaError
from anyseek.media.image import ImageFile
from anyseek.media.open import open_media
from anyseek.media.protocol import DecodeOptions
from anyseek.types import Kind, MediaInfo, Modality

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")

WINDOWS = DecodeOptions(image_size=64)
_READ = [odd for odd in ODD_FILES if odd.expected.state != "skipped"]


def read(path: Path) -> tuple[MediaInfo, Counter[Modality]]:
    with open_media(path, WINDOWS) as file:
        found = Counter(decoded.segment.modality for decoded in file.segments())
        return file.info, found


@pytest.mark.parametrize("odd", _READ, ids=lambda odd: repr(odd.name)[1:40])
def test_every_odd_file_ends_as_it_should(tmp_path: Path, odd: OddFile) -> None:
    path = tmp_path / odd.name
    path.parent.mkdir(exist_ok=True)
    try:
        odd.make(path)
    except OSError:
        if not odd.where_possible:
            raise
        pytest.skip("this system cannot hold it")
    if odd.expected.state == "failed":
        with pytest.raises(MediaError) as caught:
            read(path)
        assert (caught.value.code, caught.value.path) == (odd.expected.code, path)
    else:
        info, found = read(path)
        assert info.kind is odd.expected.kind
        assert found.total() >= odd.expected.segments
        assert (Modality.IMAGE in found) == (info.kind is not Kind.AUDIO)
        assert (Modality.AUDIO in found) == info.has_audio


def test_names_in_the_table_are_unique_and_the_table_is_long() -> None:
    assert len({odd.name for odd in ODD_FILES}) == len(ODD_FILES) > 100


def test_mutants_of_pictures_raise_nothing_but_media_errors(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Cut, overwritten or zeroed at random places; of 42,000 in a longer run none raised anything else."""
    planted = [tmp_path / odd.name for odd in plant(tmp_path) if odd.expected.kind is Kind.IMAGE]
    originals = [data for path in planted if len(data := path.read_bytes()) < 50_000]
    dice = random.Random(11)
    ends: Counter[FailureCode | str] = Counter()
    for _ in range(400):
        mutant = bytearray(dice.choice(originals))
        place = dice.randrange(len(mutant))
        match dice.randrange(3):
            case 0:
                del mutant[place + 1 :]
            case 1:
                mutant[place] ^= 1 << dice.randrange(8)
            case _:
                mutant[place : place + 40] = bytes(40)
        path = tmp_path / "mutant"
        path.write_bytes(mutant)
        try:
            with ImageFile(path, WINDOWS) as file:
                ends["read"] += bool(list(file.segments()))
        except MediaError as error:
            ends[error.code] += 1
    assert ends["read"] > 50
    assert ends[FailureCode.DAMAGED] > 50
    caplog.clear()  # Pillow logs some of them as errors
