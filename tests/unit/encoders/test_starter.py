"""The starter encoder as it ships: its weights, what it loads, and the first numbers of a few vectors."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys

import numpy as np
import pytest

from anyseek.encoders.protocol import EncoderSettings
from anyseek.encoders.starter import weights
from anyseek.encoders.starter.encoder import MAX_TOKENS, StarterEncoder
from anyseek.errors import BadInput, BadQuery
from anyseek.types import Modality


@pytest.fixture(scope="module")
def encoder():
    return StarterEncoder(EncoderSettings(threads=1))


def test_weights_fit_in_45_megabytes():
    assert sum(path.stat().st_size for path in weights.FOLDER.iterdir()) <= 45_000_000


def test_the_manifest_tells_the_truth():
    recorded = json.loads((weights.FOLDER / "manifest.json").read_text("utf-8"))["sha256"]
    shaping = {p.name for p in weights.FOLDER.iterdir() if p.suffix in {".onnx", ".npy"}} | {"tokenizer.json"}
    assert set(recorded) == shaping
    for name, digest in recorded.items():
        assert hashlib.sha256((weights.FOLDER / name).read_bytes()).hexdigest() == digest, name


def test_the_fingerprint_follows_weights_and_version(monkeypatch, tmp_path):
    first = weights.fingerprint("1")
    assert weights.fingerprint("2") != first
    manifest = json.loads((weights.FOLDER / "manifest.json").read_text("utf-8"))
    manifest["sha256"]["image.onnx"] = "0" * 64
    (tmp_path / "manifest.json").write_text(json.dumps(manifest), "utf-8")
    monkeypatch.setattr(weights, "FOLDER", tmp_path)
    assert weights.fingerprint("1") != first


def test_every_label_has_a_name_and_a_vector():
    names = json.loads((weights.FOLDER / "labels.json").read_text("utf-8"))
    assert {tower: len(labels) for tower, labels in names.items()} == {"image": 1000, "audio": 521}
    for tower, labels in names.items():
        vectors = weights.label_vectors(tower)
        assert vectors.shape == (len(labels), 384)
        assert np.linalg.norm(vectors, axis=1).max() == pytest.approx(1, abs=2e-3)


def test_licences_are_told():
    notice = (weights.FOLDER / "NOTICE").read_text("utf-8")
    for word in ("EfficientNet-Lite2", "YAMNet", "all-MiniLM-L6-v2", "WordNet 3.0 Copyright 2006", "MIT License", "Apache License 2.0"):
        assert word in notice


def test_what_it_says_of_itself(encoder):
    assert (encoder.space.spec, encoder.space.dim) == ("starter", 384)
    assert encoder.modalities == {Modality.TEXT, Modality.IMAGE, Modality.AUDIO}
    assert (encoder.image_size, encoder.sample_rate, encoder.max_audio_ms) == (292, 16_000, 10_000)


def loaded_after(code: str) -> set[str]:
    """The heavy modules that a fresh interpreter has loaded after the code."""
    heavy = "onnxruntime", "tokenizers", "PIL", "torch", "tensorflow", "av", "faiss", "sqlalchemy"
    script = f"import sys\n{code}\nprint([m for m in {heavy!r} if m in sys.modules])"
    return set(json.loads(subprocess.check_output([sys.executable, "-c", script], text=True).replace("'", '"')))


def test_construction_loads_nothing_heavy():
    assert loaded_after("from anyseek.encoders.registry import load\nload('starter').space") == set()


def test_a_search_by_text_loads_the_text_tower_alone(encoder):
    assert loaded_after("from anyseek.encoders.registry import load\nload('starter').encode_text(['dog'])") == {"onnxruntime", "tokenizers"}
    fresh = StarterEncoder(EncoderSettings(threads=1))
    fresh.encode_text(["dog"])
    assert set(fresh._loaded) == {"tokenizer", "text"}


def test_bad_input_is_refused_before_anything_is_loaded():
    fresh = StarterEncoder()
    with pytest.raises(BadQuery):
        fresh.encode_text([" "])
    with pytest.raises(BadInput):
        fresh.encode_images([np.zeros((4, 4), np.uint8)])
    with pytest.raises(BadInput):
        fresh.encode_audio([np.zeros(0, np.float32)])
    assert not fresh._loaded


def test_the_limit_of_a_text_is_exact(encoder):
    assert encoder.encode_text(["word " * (MAX_TOKENS - 2)]).shape == (1, 384)
    with pytest.raises(BadQuery, match=r"257 word pieces .* takes 256"):
        encoder.encode_text(["word " * (MAX_TOKENS - 1)])


def test_case_and_outer_space_do_not_matter(encoder):
    rows = encoder.encode_text(["A Dog", " a dog\n"])
    np.testing.assert_array_equal(rows[0], rows[1])


def picture():
    y, x = np.mgrid[0:300, 0:400]
    return np.stack([x * 255 // 399, y * 255 // 299, (x + y) % 256], -1).astype(np.uint8)


def sweep():
    t = np.arange(32_000) / 16_000
    return (0.4 * np.sin(2 * np.pi * (200 + 300 * t) * t)).astype(np.float32)


@pytest.mark.parametrize(
    ("row", "first"),
    [
        (lambda e: e.encode_text(["a rooster crowing"])[0], [-0.011579, -0.04193, 0.010246, -0.006362, -0.03947, 0.01736]),
        (lambda e: e.encode_images([picture()])[0], [-0.027546, 0.012907, -0.036497, 0.010409, -0.002607, -0.026998]),
        (lambda e: e.encode_audio([sweep()])[0], [-0.026772, -0.042145, -0.023984, -0.095147, -0.149215, 0.061076]),
    ],
    ids=["text", "picture", "sound"],
)
def test_pinned_numbers(encoder, row, first):
    """Whoever changes these changes every library's vectors: raise PREPROCESSING or build new weights, never only this test."""
    np.testing.assert_allclose(row(encoder)[:6], first, atol=2e-5)


def test_threads_do_not_change_a_row():
    one, two = StarterEncoder(EncoderSettings(threads=1)), StarterEncoder(EncoderSettings(threads=2))
    np.testing.assert_allclose(one.encode_images([picture()]), two.encode_images([picture()]), atol=1e-5)
    np.testing.assert_allclose(one.encode_audio([sweep()]), two.encode_audio([sweep()]), atol=1e-5)
    np.testing.assert_allclose(one.encode_text(["a dog"]), two.encode_text(["a dog"]), atol=1e-5)


def test_meaning(encoder):
    """Kinds of things are near their members, and far from others."""
    rows = encoder.encode_text(["a puppy", "a dog", "a truck"])
    assert rows[0] @ rows[1] > rows[0] @ rows[2] + 0.3
    tone, hiss = sweep(), np.random.default_rng(0).normal(0, 0.1, 32_000).astype(np.float32)
    queries = encoder.encode_text(["a beeping tone", "white noise"])
    scores = encoder.encode_audio([tone, hiss]) @ queries.T
    assert scores[1, 1] > scores[0, 1]
    assert scores[0, 0] > scores[1, 0]
