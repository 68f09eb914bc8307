"""CLAP: equal to transformers' own call on the same input, without its two uses of chance.

What every encoder promises is held by `tests/contract`.
"""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
from malice import malicious_pickle
from repositories import Repositories
from tiny_models import clap as tiny_clap
from tiny_models import tiny

from anyseek.encoders import hub
from anyseek.encoders.clap import ClapEncoder
from anyseek.encoders.protocol import EncoderSettings
from anyseek.encoders.quiet import quiet
from anyseek.errors import BadInput, BadQuery, MissingExtra, ModelUnavailable

RATE = 48_000
TEXTS = ["red", "a dog barking at the sea", "It's a CAFÉ, isn't it?", "word " * 70]


def windows():
    random = np.random.default_rng(5)
    return [random.uniform(-1, 1, length).astype(np.float32) for length in (1, 700, 24_000, 30_000, 47_999, 48_000)]


def load(folder, **settings):
    return ClapEncoder(str(folder), EncoderSettings(device="cpu", **settings))


@pytest.fixture
def folder(tmp_path):
    """A copy that may be changed."""
    return shutil.copytree(tiny("clap"), tmp_path / "model")


def library(folder):
    from transformers import ClapModel, ClapProcessor

    with quiet():
        return ClapModel.from_pretrained(folder).eval(), ClapProcessor.from_pretrained(folder)


def sounds_of_library(folder, **changes):
    import torch

    model, processor = library(folder)
    with torch.no_grad():
        given = [processor(audio=[window], sampling_rate=RATE, return_tensors="pt") | changes for window in windows()]
        return np.concatenate([model.get_audio_features(**one).pooler_output.numpy() for one in given])


def test_equal_to_the_library():
    import torch

    encoder = load(tiny("clap"))
    np.testing.assert_allclose(encoder.encode_audio(windows()), sounds_of_library(tiny("clap")), atol=1e-5)
    model, processor = library(tiny("clap"))
    with torch.no_grad():
        texts = [model.get_text_features(**processor(text=[text], return_tensors="pt")).pooler_output.numpy() for text in TEXTS]
    np.testing.assert_allclose(encoder.encode_text(TEXTS), np.concatenate(texts), atol=1e-5)


def test_a_fused_model_takes_no_short_sound_for_a_long_one():
    """Alone in its batch, a sound is always the one that the feature extractor marks as longer than the model hears."""
    import torch

    folder = tiny("clap", "build_fused")
    rows = load(folder).encode_audio(windows())
    np.testing.assert_allclose(rows, sounds_of_library(folder, is_longer=torch.tensor([[False]])), atol=1e-5)
    assert np.abs(rows - sounds_of_library(folder)).max() > 0.1


def test_what_it_hears_and_reads_comes_from_the_configuration(folder):
    encoder = load(folder)
    assert (encoder.sample_rate, encoder.max_audio_ms, encoder.window_ms, encoder.space.dim) == (RATE, 1_000, 1_000, 32)
    _change(folder / "processor_config.json", feature_extractor={"sampling_rate": 44_100, "max_length_s": 10})
    _change(folder / "config.json", projection_dim=512)
    encoder = load(folder)
    assert (encoder.sample_rate, encoder.max_audio_ms, encoder.window_ms, encoder.space.dim) == (44_100, 10_000, 5_000, 512)


def test_an_older_checkpoint_is_the_same_space_but_for_its_version(folder):
    """The settings of what hears by themselves, and pickled weights."""
    import torch
    from safetensors.torch import load_file

    together = json.loads((folder / "processor_config.json").read_text())
    (folder / "processor_config.json").unlink()
    (folder / "preprocessor_config.json").write_text(json.dumps(together["feature_extractor"]))
    torch.save(load_file(folder / "model.safetensors"), folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    encoder, newer = load(folder), load(tiny("clap"))
    assert encoder.max_audio_ms == 1_000
    np.testing.assert_allclose(encoder.encode_audio(windows()), newer.encode_audio(windows()), atol=1e-6)
    np.testing.assert_allclose(encoder.encode_text(TEXTS), newer.encode_text(TEXTS), atol=1e-6)


def test_a_repository_gives_all_that_is_needed(tmp_path, monkeypatch):
    repositories = Repositories(tmp_path / "cache", {"some/clap": tiny("clap")})
    monkeypatch.setattr(hub, "obtain", repositories)
    encoder = load("some/clap", revision="v1")
    assert repositories.asked == [("some/clap", "v1")]
    assert (encoder.space.spec, encoder.space.revision) == ("clap:some/clap", "commit of some/clap")
    np.testing.assert_array_equal(encoder.encode_text(TEXTS), load(tiny("clap")).encode_text(TEXTS))
    np.testing.assert_array_equal(encoder.encode_audio(windows()), load(tiny("clap")).encode_audio(windows()))


def test_weights_in_parts_are_put_together(folder):
    model, _ = library(folder)
    (folder / "model.safetensors").unlink()
    model.save_pretrained(folder, max_shard_size="100KB")
    assert len(list(folder.glob("model-*.safetensors"))) > 1
    np.testing.assert_array_equal(load(folder).encode_text(TEXTS), load(tiny("clap")).encode_text(TEXTS))


def test_a_text_that_would_be_cut_is_refused_at_the_last_word():
    encoder = load(tiny("clap"))
    encoder.encode_text(["word " * 75])
    with pytest.raises(BadQuery, match=r"the text has 78 word pieces and clap:\S+ takes 77: shorten it"):
        encoder.encode_text(["word " * 76])


def test_positions_limit_a_text_too(tmp_path):
    with quiet():
        encoder = load(tiny_clap.build(tmp_path, positions=22))
    encoder.encode_text(["word " * 18])
    with pytest.raises(BadQuery, match=r"21 word pieces .* takes 20: shorten it"):
        encoder.encode_text(["word " * 19])


def test_the_space_is_that_of_the_files(folder):
    one = load(folder).space
    assert one.fingerprint == load(tiny("clap")).space.fingerprint
    assert load(folder, revision=one.revision).space == one
    _change(folder / "processor_config.json", feature_extractor={"frequency_max": 12_000})
    assert load(folder).space.fingerprint != one.fingerprint
    with pytest.raises(ModelUnavailable, match=f"has changed.*was {one.revision}"):
        load(folder, revision=one.revision)


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("model.safetensors", b"no weights at all", "cannot be loaded: .*delete it"),
        ("config.json", b"{", r"config\.json cannot be read"),
        ("config.json", b'{"model_type": "clip"}', "a model of the kind 'clip', not CLAP.*name it as  st:"),
        ("processor_config.json", b"", r"processor_config\.json cannot be read"),
        ("tokenizer.json", b"{}", "cannot be loaded"),
    ],
)
def test_a_damaged_model_is_named(folder, name, content, reason):
    (folder / name).write_bytes(content)
    with pytest.raises(ModelUnavailable, match=reason) as caught:
        load(folder).encode_text(["red"])
    assert str(folder) in str(caught.value)


def test_weights_that_lack_a_part_are_refused(folder):
    """transformers would fill the part up with random numbers, and say so in its log."""
    from safetensors.torch import load_file, save_file

    weights = load_file(folder / "model.safetensors")
    del weights["audio_projection.linear1.weight"]
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ModelUnavailable, match=r"lacks weights, audio_projection\.linear1\.weight among them"):
        load(folder).encode_text(["red"])


def test_a_pickle_runs_nothing(folder, tmp_path):
    (folder / "model.safetensors").unlink()
    (folder / "pytorch_model.bin").write_bytes(malicious_pickle(tmp_path / "harm"))
    with pytest.raises(ModelUnavailable, match="cannot be loaded"):
        load(folder).encode_text(["red"])
    assert not (tmp_path / "harm").exists()


@pytest.mark.parametrize("model", ["/no/such/folder", "./folder", "~/folder"])
def test_a_folder_that_is_not_there_is_named(model):
    with pytest.raises(ModelUnavailable, match=f"there is no folder {model}"):
        load(model)


def test_what_is_no_number_is_no_sound():
    with pytest.raises(BadInput, match="not finite"):
        load(tiny("clap")).encode_audio([np.full(800, np.nan, np.float32)])


def test_a_missing_package_is_named_before_any_work(monkeypatch):
    from anyseek.encoders import torch_runtime

    monkeypatch.setattr(torch_runtime, "find_spec", lambda name: None if name == "transformers" else True)
    with pytest.raises(MissingExtra, match=r"transformers is not installed: run  pip install 'anyseek\[clap\]'"):
        load("/no/such/folder")


def _change(file, **changes):
    """Change values of a JSON file, also those one level down."""
    content = json.loads(file.read_text())
    for key, value in changes.items():
        content[key] = {**content.get(key, {}), **value} if isinstance(value, dict) else value
    file.write_text(json.dumps(content))
