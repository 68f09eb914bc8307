"""OpenCLIP's models: equal to the library's own call on the same input, found wherever they lie, and never fetched behind one's back.

What every encoder promises is held by `tests/contract`.
"""

from __future__ import annotations

import json
import re
import shutil

import numpy as np
import pytest
from malice import malicious_pickle
from PIL import Image
from repositories import Repositories
from tiny_models import openclip as tiny_openclip
from tiny_models import tiny

from anyseek.encoders import hub
from anyseek.encoders.openclip import OpenClipEncoder, zoo
from anyseek.encoders.protocol import EncoderSettings
from anyseek.encoders.quiet import quiet
from anyseek.errors import BadInput, BadQuery, MissingExtra, ModelUnavailable, UnknownEncoder

BUILDS = ["build", "build_siglip"]
TEXTS = ["red", "a dog barking at the sea", "It's a CAFÉ, isn't it?", "100 %", "a_photo", "https://x.yz/a.jpg", "x " * 20]
NAME = "tiny-clip"
PREPROCESS = {"mean": [0.5] * 3, "std": [0.25] * 3, "interpolation": "bilinear", "resize_mode": "squash"}


def pictures():
    random = np.random.default_rng(5)
    shapes = [(32, 32), (1, 1), (7, 440), (300, 200), (64, 32), (500, 333)]
    return [random.integers(0, 256, (*shape, 3), dtype=np.uint8) for shape in shapes]


def load(model, **settings):
    return OpenClipEncoder(str(model), EncoderSettings(device="cpu", **settings))


def of_library(name, pretrained=None, **options):
    """OpenCLIP's own way: (rows of pictures, rows of texts)."""
    import open_clip
    import torch

    with quiet():
        model, _, preprocess = open_clip.create_model_and_transforms(name, pretrained, **options)
        tokenizer = open_clip.get_tokenizer(name)
    model.eval()
    with torch.no_grad():
        seen = [model.encode_image(preprocess(Image.fromarray(pixels))[None], normalize=True) for pixels in pictures()]
        read = [model.encode_text(tokenizer([text]), normalize=True) for text in TEXTS]
    return torch.cat(seen).numpy(), torch.cat(read).numpy()


def assert_equal(encoder, of_library):
    seen, read = of_library
    np.testing.assert_allclose(encoder.encode_images(pictures()), seen, atol=1e-5)
    np.testing.assert_allclose(encoder.encode_text(TEXTS), read, atol=1e-5)


def copy_of(build, folder):
    return shutil.copytree(tiny("openclip", build), folder)


@pytest.fixture
def repositories(tmp_path, monkeypatch):
    """Repositories that are here; a test fills in which."""
    here = Repositories(tmp_path / "cache", {})
    monkeypatch.setattr(hub, "obtain", here)
    return here


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """An OpenCLIP that knows one more model, tiny-clip, with two tags."""
    package = tmp_path / "open_clip"
    shutil.copytree(zoo._package() / "model_configs", package / "model_configs")
    for file in ("constants.py", "pretrained.py"):
        shutil.copy(zoo._package() / file, package / file)
    with (package / "pretrained.py").open("a") as table:
        ways = "interpolation='bilinear', resize_mode='squash', mean=(0.5,) * 3, std=(0.25,) * 3"
        table.write(
            f"\n_PRETRAINED['{NAME}'] = dict(good_tag=_pcfg(hf_hub='some/tiny/', {ways}), file=_pcfg(hf_hub='some/file/w.bin', {ways}))\n"
        )
    config = json.loads((tiny("openclip") / "open_clip_config.json").read_text())["model_cfg"]
    (package / "model_configs" / f"{NAME}.json").write_text(json.dumps(config))
    monkeypatch.setattr(zoo, "_package", lambda: package)
    zoo._table.cache_clear()
    yield package
    zoo._table.cache_clear()


@pytest.fixture
def _library_knows(installed, monkeypatch):
    """Tells the real OpenCLIP of the same model."""
    import open_clip

    monkeypatch.setattr(open_clip.factory, "_MODEL_CONFIG_PATHS", list(open_clip.factory._MODEL_CONFIG_PATHS))
    monkeypatch.setattr(open_clip.factory, "_MODEL_CONFIGS", dict(open_clip.factory._MODEL_CONFIGS))
    open_clip.add_model_config(installed / "model_configs" / f"{NAME}.json")


@pytest.mark.parametrize("build", BUILDS)
def test_equal_to_the_library(build):
    folder = tiny("openclip", build)
    assert_equal(load(f"local-dir:{folder}"), of_library(f"local-dir:{folder}"))


def test_a_repository_is_read_from_its_snapshot(repositories):
    repositories.files["some/siglip"] = tiny("openclip", "build_siglip")
    encoder = load("hf-hub:some/siglip", revision="v1")
    assert repositories.asked == [("some/siglip", "v1")]
    assert (encoder.space.spec, encoder.space.revision) == ("open_clip:hf-hub:some/siglip", "commit of some/siglip")
    assert_equal(encoder, of_library(f"local-dir:{tiny('openclip', 'build_siglip')}"))


@pytest.mark.usefixtures("_library_knows")
@pytest.mark.parametrize("tag", ["good_tag", "Good-Tag"])
def test_a_tag_leads_to_its_repository(repositories, tag):
    repositories.files["some/tiny"] = tiny("openclip")
    encoder = load(f"{NAME}/{tag}")
    assert_equal(encoder, of_library(NAME, str(tiny("openclip") / "open_clip_model.safetensors"), **_by_hand()))
    assert encoder.space.revision == "commit of some/tiny"


@pytest.mark.usefixtures("_library_knows")
@pytest.mark.parametrize("name", ["w.bin", "w.safetensors"])
def test_a_tag_may_name_a_file(tmp_path, repositories, name):
    repositories.files["some/file"] = tmp_path / "files"
    (tmp_path / "files").mkdir()
    _save_as(tmp_path / "files" / name)
    assert_equal(load(f"{NAME}/file"), of_library(NAME, str(tmp_path / "files" / name), **_by_hand()))


@pytest.mark.usefixtures("_library_knows")
@pytest.mark.parametrize("name", ["w.pt", "w.safetensors"])
def test_a_file_of_weights_is_prepared_for_as_the_tags_of_its_model(tmp_path, name):
    _save_as(tmp_path / name)
    encoder = load(f"{NAME}/{tmp_path / name}")
    assert encoder.space.revision.startswith("files-")
    with pytest.raises(ModelUnavailable, match="has changed"):
        load(f"{NAME}/{tmp_path / name}", revision="files-0")
    assert_equal(encoder, of_library(NAME, str(tmp_path / name), **_by_hand()))


def _by_hand():
    """The preprocessing of the tags, which the library does not know of."""
    return {f"image_{key}": value for key, value in PREPROCESS.items()}


def _save_as(path):
    import torch
    from safetensors.torch import load_file, save_file

    weights = load_file(tiny("openclip") / "open_clip_model.safetensors")
    if path.suffix == ".safetensors":
        save_file(weights, path)
    else:
        torch.save(weights, path)


def test_parts_of_other_repositories_are_found_and_count(tmp_path, repositories):
    """A multilingual model, with the tokenizer and the shape of the text tower of another."""
    from transformers import RobertaConfig

    siglip, companion, model = tiny("openclip", "build_siglip"), tmp_path / "companion", tmp_path / "model"
    companion.mkdir()
    for file in siglip.glob("tokenizer*"):
        shutil.copy(file, companion)
    layers = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
    RobertaConfig(**layers, vocab_size=300, max_position_embeddings=80, pad_token_id=0).save_pretrained(companion)
    model.mkdir()
    text = {"hf_model_name": "other/roberta", "hf_tokenizer_name": "other/roberta", "hf_proj_type": "mlp", "hf_pooler_type": "mean_pooler"}
    config = {"embed_dim": 32, "vision_cfg": tiny_openclip.VISION, "text_cfg": text}
    with quiet():
        tiny_openclip.save(model, config, tiny_openclip.PREPROCESS, text_tower=companion)
    repositories.files |= {"some/model": model, "other/roberta": companion}
    encoder = load("hf-hub:some/model", revision="v1")
    assert repositories.asked == [("some/model", "v1"), ("other/roberta", None), ("other/roberta", None)]

    whole = shutil.copytree(model, tmp_path / "whole")  # as the library wants it
    for file in companion.glob("tokenizer*"):
        shutil.copy(file, whole)
    (whole / "open_clip_config.json").write_text(
        json.dumps(
            {"model_cfg": {**config, "text_cfg": {**text, "hf_model_name": str(companion)}}, "preprocess_cfg": tiny_openclip.PREPROCESS}
        )
    )
    assert_equal(encoder, of_library(f"local-dir:{whole}"))

    repositories.version = "another commit"
    newer = load("hf-hub:some/model").space
    assert (newer.revision, newer.fingerprint != encoder.space.fingerprint) == ("another commit of some/model", True)
    del repositories.files["other/roberta"]
    with pytest.raises(ModelUnavailable, match=r"anyseek models pull open_clip:hf-hub:some/model"):
        load("hf-hub:some/model")


def test_the_table_is_the_one_that_open_clip_has():
    from open_clip.pretrained import _PRETRAINED

    assert zoo._table() == _PRETRAINED
    assert len(_PRETRAINED) > 100


def test_a_table_that_is_made_otherwise_is_imported(installed):
    from open_clip.pretrained import _PRETRAINED

    (installed / "pretrained.py").write_text("_PRETRAINED = load_from_somewhere()")
    zoo._table.cache_clear()
    assert zoo._table() == _PRETRAINED


def test_every_tag_leads_to_weights_or_to_the_name_that_has_them():
    sent = 0
    for name, tags in zoo._table().items():
        for tag in tags:
            try:
                known = zoo.pretrained(name, tag)
            except BadInput as error:
                other, other_tag = re.search(r"use  open_clip:(\S+)/(\S+)$", str(error)).groups()
                known = zoo.pretrained(other, other_tag)
                sent += 1
                assert zoo.architecture(other)["quick_gelu"]
            assert known.repository.count("/") == 1
            assert all(file.endswith((".safetensors", ".bin")) for file in known.weights)
            assert set(known.preprocessing) == {"mean", "std", "interpolation", "resize_mode"}
    assert sent == 27


def test_openai_weights_need_the_quickgelu_name():
    with pytest.raises(BadInput, match=r"QuickGELU: use  open_clip:ViT-B-32-quickgelu/openai"):
        load("ViT-B-32/openai")


def test_an_unknown_name_is_answered_with_similar_ones():
    with pytest.raises(UnknownEncoder, match="open_clip:ViT-B-32-SigLIP2-256/…"):
        load("ViT-B-32-Siglip2/webli")


@pytest.mark.parametrize("model", ["ViT-B-32-256", "ViT-B-32-256/", "ViT-B-32-256/webli"])
def test_an_unknown_tag_is_answered_with_those_there_are(model):
    with pytest.raises(UnknownEncoder, match=r"use one of open_clip:ViT-B-32-256/datacomp_s34b_b86k$"):
        load(model)


def test_the_space_is_that_of_the_files(tmp_path):
    folder, other = copy_of("build", tmp_path / "one"), copy_of("build", tmp_path / "other")
    one, same = load(f"local-dir:{folder}"), load(f"local-dir:{other}")
    assert one.space.fingerprint == same.space.fingerprint
    assert one.space.spec == f"open_clip:local-dir:{folder}"
    assert load(f"local-dir:{folder}", revision=one.space.revision).space == one.space
    config = json.loads((folder / "open_clip_config.json").read_text())
    config["preprocess_cfg"]["interpolation"] = "bilinear"
    (folder / "open_clip_config.json").write_text(json.dumps(config))
    assert load(f"local-dir:{folder}").space.fingerprint != one.space.fingerprint
    with pytest.raises(ModelUnavailable, match=rf"has changed.*was {one.space.revision}\): put back what was there"):
        load(f"local-dir:{folder}", revision=one.space.revision)


def test_a_text_that_would_be_cut_is_refused_at_the_last_word():
    encoder = load(f"local-dir:{tiny('openclip')}")
    encoder.encode_text(["x " * 30])
    with pytest.raises(BadQuery, match=r"the text has 33 word pieces and open_clip:\S+ takes 32: shorten it"):
        encoder.encode_text(["x " * 31])


def test_a_text_of_which_nothing_is_left_is_refused():
    encoder = load(f"local-dir:{tiny('openclip', 'build_siglip')}")
    with pytest.raises(BadQuery, match="nothing in it that can be read"):
        encoder.encode_text(["?!"])


@pytest.mark.parametrize("upright", [False, True])
def test_of_an_endless_picture_the_middle_is_seen(upright):
    """A line of 300,000 pixels would take 30 GB if it were enlarged as a whole."""
    line = np.zeros((1, 300_000, 3), np.uint8)
    line[:, 150_000:] = 255
    short = line[:, 150_000 - 32 : 150_000 + 32]
    encoder = load(f"local-dir:{tiny('openclip')}")
    turned = [(picture.transpose(1, 0, 2) if upright else picture) for picture in (line, short)]
    endless, middle = encoder.encode_images(turned)
    np.testing.assert_allclose(endless, middle, atol=1e-6)


def test_a_picture_is_not_a_square_everywhere(tmp_path):
    folder = copy_of("build", tmp_path / "model")
    config = json.loads((folder / "open_clip_config.json").read_text())
    config["model_cfg"]["vision_cfg"]["image_size"] = [32, 48]
    (folder / "open_clip_config.json").write_text(json.dumps(config))
    assert load(f"local-dir:{folder}").image_size == 48


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("open_clip_model.safetensors", b"no weights at all", r"open_clip_model\.safetensors cannot be loaded: .*delete it"),
        ("open_clip_model.safetensors", None, r"has no weights that OpenCLIP can load"),
        ("open_clip_config.json", b"{", r"open_clip_config\.json cannot be read"),
        ("open_clip_config.json", b"[]", r"open_clip_config\.json holds no JSON object"),
        ("open_clip_config.json", b'{"model_cfg": {"embed_dim": 3}}', r"does not describe a model"),
        ("open_clip_config.json", None, r"open_clip_config\.json cannot be read"),
        ("tokenizer.json", b"{}", r"cannot be loaded"),
    ],
)
def test_a_damaged_model_is_named(tmp_path, name, content, reason):
    folder = copy_of("build_siglip", tmp_path / "model")
    (folder / name).unlink()
    if content is not None:
        (folder / name).write_bytes(content)
    with pytest.raises(ModelUnavailable, match=reason):
        load(f"local-dir:{folder}").encode_text(["red"])


def test_weights_of_another_model_are_refused(tmp_path):
    folder = copy_of("build", tmp_path / "model")
    shutil.copy(tiny("openclip", "build_siglip") / "open_clip_model.safetensors", folder)
    with pytest.raises(ModelUnavailable, match=r"open_clip_model\.safetensors cannot be loaded"):
        load(f"local-dir:{folder}").encode_text(["red"])


def test_a_pickle_runs_nothing(tmp_path):
    folder = copy_of("build", tmp_path / "model")
    (folder / "open_clip_model.safetensors").unlink()
    (folder / "open_clip_pytorch_model.bin").write_bytes(malicious_pickle(tmp_path / "harm"))
    with pytest.raises(ModelUnavailable, match=r"open_clip_pytorch_model\.bin cannot be loaded"):
        load(f"local-dir:{folder}").encode_text(["red"])
    assert not (tmp_path / "harm").exists()


@pytest.mark.parametrize("model", ["local-dir:/no/such/folder", "tiny-clip/no/such/file.pt"])
@pytest.mark.usefixtures("installed")
def test_what_is_not_there_is_named(model):
    with pytest.raises(ModelUnavailable, match="there is no f"):
        load(model)


def test_a_missing_package_is_named_before_any_work(monkeypatch):
    from anyseek.encoders import torch_runtime

    monkeypatch.setattr(torch_runtime, "find_spec", lambda name: None if name == "open_clip" else True)
    with pytest.raises(MissingExtra, match=r"open_clip is not installed: run  pip install 'anyseek\[open-clip\]'"):
        load("local-dir:/no/such/folder")
