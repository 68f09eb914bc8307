"""An encoder with a map behind it: the same as mapping what the other encoder gives, and no more than that can do."""

from __future__ import annotations

import numpy as np
import pytest
from adapting import linear
from fakes import DIM, ColourEncoder, MovementEncoder

from anyseek.adapters.encoder import AdaptedEncoder
from anyseek.encoders.protocol import BatchingEncoder, CuttableEncoder, Encoder, VideoEncoder, check_encoder
from anyseek.errors import AdapterMismatch
from anyseek.types import Clip, Modality, Segment

RED, GREEN, BLUE = np.eye(DIM, dtype=np.float32)[:3]
SEEN = (Modality.TEXT, Modality.IMAGE, Modality.AUDIO, Modality.VIDEO)


def picture(*colour: int) -> np.ndarray:
    return np.full((2, 2, 3), colour, np.uint8)


def test_every_modality_goes_through_its_map() -> None:
    base = MovementEncoder(modalities=frozenset(SEEN))
    encoder = AdaptedEncoder(base, linear({0: 1, 1: 0}, side="both", modalities=SEEN, space=base.space))
    tone = np.sin(2 * np.pi * 1000 * np.arange(8000) / 8000).astype(np.float32)
    moves = Clip(Segment(Modality.VIDEO, 0, 1000), np.stack([picture(0, 0, 0), picture(255, 0, 0)]), np.array([0, 500]))
    np.testing.assert_allclose(encoder.encode_text(["red", "blue"]), [GREEN, BLUE], atol=1e-6)
    np.testing.assert_allclose(encoder.encode_images([picture(255, 0, 0)]), [GREEN], atol=1e-6)
    np.testing.assert_allclose(encoder.encode_audio([tone]), [RED], atol=1e-3)
    np.testing.assert_allclose(encoder.encode_video([moves]), [GREEN], atol=1e-6)


def test_what_is_not_mapped_is_what_the_other_encoder_gives() -> None:
    base = ColourEncoder()
    encoder = AdaptedEncoder(base, linear({0: 1}, side="both"))
    pixels = picture(10, 200, 30)
    np.testing.assert_array_equal(encoder.encode_images([pixels]), base.encode_images([pixels]))
    np.testing.assert_allclose(encoder.encode_text(["red"]), [GREEN], atol=1e-6)
    assert encoder.encode_images([]).shape == encoder.encode_text([]).shape == (0, DIM)


def test_a_picture_gets_the_vector_that_mapping_the_stored_one_gives() -> None:
    base = ColourEncoder()
    adapter = linear({0: 1, 2: 0}, side="both", modalities=(Modality.IMAGE,))
    pictures = [picture(*colour) for colour in np.random.default_rng(0).integers(0, 256, (50, 3))]
    stored = base.encode_images(pictures).astype(np.float16).astype(np.float32)
    np.testing.assert_array_equal(AdaptedEncoder(base, adapter).encode_images(pictures), adapter.apply(stored, Modality.IMAGE))


def test_it_obeys_the_protocols_that_the_other_encoder_obeys() -> None:
    plain, moving = ColourEncoder(), MovementEncoder()
    plain.batch_size = 5  # type: ignore[attr-defined]
    adapted = AdaptedEncoder(plain, linear({}, side="both"))
    check_encoder(adapted)
    assert isinstance(adapted, Encoder)
    assert isinstance(adapted, BatchingEncoder)
    assert not isinstance(adapted, VideoEncoder)
    assert not isinstance(adapted, CuttableEncoder)
    assert adapted.batch_size == 5
    assert (adapted.image_size, adapted.sample_rate, adapted.max_audio_ms, adapted.window_ms) == (16, 8000, 4000, 3000)
    assert adapted.modalities == plain.modalities
    assert adapted.space.spec == "adapted:words"
    film = AdaptedEncoder(moving, linear({}, side="both", space=moving.space))
    assert isinstance(film, VideoEncoder)
    assert not isinstance(film, BatchingEncoder)
    assert film.max_frames == moving.max_frames


def test_an_encoder_of_another_space_is_refused() -> None:
    with pytest.raises(AdapterMismatch, match="another version of colour"):
        AdaptedEncoder(ColourEncoder(version="2"), linear({}, side="both"))
