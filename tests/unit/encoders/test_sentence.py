"""Sentence Transformers' models: equal to the library's own call on the same input, and without its traps.

What every encoder promises is held by `tests/contract`; what is read from configuration files by `test_sentence_checkpoint`.
"""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image
from tiny_models import clip, embeddinggemma2, qwen3vl, tiny

from anyseek.encoders.protocol import CuttableEncoder, EncoderSettings, VideoEncoder
from anyseek.encoders.registry import load
from anyseek.encoders.sentence import SentenceEncoder
from anyseek.errors import BadInput, BadQuery, ModelUnavailable, UnsupportedModality
from anyseek.types import Clip, Modality, Segment

MODELS = {
    "clip": ("clip", "build"),
    "siglip2": ("siglip2", "build"),
    "siglip2 fixed": ("siglip2", "build_fixed"),
    "chinese": ("chineseclip", "build"),
    "gemma": ("embeddinggemma2", "build"),
    "deaf gemma": ("embeddinggemma2", "build_deaf"),
    "qwen": ("qwen3vl", "build"),
    "qwen plain": ("qwen3vl", "build_plain"),
    "bert": ("bert", "build"),
}
RATE = 16_000
FILLED = {"text": {"padding": "max_length", "max_length": 64, "truncation": True}}
WHOLE = {"truncation": False}  # the tiny tokenizers have a limit that would cut what stands for a picture, and then fail
GEMMA = {
    "text": WHOLE,
    "image": {"max_soft_tokens": 70},
    "video": {"max_soft_tokens": 70, "do_sample_frames": False, "add_timestamps": False, "input_data_format": "channels_last"},
}
QWEN = {
    "text": WHOLE,
    "image": {"size": {"shortest_edge": 4_096, "longest_edge": 1_843_200}},
    "video": {"size": {"shortest_edge": 4_096, "longest_edge": 7_864_320}, "do_sample_frames": False, "cap_pixels_per_frame": True},
}
QUERY = "Retrieve images or text relevant to the user's query."
DOCUMENT = "Represent the user's input."


def folder_of(name):
    return tiny(*MODELS[name])


@pytest.fixture(scope="module")
def encoder_of():
    made = {}

    def make(name):
        return made.setdefault(name, SentenceEncoder(str(folder_of(name)), EncoderSettings(device="cpu")))

    return make


@pytest.fixture(scope="module")
def library_of():
    made = {}

    def make(name):
        from sentence_transformers import SentenceTransformer

        if name not in made:
            made[name] = SentenceTransformer(str(folder_of(name)), device="cpu", local_files_only=True)
        return made[name]

    return make


def unit(rows):
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def pictures():
    random = np.random.default_rng(1)
    return [random.integers(0, 256, (height, width, 3), dtype=np.uint8) for height, width in [(40, 60), (33, 90), (3, 5), (120, 70)]]


def windows(*lengths):
    random = np.random.default_rng(2)
    return [random.uniform(-1, 1, length).astype(np.float32) for length in lengths]


def clips(*shapes, step_ms=700):
    random = np.random.default_rng(3)
    frames = [random.integers(0, 256, (*shape, 3), dtype=np.uint8) for shape in shapes]
    return [Clip(Segment(Modality.VIDEO), shown, np.arange(len(shown)) * step_ms) for shown in frames]


TEXTS = ["red", "a dog barking at the sea", "it's 100 %", "x " * 20]


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("clip", {}),
        ("siglip2", {"processing_kwargs": FILLED}),
        ("siglip2 fixed", {"processing_kwargs": FILLED}),
        ("chinese", {}),
        ("gemma", {"prompt_name": "query"}),
        ("qwen", {"prompt": QUERY}),
        ("bert", {}),
    ],
)
def test_texts_are_encoded_as_the_library_does(encoder_of, library_of, name, arguments):
    expected = unit(library_of(name).encode(TEXTS, batch_size=1, **arguments))
    np.testing.assert_allclose(encoder_of(name).encode_text(TEXTS), expected, atol=1e-5)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("clip", {}),
        ("siglip2", {}),
        ("siglip2 fixed", {}),
        ("chinese", {}),
        ("gemma", {"processing_kwargs": GEMMA}),
        ("qwen", {"processing_kwargs": QWEN, "prompt": DOCUMENT}),
    ],
)
def test_pictures_are_encoded_as_the_library_does(encoder_of, library_of, name, arguments):
    images = [Image.fromarray(pixels) for pixels in pictures()]
    expected = unit(library_of(name).encode(images, batch_size=1, **arguments))
    np.testing.assert_allclose(encoder_of(name).encode_images(pictures()), expected, atol=1e-5)


def test_sounds_are_encoded_as_the_library_does(encoder_of, library_of):
    sounds = windows(2_000, RATE, 50_001)
    wrapped = [{"array": samples, "sampling_rate": RATE} for samples in sounds]
    expected = unit(library_of("gemma").encode_document(wrapped, batch_size=1))
    np.testing.assert_allclose(encoder_of("gemma").encode_audio(sounds), expected, atol=1e-5)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [("gemma", {"processing_kwargs": GEMMA, "prompt_name": "document"}), ("qwen", {"processing_kwargs": QWEN, "prompt": DOCUMENT})],
)
def test_clips_are_encoded_as_the_library_does(encoder_of, library_of, name, arguments):
    given = clips((4, 30, 40), (7, 64, 32), (2, 1000, 1100), (32, 600, 500))
    wrapped = [
        {
            "array": clip.frames,
            "video_metadata": {"fps": 1000.0, "total_num_frames": int(clip.times_ms[-1]) + 1, "frames_indices": clip.times_ms.tolist()},
        }
        for clip in given
    ]
    expected = unit(library_of(name).encode(wrapped, batch_size=1, **arguments))
    np.testing.assert_allclose(encoder_of(name).encode_video(given), expected, atol=1e-5)


@pytest.mark.parametrize("name", ["gemma", "qwen"])
def test_a_clip_does_not_depend_on_its_batch(encoder_of, name):
    given = clips((4, 30, 40), (1, 20, 20), (32, 3, 32), (5, 1, 1), (2, 90, 33))
    together = encoder_of(name).encode_video(given)
    alone = np.concatenate([encoder_of(name).encode_video([clip]) for clip in given])
    by_two = SentenceEncoder(str(folder_of(name)), EncoderSettings(device="cpu", batch_size=2)).encode_video(given)
    assert together.shape == (5, encoder_of(name).space.dim)
    assert encoder_of(name).encode_video([]).shape == (0, encoder_of(name).space.dim)
    np.testing.assert_allclose(together, alone, atol=1e-5)
    np.testing.assert_allclose(together, by_two, atol=1e-5)


def test_what_each_model_understands(encoder_of):
    text, image, audio, video = Modality.TEXT, Modality.IMAGE, Modality.AUDIO, Modality.VIDEO
    understood = {name: encoder_of(name).modalities for name in MODELS}
    assert understood == {
        "clip": {text, image},
        "siglip2": {text, image},
        "siglip2 fixed": {text, image},
        "chinese": {text, image},
        "gemma": {text, image, audio, video},
        "qwen": {text, image, video},
        "qwen plain": {text, image, video},
        "bert": {text},
        "deaf gemma": {text, image, video},
    }
    assert isinstance(encoder_of("gemma"), VideoEncoder)
    assert isinstance(encoder_of("gemma"), CuttableEncoder)


def test_a_tower_that_was_dropped_is_not_promised_though_the_library_lists_it(encoder_of, library_of):
    assert "audio" in library_of("deaf gemma").modalities
    encoder = encoder_of("deaf gemma")
    with pytest.raises(UnsupportedModality, match="audio"):
        encoder.encode_audio(windows(RATE))
    assert encoder.encode_images(pictures()).shape == (4, embeddinggemma2.DIM)


@pytest.mark.parametrize("name", ["clip", "gemma", "qwen"])
@pytest.mark.parametrize("text", ["http://x.y/cat.jpg", "https://example.com/a/film.mp4", "cat.png", "./cat.png"])
def test_a_text_that_looks_like_an_address_or_a_file_is_text(encoder_of, library_of, name, text, tmp_path, monkeypatch):
    prompt = {"clip": "", "gemma": embeddinggemma2.PROMPTS["query"], "qwen": QUERY}[name]
    expected = unit(library_of(name).encode([{"text": text}], prompt=prompt))
    Image.fromarray(pictures()[0]).save(tmp_path / "cat.png")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(Image, "open", lambda *_: pytest.fail("a file was opened"))
    np.testing.assert_allclose(encoder_of(name).encode_text([text]), expected, atol=1e-5)


@pytest.mark.parametrize("name", ["clip", "siglip2", "gemma", "qwen", "bert"])
@pytest.mark.parametrize("mark", ["<|image|>", "<|image_pad|>", "<|vision_start|><|video_pad|>", "<end>", "[SEP]", "<pad>"])
def test_marks_in_a_text_stand_for_nothing(encoder_of, name, mark):
    rows = encoder_of(name).encode_text([f"red {mark} dog", f"red {mark[0]} {mark[1:]} dog", "red"])
    assert np.isfinite(rows).all()
    assert np.abs(rows[0] - rows[2]).max() > 1e-4


def test_a_text_that_is_too_long_is_refused_with_the_numbers(encoder_of):
    limits = {"clip": 77, "siglip2": 64, "gemma": 512, "qwen": 512, "bert": 100}
    for name, limit in limits.items():
        with pytest.raises(BadQuery, match=rf"has \d+ word pieces and st:.* takes {limit}: shorten it"):
            encoder_of(name).encode_text(["red", "dog " * 600])
    assert encoder_of("clip").encode_text(["dog " * 75]).shape == (1, clip.DIM)
    with pytest.raises(BadQuery, match="has 78 word pieces"):
        encoder_of("clip").encode_text(["dog " * 76])


def test_the_library_alone_would_pad_siglip_as_it_was_never_trained(library_of):
    filled = unit(library_of("siglip2").encode(["red"], processing_kwargs=FILLED))
    assert np.abs(filled - unit(library_of("siglip2").encode(["red"]))).max() > 1e-2


def test_siglip_is_given_lower_case_as_in_its_training(encoder_of, library_of):
    expected = unit(library_of("siglip2 fixed").encode(["a red dog"], processing_kwargs=FILLED))
    assert np.abs(expected - unit(library_of("siglip2 fixed").encode(["A RED Dog"], processing_kwargs=FILLED))).max() > 1e-2
    np.testing.assert_allclose(encoder_of("siglip2 fixed").encode_text(["A RED Dog"]), expected, atol=1e-5)


def test_a_kind_of_model_that_nobody_has_checked_is_given_one_input_at_a_time(monkeypatch):
    from sentence_transformers import SentenceTransformer

    whole, sizes = SentenceTransformer.encode, []
    monkeypatch.setattr(
        SentenceTransformer, "encode", lambda self, inputs, **rest: sizes.append(len(inputs)) or whole(self, inputs, **rest)
    )
    SentenceEncoder(str(folder_of("chinese")), EncoderSettings(device="cpu", batch_size=8)).encode_images(pictures())
    assert sizes == [1, 1, 1, 1]


def test_prompts_are_put_before_texts_and_sounds_but_not_before_pictures(encoder_of, library_of):
    library, encoder = library_of("gemma"), encoder_of("gemma")
    image, sound = Image.fromarray(pictures()[0]), {"array": windows(RATE)[0], "sampling_rate": RATE}
    for row, bare, shaped in [
        (encoder.encode_text(["red"]), library.encode([{"text": "red"}]), True),
        (encoder.encode_audio(windows(RATE)), library.encode([sound]), True),
        (encoder.encode_images(pictures()[:1]), library.encode([image], processing_kwargs=GEMMA), False),
    ]:
        assert bool(np.abs(row - unit(bare)).max() > 1e-4) is shaped


def test_thirty_seconds_are_heard_to_the_end_and_no_more_is_taken(encoder_of, library_of):
    encoder = encoder_of("gemma")
    assert encoder.max_audio_ms == 30_000
    whole = windows(30 * RATE)[0]
    changed = whole.copy()
    changed[-RATE // 2 :] = 0
    rows = encoder.encode_audio([whole, changed])
    assert np.abs(rows[0] - rows[1]).max() > 1e-5
    uncut = {"audio": {"max_length": 60 * RATE}, "text": {"truncation": False}}
    expected = library_of("gemma").encode_document([{"array": whole, "sampling_rate": RATE}], processing_kwargs=uncut)
    np.testing.assert_allclose(rows[:1], unit(expected), atol=1e-5)
    with pytest.raises(BadInput, match=r"480001 samples and at most 480000"):
        encoder.encode_audio([np.append(whole, np.float32(0))])


def test_a_sound_of_a_few_samples_is_followed_by_silence(encoder_of):
    short = windows(300)[0]
    expected = encoder_of("gemma").encode_audio([np.pad(short, (0, RATE // 10 - 300))])
    np.testing.assert_array_equal(encoder_of("gemma").encode_audio([short]), expected)


@pytest.mark.parametrize("name", ["clip", "gemma", "qwen"])
def test_of_a_picture_far_too_long_the_middle_counts(encoder_of, name):
    random = np.random.default_rng(4)
    long = random.integers(0, 256, (2, 1000, 3), dtype=np.uint8)
    rows = encoder_of(name).encode_images([long, long[:, 400:600], long.transpose(1, 0, 2), long.transpose(1, 0, 2)[400:600]])
    np.testing.assert_allclose(rows[0], rows[1], atol=1e-6)
    np.testing.assert_allclose(rows[2], rows[3], atol=1e-6)


@pytest.mark.parametrize("name", ["gemma", "qwen"])
def test_frames_three_pixels_high_are_no_colours(encoder_of, library_of, name):
    (clip,) = clips((2, 3, 32))
    upright = np.ascontiguousarray(clip.frames.transpose(0, 3, 1, 2))
    settings = {"gemma": GEMMA, "qwen": QWEN}[name]
    first = {**settings, "video": {**settings["video"], "input_data_format": "channels_first"}}
    metadata = {"fps": 1000.0, "total_num_frames": 701, "frames_indices": [0, 700]}
    prompt = {"gemma": embeddinggemma2.PROMPTS["document"], "qwen": DOCUMENT}[name]
    expected = library_of(name).encode([{"array": upright, "video_metadata": metadata}], processing_kwargs=first, prompt=prompt)
    np.testing.assert_allclose(encoder_of(name).encode_video([clip]), unit(expected), atol=1e-5)


def test_qwen_is_shown_a_lone_frame_twice(encoder_of):
    (lone,) = clips((1, 40, 30))
    twice = Clip(lone.segment, np.repeat(lone.frames, 2, axis=0), np.zeros(2, int))
    np.testing.assert_array_equal(encoder_of("qwen").encode_video([lone]), encoder_of("qwen").encode_video([twice]))


def test_when_frames_are_shown_counts_for_qwen(encoder_of):
    slow, fast = clips((4, 30, 40), step_ms=2000), clips((4, 30, 40), step_ms=100)
    rows = encoder_of("qwen").encode_video([*slow, *fast])
    assert np.abs(rows[0] - rows[1]).max() > 1e-4


@pytest.mark.parametrize(
    ("frames", "times", "reason"),
    [
        (np.zeros((0, 4, 4, 3), np.uint8), [], "no frames"),
        (np.zeros((33, 4, 4, 3), np.uint8), range(33), "33 frames and at most 32"),
        (np.zeros((2, 3, 4, 4), np.uint8), range(2), "uint8 array"),
        (np.zeros((2, 4, 4, 3), np.float32), range(2), "uint8 array"),
        (np.zeros((2, 4, 4, 3), np.uint8), range(3), "2 frames and 3 times"),
        ("film.mp4", range(2), "uint8 array"),
    ],
    ids=["none", "too many", "channels first", "float", "times", "path"],
)
def test_what_is_no_clip_is_refused(encoder_of, frames, times, reason):
    with pytest.raises(BadInput, match=reason):
        encoder_of("gemma").encode_video([*clips((2, 8, 8)), Clip(Segment(Modality.VIDEO), frames, np.array(times))])


def test_a_cut_vector_is_made_unit_length_after_the_cut(encoder_of, library_of):
    assert encoder_of("gemma").matryoshka_dims == (128,)
    cut = SentenceEncoder(str(folder_of("gemma")), EncoderSettings(dim=128, device="cpu"))
    assert cut.space.dim == 128
    assert cut.space.fingerprint != encoder_of("gemma").space.fingerprint
    expected = library_of("gemma").encode(TEXTS, prompt_name="query", truncate_dim=128)
    assert np.linalg.norm(expected, axis=1).max() < 0.99
    np.testing.assert_allclose(cut.encode_text(TEXTS), unit(expected), atol=1e-5)
    assert cut.encode_text([]).shape == (0, 128)
    assert cut.encode_images(pictures()).shape == (4, 128)


@pytest.mark.parametrize(
    ("name", "dim", "allowed"),
    [("gemma", 100, "use 160 or 128"), ("gemma", 512, "use 160 or 128"), ("qwen", 63, "use 96 or any from 64 to 95")],
)
def test_a_length_it_was_not_trained_for_is_refused(name, dim, allowed):
    with pytest.raises(BadInput, match=rf"was not trained to be cut to {dim} dimensions: {allowed}$"):
        SentenceEncoder(str(folder_of(name)), EncoderSettings(dim=dim))


def test_a_model_that_was_not_trained_to_be_cut_is_not():
    with pytest.raises(BadInput, match="has 24 dimensions and was not trained to be cut to 12"):
        SentenceEncoder(str(folder_of("clip")), EncoderSettings(dim=12))
    assert SentenceEncoder(str(folder_of("clip")), EncoderSettings(dim=24)).matryoshka_dims == ()


def test_a_plain_folder_of_qwen_is_read_at_its_last_token(encoder_of):
    np.testing.assert_allclose(encoder_of("qwen plain").encode_text(TEXTS), encoder_of("qwen").encode_text(TEXTS), atol=1e-6)
    assert encoder_of("qwen plain").space.dim == qwen3vl.DIM


def test_the_fingerprint_covers_the_files_and_not_the_machine(encoder_of, tmp_path):
    again = load(f"st:{folder_of('clip')}", EncoderSettings(device="cpu", batch_size=3, threads=1))
    assert again.space == encoder_of("clip").space
    other = clip.build(tmp_path)
    assert SentenceEncoder(str(other)).space.fingerprint == encoder_of("clip").space.fingerprint
    (other / "preprocessor_config.json").write_text("{}")
    assert SentenceEncoder(str(other)).space.fingerprint != encoder_of("clip").space.fingerprint


@pytest.mark.parametrize("precision", ["float16", "bfloat16"])
def test_weights_stored_in_half_precision_are_computed_in_full_on_the_cpu(tmp_path, precision):
    folder = embeddinggemma2.build(tmp_path, precision)
    assert json.loads((folder / "config.json").read_text())["dtype"] == precision
    encoder = SentenceEncoder(str(folder), EncoderSettings(device="cpu"))
    assert np.isfinite(encoder.encode_text(TEXTS)).all()
    assert str(encoder._network()._model.dtype) == "torch.float32"


@pytest.mark.parametrize("name", ["gemma", "qwen"])
def test_in_bfloat16_a_vector_stays_nearly_the_same(encoder_of, name):
    import torch

    full = encoder_of(name)
    half = SentenceEncoder(str(folder_of(name)), EncoderSettings(device="cpu"))
    half._network()._model.to(torch.bfloat16)
    for kind, given in [("text", TEXTS), ("images", pictures()), ("video", clips((4, 30, 40)))]:
        expected, rows = getattr(full, f"encode_{kind}")(given), getattr(half, f"encode_{kind}")(given)
        assert rows.dtype == np.float32
        np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)
        assert (expected * rows).sum(axis=1).min() > 0.999
        assert np.abs(expected - rows).max() > 1e-6


def test_short_memory_makes_batches_smaller(encoder_of, monkeypatch):
    import torch
    from sentence_transformers import SentenceTransformer

    whole, sizes = SentenceTransformer.encode, []

    def encode(self, inputs, **arguments):
        sizes.append(len(inputs))
        if len(inputs) > 2:
            raise torch.OutOfMemoryError
        return whole(self, inputs, **arguments)

    expected = encoder_of("clip").encode_images(pictures())
    encoder = SentenceEncoder(str(folder_of("clip")), EncoderSettings(device="cpu", batch_size=4))
    monkeypatch.setattr(SentenceTransformer, "encode", encode)
    np.testing.assert_allclose(encoder.encode_images(pictures()), expected, atol=1e-6)
    assert sizes == [4, 2, 2]


def test_torn_weights_are_named(tmp_path):
    folder = clip.build(tmp_path)
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    encoder = SentenceEncoder(str(folder), EncoderSettings(device="cpu"))
    with pytest.raises(ModelUnavailable, match=rf"{folder} cannot be loaded: .*get the model anew"):
        encoder.encode_text(["red"])


@pytest.mark.parametrize("model", ["some/model", "/no/such/folder", "./nothing", "~/nothing", "a/b/c"])
def test_a_model_that_is_not_here_is_not_fetched(model):
    with pytest.raises(ModelUnavailable):
        SentenceEncoder(model)


@pytest.mark.parametrize(("name", "dim"), [("gemma", 160), ("chinese", 24)])
def test_making_one_imports_no_torch_and_using_it_leaves_the_screen_alone(name, dim):
    program = """
import sys
from anyseek.encoders.protocol import EncoderSettings
from anyseek.encoders.registry import load
encoder = load(sys.argv[1], EncoderSettings(device="cpu"))
heavy = {"torch", "transformers", "sentence_transformers", "PIL"}
print(encoder.space.dim, sorted(heavy & set(sys.modules)))
import numpy as np
from anyseek.errors import BadQuery
from anyseek.types import Clip, Modality, Segment
encoder.encode_text(["a dog"])
encoder.encode_images([np.zeros((3, 5, 3), np.uint8)])
if "video" in encoder.modalities:
    encoder.encode_video([Clip(Segment(Modality.VIDEO), np.zeros((2, 3, 5, 3), np.uint8), np.array([0, 500]))])
if "audio" in encoder.modalities:
    encoder.encode_audio([np.zeros(1600, np.float32)])
try:
    encoder.encode_text(["word " * 3000])
except BadQuery:
    print("torch" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", program, f"st:{folder_of(name)}"], capture_output=True, text=True, timeout=300)
    assert done.stderr == ""
    assert done.stdout.splitlines() == [f"{dim} []", "True"]
