"""The shipped texts and those of a user."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from anyseek.encoders.registry import load
from anyseek.errors import BadInput
from anyseek.search.calibrations import shipped_calibrations
from anyseek.search.texts import shipped_vectors
from anyseek.search.vocabulary import Vocabulary

ROOT = Path(__file__).parents[3]


def test_the_shipped_texts_are_those_that_the_generator_makes() -> None:
    script = str(ROOT / "scripts" / "build_vocabulary.py")
    done = subprocess.run([sys.executable, script, "--check"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_shipped_texts_are_many_short_and_of_both_senses() -> None:
    texts = Vocabulary.shipped().texts
    assert len(texts) == len({text.lower() for text in texts}) >= 1000
    assert all(1 <= len(text.split()) <= 16 and text == text.strip() for text in texts)
    assert {"a dog barking", "a photo of a dog", "the sound of thunder rolling in the distance", "the Milky Way above a desert"} <= set(
        texts
    )
    assert min(sum("sound of" in text for text in texts), sum("photo of" in text for text in texts)) > 200


def test_articles_fit_their_nouns() -> None:
    texts = Vocabulary.shipped().texts
    wrong = [text for text in texts for a, noun in zip(text.split(), text.split()[1:], strict=False) if _misfits(a, noun)]
    assert wrong == []


def _misfits(article: str, noun: str) -> bool:
    vowel = noun[0] in "aeioAEIO" or noun.startswith(("umbrella", "underground", "X-ray"))
    sounds_like_you = noun.startswith(("eu", "ukulele", "uniform"))
    return (article == "a" and vowel and not sounds_like_you) or (article == "an" and (not vowel or sounds_like_you))


def test_a_users_own_texts() -> None:
    own = [f"caption {number}" for number in range(30)]
    vocabulary = Vocabulary.of([*own, "", "  caption 3 "])
    assert vocabulary.texts == tuple(own)
    assert vocabulary.digest != Vocabulary.of(own[::-1]).digest
    with pytest.raises(BadInput, match="2 captions are too few"):
        Vocabulary.of(["a", "b", "a"])


def test_what_the_starter_makes_of_the_texts_is_shipped_and_right() -> None:
    starter, vocabulary = load("starter"), Vocabulary.shipped()
    shipped = shipped_vectors(starter.space.fingerprint, vocabulary.digest)
    assert shipped is not None, "run  python scripts/build_vocabulary.py"
    assert shipped.shape == (len(vocabulary.texts), starter.space.dim)
    some = slice(0, None, 100)
    np.testing.assert_allclose(shipped[some], starter.encode_text(list(vocabulary.texts[some])), atol=2e-3)
    assert shipped_vectors(starter.space.fingerprint, Vocabulary.of(vocabulary.texts[1:]).digest) is None


def test_the_starter_is_calibrated_for_the_texts_as_they_are() -> None:
    starter = load("starter")
    calibration = shipped_calibrations()[starter.space.fingerprint]
    assert calibration.captions == Vocabulary.shipped().digest, "run  python scripts/calibrate_starter.py"
    assert calibration.queries >= 100
