from pathlib import Path

import imagehash
import numpy as np
import pytest
from films import film, sound
from PIL import Image

from anyseek.errors import FailureCode, MediaError
from anyseek.media.fingerprint import PICTURE, SOUND_STEP_MS, VERSION, fingerprint, sound_hashes
from anyseek.types import Kind


def print_of(path: Path) -> np.void:
    return np.frombuffer(fingerprint(path, Kind.IMAGE), PICTURE)[0]


def noise(seconds: float, rate: int = 8_000, seed: int = 2) -> np.ndarray:
    return (0.2 * np.random.default_rng(seed).standard_normal(round(seconds * rate))).astype(np.float32).clip(-1, 1)


def test_a_picture_has_the_hashes_that_imagehash_gives(demo: Path, tmp_path: Path) -> None:
    with Image.open(demo / "photos" / "IMG_2041.jpg") as photo:
        small = photo.convert("RGB").resize((128, 128))
    small.save(tmp_path / "small.png")
    found = print_of(tmp_path / "small.png")
    assert found["version"] == VERSION
    assert f"{int(found['coarse']):016x}" == str(imagehash.phash(small))
    assert found["fine"].tobytes().hex() == str(imagehash.phash(small, hash_size=16))
    grey, blue, red = (np.asarray(band, np.float64) for band in small.convert("YCbCr").split())
    assert (found["blue"], found["red"]) == (round(blue.mean()), round(red.mean()))
    assert found["contrast"] == int(grey.std())


def test_a_picture_is_looked_at_upright(demo: Path, tmp_path: Path) -> None:
    with Image.open(demo / "photos" / "IMG_2041.jpg") as photo:
        upright = photo.convert("RGB").resize((128, 96))
    upright.save(tmp_path / "upright.png")
    exif = Image.Exif()
    exif[274] = 6
    upright.transpose(Image.Transpose.ROTATE_90).save(tmp_path / "turned.png", exif=exif)
    assert fingerprint(tmp_path / "turned.png", Kind.IMAGE) == fingerprint(tmp_path / "upright.png", Kind.IMAGE)


def test_of_several_frames_the_first_counts(tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    first, second = (Image.fromarray(random.integers(0, 255, (8, 8), np.uint8)).resize((64, 64)) for _ in range(2))
    first.save(tmp_path / "pages.tiff", save_all=True, append_images=[second])
    first.save(tmp_path / "page.tiff")
    assert fingerprint(tmp_path / "pages.tiff", Kind.IMAGE) == fingerprint(tmp_path / "page.tiff", Kind.IMAGE)


def test_loudness_changes_no_hash_and_silence_has_none() -> None:
    samples = noise(4)
    hashes = sound_hashes(samples)
    assert len(hashes) == (len(samples) - 3_200) // 512 + 1
    assert np.array_equal(hashes, sound_hashes(samples * np.float32(0.25)))
    assert hashes[0] == 0
    assert len(np.unique(hashes[1:])) > 40
    assert not sound_hashes(samples * np.float32(1e-4)).any()
    assert not len(sound_hashes(samples[:3_199]))


def test_a_long_sound_is_hashed_as_in_one_piece(tmp_path: Path) -> None:
    """It is decoded in pieces of 32 s."""
    samples = noise(70)
    path = sound(tmp_path / "noise.wav", samples[None], rate=8_000)
    stored = fingerprint(path, Kind.AUDIO)
    assert stored[:5] == bytes([VERSION, 0, 0, 0, 0])
    heard = np.frombuffer(stored, "<u4", offset=5)
    whole = sound_hashes((np.round(samples * 32768).clip(-32768, 32767) / 32768).astype(np.float32))
    assert len(heard) == len(whole)
    assert np.flatnonzero(heard == 0).tolist() == [0]
    assert np.mean([(int(one) ^ int(other)).bit_count() for one, other in zip(heard, whole, strict=True)]) < 0.5


def test_a_film_has_a_hash_every_half_second_and_its_sound_where_it_is_heard(tmp_path: Path) -> None:
    random = np.random.default_rng(4)
    scenes = [np.asarray(Image.fromarray(random.integers(0, 255, (6, 8, 3), np.uint8)).resize((160, 96))) for _ in range(4)]
    samples = noise(2)
    path = film(tmp_path / "scenes.mp4", paint=lambda number: scenes[number // 25], sounds=[(samples[None], 8_000, 1.0)])
    stored = fingerprint(path, Kind.VIDEO)
    frames = np.frombuffer(stored, "<u8", int.from_bytes(stored[1:5], "little"), 5)
    wanted = [int(str(imagehash.phash(Image.fromarray(scene).convert("L"))), 16) for scene in scenes for _ in range(2)]
    assert len(frames) == 8
    assert max((int(one) ^ other).bit_count() for one, other in zip(frames, wanted, strict=True)) <= 4
    heard = np.frombuffer(stored, "<u4", offset=5 + 8 * 8)
    begins, ends = (int(step) * SOUND_STEP_MS for step in np.flatnonzero(heard)[[0, -1]])
    assert 500 <= begins <= 1_100
    assert 2_300 <= ends <= 3_000


def test_plain_frames_say_nothing(tmp_path: Path) -> None:
    path = film(tmp_path / "grey.mp4", paint=lambda number: np.full((48, 64, 3), 120, np.uint8))
    stored = fingerprint(path, Kind.VIDEO)
    assert not any(stored[5:])
    assert len(stored) == 5 + 8 * 8


@pytest.mark.parametrize(("kind", "code"), [(Kind.VIDEO, FailureCode.CHANGED), (Kind.IMAGE, FailureCode.NOT_MEDIA)])
def test_what_is_something_else_by_now_is_refused(tmp_path: Path, kind: Kind, code: FailureCode) -> None:
    path = sound(tmp_path / "tone.wav", noise(1)[None], rate=8_000)
    with pytest.raises(MediaError) as caught:
        fingerprint(path, kind)
    assert caught.value.code is code
