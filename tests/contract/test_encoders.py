"""What every encoder promises, held against all of them.

Those that run on torch have random weights: what they promise does not depend on what they have learned.
"""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache

import numpy as np
import pytest
from adapting import linear
from fakes import ColourEncoder
from tiny_models import tiny

from anyseek.adapters.encoder import AdaptedEncoder
from anyseek.encoders import registry
from anyseek.encoders.protocol import Encoder, EncoderSettings, VideoEncoder
from anyseek.errors import BadInput, BadQuery, UnsupportedModality
from anyseek.types import ENCODED, Clip, Modality, Segment

TEXT, IMAGE, AUDIO, VIDEO = ENCODED


@dataclass(frozen=True)
class Candidate:
    """An encoder under test.

    Attributes:
        name: In the names of tests.
        modalities: What it should understand.
        backend: Its name with a colon, for those that are loaded from a folder.
        model: Module and function of `tiny_models` that make the folder.
    """

    name: str
    modalities: tuple[Modality, ...]
    backend: str = ""
    model: tuple[str, ...] = ()

    @property
    def spec(self):
        return f"{self.backend}{tiny(*self.model)}" if self.backend else self.name

    def load(self, **settings):
        if self.name == "colour":
            return ColourEncoder(settings=EncoderSettings(**settings))
        if self.name == "adapted":
            return AdaptedEncoder(ColourEncoder(), linear({0: 1, 1: 2, 4: 0}, side="both", modalities=self.modalities))
        return registry.load(self.spec, EncoderSettings(**{"threads": 1, "device": "cpu", **settings}))


CANDIDATES = [
    Candidate("colour", (TEXT, IMAGE, AUDIO)),
    Candidate("adapted", (TEXT, IMAGE, AUDIO)),
    Candidate("starter", (TEXT, IMAGE, AUDIO)),
    Candidate("open_clip", (TEXT, IMAGE), "open_clip:local-dir:", ("openclip",)),
    Candidate("open_clip siglip", (TEXT, IMAGE), "open_clip:local-dir:", ("openclip", "build_siglip")),
    Candidate("clap", (TEXT, AUDIO), "clap:", ("clap",)),
    Candidate("clap fused", (TEXT, AUDIO), "clap:", ("clap", "build_fused")),
    Candidate("st clip", (TEXT, IMAGE), "st:", ("clip",)),
    Candidate("st siglip2", (TEXT, IMAGE), "st:", ("siglip2",)),
    Candidate("st embeddinggemma2", (TEXT, IMAGE, AUDIO, VIDEO), "st:", ("embeddinggemma2",)),
    Candidate("st qwen3vl", (TEXT, IMAGE, VIDEO), "st:", ("qwen3vl",)),
]
ON_TORCH = [candidate for candidate in CANDIDATES if candidate.backend]


def having(modality):
    return pytest.mark.parametrize("candidate", [one for one in CANDIDATES if modality in one.modalities], ids=name_of)


def name_of(candidate):
    return candidate.name


@cache
def encoder_of(candidate):
    return candidate.load()


@pytest.fixture(params=CANDIDATES, ids=name_of)
def candidate(request):
    return request.param


@pytest.fixture
def encoder(candidate):
    return encoder_of(candidate)


@pytest.fixture(
    params=[(candidate, modality) for candidate in CANDIDATES for modality in candidate.modalities],
    ids=lambda param: f"{param[0].name} {param[1]}",
)
def call(request):
    """(encode, items) of one modality of one encoder."""
    candidate, modality = request.param
    return inputs(encoder_of(candidate))[modality]


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


def clips(count):
    random = np.random.default_rng(3)
    frames = [random.integers(0, 256, (random.integers(1, 5), 40, 50, 3), dtype=np.uint8) for _ in range(count)]
    return [Clip(Segment(VIDEO, 0, 1000 * len(shot)), shot, 1000 * np.arange(len(shot))) for shot in frames]


def inputs(encoder):
    return {
        TEXT: (encoder.encode_text, TEXTS),
        IMAGE: (encoder.encode_images, pictures(6)),
        AUDIO: (encoder.encode_audio, windows(encoder, 5)),
        VIDEO: (getattr(encoder, "encode_video", None), clips(4)),
    }


def test_satisfies_the_protocol(candidate, encoder):
    assert isinstance(encoder, Encoder)
    assert encoder.modalities == frozenset(candidate.modalities)
    assert isinstance(encoder, VideoEncoder) or VIDEO not in encoder.modalities
    assert encoder.space.dim > 0
    assert encoder.space.spec
    assert len(encoder.space.fingerprint) == 64
    assert encoder.image_size > 0
    assert encoder.sample_rate > 0
    assert 0 < encoder.window_ms <= encoder.max_audio_ms


def test_two_instances_are_one_space(candidate):
    assert candidate.load().space == candidate.load(device="auto", batch_size=3, threads=2).space


def test_all_are_spaces_of_their_own():
    assert len({encoder_of(candidate).space.fingerprint for candidate in CANDIDATES}) == len(CANDIDATES)


def test_what_it_does_not_understand_is_refused(candidate, encoder):
    for modality, (encode, items) in inputs(encoder).items():
        if modality not in candidate.modalities and encode is not None:
            with pytest.raises(UnsupportedModality, match=f"does not understand {modality}"):
                encode(items)


def test_rows_are_finite_unit_float32(call):
    encode, items = call
    rows = encode(items)
    assert rows.shape == (len(items), encode.__self__.space.dim)
    assert rows.dtype == np.float32
    assert np.isfinite(rows).all()
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)


def test_nothing_in_gives_no_rows(call):
    encode, _ = call
    rows = encode([])
    assert rows.shape == (0, encode.__self__.space.dim)
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


def test_inputs_are_left_alone(call):
    encode, items = call
    arrays = [item.frames if isinstance(item, Clip) else item for item in items if not isinstance(item, str)]
    copies = [array.copy() for array in arrays]
    for array in arrays:
        array.flags.writeable = False
    encode(items)
    for array, copy in zip(arrays, copies, strict=True):
        np.testing.assert_array_equal(array, copy)


@having(IMAGE)
@pytest.mark.parametrize("shape", [(1, 1), (1, 2000), (2000, 1), (3, 5), (700, 500)], ids=str)
@pytest.mark.parametrize("value", [0, 255])
def test_every_size_of_picture_has_a_row(encoder, shape, value):
    row = encoder.encode_images([np.full((*shape, 3), value, np.uint8)])[0]
    assert np.linalg.norm(row) == pytest.approx(1, abs=1e-5)


@having(IMAGE)
def test_pictures_need_not_lie_together_in_memory(encoder):
    picture = pictures(1)[0]
    np.testing.assert_array_equal(encoder.encode_images([picture[::-1, ::-1][::-1, ::-1]]), encoder.encode_images([picture]))


@having(AUDIO)
@pytest.mark.parametrize("count", [1, 2, 399, 400, 16_000])
@pytest.mark.parametrize("value", [0.0, 1.0, -0.5, 7.0])
def test_every_length_of_sound_has_a_row(encoder, count, value):
    row = encoder.encode_audio([np.full(count, value, np.float32)])[0]
    assert np.linalg.norm(row) == pytest.approx(1, abs=1e-5)


@having(AUDIO)
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
        encoder.encode_text(["word " * 10_000])


@having(IMAGE)
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


@having(AUDIO)
@pytest.mark.parametrize(
    "window",
    [np.zeros(0, np.float32), np.zeros((2, 800), np.float32), np.zeros(800, np.float64), np.zeros(800, np.int16), "dog.wav"],
    ids=["empty", "stereo", "float64", "int16", "path"],
)
def test_what_is_no_sound_is_refused(encoder, window):
    with pytest.raises(BadInput):
        encoder.encode_audio([np.zeros(800, np.float32), window])


def test_text_is_never_a_path(encoder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    before = encoder.encode_text(["cat.png"])
    (tmp_path / "cat.png").write_bytes(b"not a picture")
    np.testing.assert_array_equal(encoder.encode_text(["cat.png"]), before)


@pytest.mark.parametrize("candidate", ON_TORCH, ids=name_of)
def test_the_size_of_batches_shapes_no_row(candidate):
    small, encoder = candidate.load(batch_size=2), encoder_of(candidate)
    for modality in candidate.modalities:
        encode, items = inputs(encoder)[modality]
        np.testing.assert_allclose(inputs(small)[modality][0](items), encode(items), atol=1e-6)


@pytest.mark.gpu("torch")
@pytest.mark.parametrize("candidate", ON_TORCH, ids=name_of)
def test_a_gpu_gives_nearly_the_same_rows(candidate):
    """In half precision where the adapter allows it: cosines of 0.999 and more."""
    on_gpu, on_cpu = candidate.load(device="cuda"), encoder_of(candidate)
    for modality in candidate.modalities:
        encode, items = inputs(on_cpu)[modality]
        cosines = (inputs(on_gpu)[modality][0](items) * encode(items)).sum(axis=1)
        assert cosines.min() > 0.999


@pytest.mark.parametrize("candidate", ON_TORCH, ids=name_of)
def test_several_threads_may_bring_it_to_life(candidate):
    encoder = candidate.load()
    expected = encoder_of(candidate).encode_text(TEXTS)
    with ThreadPoolExecutor(4) as pool:
        for rows in pool.map(lambda _: encoder.encode_text(TEXTS), range(4)):
            np.testing.assert_allclose(rows, expected, atol=1e-6)


@pytest.mark.parametrize("candidate", [one for one in ON_TORCH if "gemma" not in one.name], ids=name_of)
def test_a_model_that_was_not_trained_to_be_cut_is_not(candidate):
    dim = encoder_of(candidate).space.dim
    assert candidate.load(dim=dim).space == encoder_of(candidate).space
    with pytest.raises(BadInput, match="cut to 5"):
        candidate.load(dim=5)


FIRST_USE = """
import sys
import numpy as np
from anyseek.encoders import registry
encoder = registry.load(sys.argv[1])
assert encoder.space.dim and encoder.modalities
assert "torch" not in sys.modules, "making it has imported torch"
encoder.encode_text(["a red dog"])
if "image" in encoder.modalities:
    encoder.encode_images([np.zeros((40, 40, 3), np.uint8)])
if "audio" in encoder.modalities:
    encoder.encode_audio([np.zeros(800, np.float32)])
assert sys.argv[2] == "yes" or "torch" not in sys.modules, "encoding has imported torch"
import logging
assert not logging.getLogger().handlers, "the log has got a handler"
"""


@pytest.mark.parametrize("candidate", [one for one in CANDIDATES if one.name not in ("colour", "adapted")], ids=name_of)
def test_it_is_made_without_torch_and_works_without_a_word(candidate):
    command = [sys.executable, "-W", "always", "-c", FIRST_USE, candidate.spec, "yes" if candidate.backend else "no"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
