import subprocess
import sys
import tomllib
from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest

from anyseek.encoders import catalogue, registry
from anyseek.encoders.catalogue import PRESETS, better_model_hint, card, cards, missing_extras, resolve
from anyseek.errors import UnknownEncoder
from anyseek.types import Modality

ROOT = Path(catalogue.__file__).parents[2]
SMALL = ("open_clip:ViT-B-32-SigLIP2-256/webli", "clap:laion/clap-htsat-unfused")
OMNI = ("st:google/embeddinggemma-2", "clap:laion/clap-htsat-unfused")


def test_presets_and_specs_become_specs_in_order_and_each_once():
    assert resolve(["starter"]) == ("starter",)
    assert resolve(["omni", "st:some/model", "small"]) == (*OMNI, "st:some/model", SMALL[0])
    assert resolve([]) == ()


def test_folders_and_files_that_are_there_get_their_whole_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "some" / "model").mkdir(parents=True)
    for file in ("w.pt", "openai"):
        (tmp_path / file).touch()
    whole = str(tmp_path / "some" / "model")
    assert resolve(["clap:some/model", "st:./some/model/", f"clap:{whole}"]) == (f"clap:{whole}", f"st:{whole}")
    assert resolve(["open_clip:local-dir:some/model"]) == (f"open_clip:local-dir:{whole}",)
    assert resolve(["open_clip:ViT-B-32/w.pt"]) == (f"open_clip:ViT-B-32/{tmp_path / 'w.pt'}",)
    others = (
        "clap:some/other",
        "open_clip:ViT-B-32/openai",
        "open_clip:ViT-B-32/x.pt",
        "open_clip:local-dir:",
        "open_clip:hf-hub:some/model",
    )
    assert resolve(others) == others


@pytest.mark.parametrize("name", ["", "Small", "smal", "clap", "clap:", "onnx:some/model", "small:x"])
def test_what_is_neither_is_refused_and_presets_are_named_too(name):
    with pytest.raises(UnknownEncoder, match=r"clap:, large, medium, multilingual, omni, open_clip:, small, st:, starter") as caught:
        resolve(["small", name])
    assert caught.value.spec == name


def test_every_model_of_a_preset_is_in_the_catalogue_and_free_for_any_use():
    for preset in PRESETS.values():
        for spec in preset.specs:
            assert card(spec).commercial, spec


def test_every_preset_takes_pictures_sounds_and_text():
    for preset in PRESETS.values():
        taken = frozenset().union(*(card(spec).modalities for spec in preset.specs))
        assert {Modality.TEXT, Modality.IMAGE, Modality.AUDIO} <= taken, preset.name


def test_a_card_says_what_is_known_and_nothing_where_nothing_is():
    known = card("st:google/embeddinggemma-2")
    assert known.modalities == {Modality.TEXT, Modality.IMAGE, Modality.AUDIO, Modality.VIDEO}
    assert (known.dim, known.cut_to, known.parameters, known.licence) == (768, (512, 256, 128), 744_000_000, "Apache-2.0")
    assert known.download is None
    assert [(score.data, score.value) for score in known.scores] == [("XM3600 en", 58.8), ("GigaSpeech", 79.7), ("Clotho", 3.5)]
    assert card("st:some/other") is None


def test_licences_that_forbid_commercial_use_are_marked():
    assert {spec for spec, known in cards().items() if not known.commercial} == {
        "open_clip:MobileCLIP2-S0/dfndr2b",
        "open_clip:MobileCLIP2-S2/dfndr2b",
        "open_clip:nllb-clip-large-siglip/mrl",
    }


def test_the_catalogue_agrees_with_itself():
    for spec, known in cards().items():
        assert registry.is_known(spec)
        assert all(0 <= score.value <= 100 and score.source for score in known.scores), spec
        assert list(known.cut_to) == sorted({size for size in known.cut_to if size < known.dim}, reverse=True), spec
        if known.download_estimated:
            assert known.download == pytest.approx(4 * known.parameters, rel=0.002), spec
        assert (known.repository is None) == (spec == "starter")


def test_open_clip_knows_its_models_under_these_names_repositories_and_dimensions():
    from open_clip import get_model_config, get_pretrained_cfg

    for spec, known in cards().items():
        if spec.startswith("open_clip:"):
            name, tag = spec.removeprefix("open_clip:").split("/")
            assert get_pretrained_cfg(name, tag)["hf_hub"].rstrip("/") == known.repository
            assert get_model_config(name)["embed_dim"] == known.dim


def test_extras_that_are_missing_are_named(monkeypatch):
    installed = {"torch", "transformers", "open_clip"}
    monkeypatch.setattr(catalogue, "find_spec", lambda name: ModuleSpec(name, None) if name in installed else None)
    assert missing_extras(["starter", *OMNI, *SMALL]) == ("sentence-transformers",)
    assert better_model_hint().endswith("for better answers:  anyseek index --model small  (anyseek models  shows the choice)")
    assert "anyseek index --model small --library /media/lib  (" in better_model_hint(" --library /media/lib")
    installed.clear()
    assert missing_extras(SMALL) == ("open-clip", "clap")
    assert "pip install 'anyseek[open-clip,clap]'  and then  anyseek index --model small" in better_model_hint()


def test_every_extra_is_one_of_the_package():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = {extra for extra, _ in catalogue._NEEDS.values()}
    assert project["optional-dependencies"]["models"] == [
        f"anyseek[{','.join(sorted(extras, key=['open-clip', 'sentence-transformers', 'clap'].index))}]"
    ]


def test_the_hint_names_a_preset_that_exists():
    assert resolve([better_model_hint().split("--model ")[1].split()[0]]) == SMALL


def test_reading_the_catalogue_imports_no_model_library():
    code = "import sys; from anyseek.encoders.catalogue import *; cards(); missing_extras(['st:x']); print(*sys.modules)"
    loaded = set(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split())
    assert "anyseek.encoders.catalogue" in loaded
    assert loaded.isdisjoint({"torch", "transformers", "open_clip", "sentence_transformers", "huggingface_hub", "onnxruntime", "faiss"})
