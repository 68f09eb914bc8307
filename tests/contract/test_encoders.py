"""What every encoder promises, held against all of them."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from fakes import ColourEncoder

from anyseek.encoders import registry
from anyseek.encoders.protocol import Encoder, EncoderSettings
from anyseek.errors import BadInput, BadQuery
from anyseek.types import Modality

MAKERS = {"starter": lambda: registry.load("starter", EncoderSettings(threads=1)), "colour": ColourEncoder}


@pytest.fixture(scope="module", params=MAKERS)
def encoder(request):
    return MAKERS[request.param]()


def pictures(count):
    random = np.random.default_rng(1)
    return [random.integers(0, 256, (random.integers(1, 90), random.integers(1, 90), 3), dtype=np.uint8) for _ in range(count)]


def windows(encoder, count):
    random = np.random.default_rng(2)
    longest = encoder.sample_rate * encoder.max_audio_ms // 1000
    return [random.uniform(-1, 1, random.integers(1, longest // 2)).astype(np.float32) for _ in range(count)]


TEXTS = [
    "red",
    "a dog barking at the sea",
    "it's a café, isn't it?",
    "100 %",
    "low blue 猫",
    "x " * 20,
    "http://example.com/cat.jpg",
    "\udcff.jpg",
]


def inputs(encoder):
    return {
        Modality.TEXT: (encoder.encode_text, TEXTS),
        Modality.IMAGE: (encoder.encode_images, pictures(6)),
        Modality.AUDIO: (encoder.encode_audio, windows(encoder, 5)),
    }


@pytest.fixture(params=[Modality.TEXT, Modality.IMAGE, Modality.AUDIO], ids=str)
def call(request, encoder):
    """(encode, items) of one modality."""
    return inputs(encoder)[request.param]


def test_satisfies_the_protocol(encoder):
    assert isinstance(encoder, Encoder)
    assert encoder.modalities <= frozenset(Modality)
    assert encoder.space.dim > 0
    assert encoder.space.spec
    assert len(encoder.space.fingerprint) == 64
    assert encoder.image_size > 0
    assert encoder.sample_rate > 0
    assert encoder.max_audio_ms > 0


@pytest.mark.parametrize("name", MAKERS)
def test_two_instances_are_one_space(name):
    assert MAKERS[name]().space == MAKERS[name]().space


def test_rows_are_finite_unit_float32(encoder, call):
    encode, items = call
    rows = encode(items)
    assert rows.shape == (len(items), encoder.space.dim)
    assert rows.dtype == np.float32
    assert np.isfinite(rows).all()
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)


def test_nothing_in_gives_no_rows(encoder, call):
    rows = call[0]([])
    assert rows.shape == (0, encoder.space.dim)
    assert rows.dtype == np.float32


def test_a_row_depends_on_its_own_input_alone(call):
    encode, items = call
    together = encode(items)
    alone = np.concatenate([encode([item]) for item in items])
    turned = encode(items[::-1])[::-1]
    np.testing.assert_allclose(alone, together, atol=1e-6)
    np.testing.assert_allclose(turned, together, atol=1e-6)


def test_the_same_on_every_call(call):
    encode, items = call
    np.testing.assert_array_equal(encode(items), encode(items))


def test_different_inputs_differ(call):
    encode, items = call
    rows = encode(items[:4])
    assert len(np.unique(rows.round(4), axis=0)) == 4


def test_several_threads_get_the_same_rows(call):
    encode, items = call
    expected = encode(items)
    with ThreadPoolExecutor(4) as pool:
        for rows in pool.map(lambda _: encode(items), range(4)):
            np.testing.assert_allclose(rows, expected, atol=1e-6)


def test_inputs_are_left_alone(encoder):
    picture, window = pictures(1)[0], windows(encoder, 1)[0]
    copies = picture.copy(), window.copy()
    picture.flags.writeable = window.flags.writeable = False
    encoder.encode_images([picture])
    encoder.encode_audio([window])
    np.testing.assert_array_equal(picture, copies[0])
    np.testing.assert_array_equal(window, copies[1])


@pytest.mark.parametrize("shape", [(1, 1), (1, 2000), (2000, 1), (3, 5), (700, 500)], ids=str)
@pytest.mark.parametrize("value", [0, 255])
def test_every_size_of_picture_has_a_row(encoder, shape, value):
    row = encoder.encode_images([np.full((*shape, 3), value, np.uint8)])[0]
    assert np.linalg.norm(row) == pytest.approx(1, abs=1e-5)


def test_pictures_need_not_lie_together_in_memory(encoder):
    picture = pictures(1)[0]
    np.testing.assert_array_equal(encoder.encode_images([picture[::-1, ::-1][::-1, ::-1]]), encoder.encode_images([picture]))


@pytest.mark.parametrize("count", [1, 2, 399, 400, 16_000])
@pytest.mark.parametrize("value", [0.0, 1.0, -0.5, 7.0])
def test_every_length_of_sound_has_a_row(encoder, count, value):
    row = encoder.encode_audio([np.full(count, value, np.float32)])[0]
    assert np.linalg.norm(row) == pytest.approx(1, abs=1e-5)


def test_the_longest_window_is_heard_and_one_sample_more_is_refused(encoder):
    longest = encoder.sample_rate * encoder.max_audio_ms // 1000
    assert encoder.encode_audio([np.zeros(longest, np.float32)]).shape == (1, encoder.space.dim)
    with pytest.raises(BadInput, match=rf"{longest + 1}.*{longest}"):
        encoder.encode_audio([np.zeros(longest + 1, np.float32)])


@pytest.mark.parametrize("text", ["", " ", "\n\t ", "\u200b"])
def test_a_blank_text_is_a_bad_query(encoder, text):
    with pytest.raises(BadQuery):
        encoder.encode_text(["dog", text])


def test_a_text_that_is_too_long_names_the_limit(encoder):
    with pytest.raises(BadQuery, match=r"\d+ word.*\d+.*shorten"):
        encoder.encode_text(["word " * 1000])


@pytest.mark.parametrize(
    "picture",
    [
        np.zeros((4, 4), np.uint8),
        np.zeros((4, 4, 4), np.uint8),
        np.zeros((3, 4, 4), np.uint8),
        np.zeros((4, 4, 3), np.float32),
        np.zeros((0, 4, 3), np.uint8),
        "cat.jpg",
    ],
    ids=["grey", "four channels", "channels first", "float", "no rows", "path"],
)
def test_what_is_no_picture_is_refused(encoder, picture):
    with pytest.raises(BadInput):
        encoder.encode_images([np.zeros((4, 4, 3), np.uint8), picture])


@pytest.mark.parametrize(
    "window",
    [np.zeros(0, np.float32), np.zeros((2, 800), np.float32), np.zeros(800, np.float64), np.zeros(800, np.int16), "dog.wav"],
    ids=["empty", "stereo", "float64", "int16", "path"],
)
def test_what_is_no_sound_is_refused(encoder, window):
    with pytest.raises(BadInput):
        encoder.encode_audio([np.zeros(800, np.float32), window])


def test_no_torch_anywhere(encoder):
    for encode, items in inputs(encoder).values():
        encode(items[:1])
    assert "torch" not in sys.modules
