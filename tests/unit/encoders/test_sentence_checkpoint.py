"""What is read from configuration files: folders without a single weight."""

from __future__ import annotations

import json

import pytest

from anyseek.encoders.sentence.checkpoint import read_checkpoint
from anyseek.errors import ModelUnavailable
from anyseek.types import Modality

TEXT, IMAGE, AUDIO, VIDEO = Modality.TEXT, Modality.IMAGE, Modality.AUDIO, Modality.VIDEO
MODULE = "sentence_transformers.base.modules.transformer.Transformer"
POOLING = "sentence_transformers.sentence_transformer.modules.pooling.Pooling"
NO_LIMIT = 1000000000000000019884624838656
ALL = {"modality_config": {name: {} for name in ["text", "image", "audio", "video", "message", "image+text"]}}
BERT = {"model_type": "bert", "hidden_size": 384, "max_position_embeddings": 512}
GEMMA = {
    "model_type": "embedding_gemma2",
    "text_config": {"hidden_size": 512, "embedding_dim": 768, "max_position_embeddings": 262144},
    "vision_config": {"model_type": "gemma4_vision"},
    "audio_config": {"model_type": "gemma4_audio"},
    "dtype": "bfloat16",
}
EARS = {"feature_extractor": {"sampling_rate": 16000}}


def modules(*kinds):
    return [
        {"idx": number, "path": f"{number}_{kind.rpartition('.')[2]}" if number else "", "type": kind} for number, kind in enumerate(kinds)
    ]


@pytest.fixture
def read(tmp_path):
    """Write files, a name without a suffix standing for ``name.json``, and read what they say."""

    def write_and_read(trust_remote_code=False, **files):
        for name, content in files.items():
            path = tmp_path / f"{name.replace('__', '/')}.json"
            path.parent.mkdir(exist_ok=True, parents=True)
            path.write_text(content if isinstance(content, str) else json.dumps(content))
        return read_checkpoint("st:it", tmp_path, trust_remote_code=trust_remote_code)

    return write_and_read


def gemma(**changes):
    files = {
        "modules": modules(MODULE, POOLING, "sentence_transformers.base.modules.normalize.Normalize"),
        "config": GEMMA,
        "1_Pooling__config": {"embedding_dimension": 768, "pooling_mode": "mean"},
        "sentence_bert_config": ALL,
        "processor_config": EARS,
        "tokenizer_config": {"model_max_length": NO_LIMIT},
    }
    return {**files, **changes}


def test_embedding_gemma_as_it_was_published(read):
    found = read(**gemma())
    assert found.modalities == {TEXT, IMAGE, AUDIO, VIDEO}
    assert (found.dim, found.cuts, found.max_tokens) == (768, (512, 256, 128), 8192)
    assert (found.sample_rate, found.max_audio_ms, found.image_size) == (16_000, 30_000, 402)
    assert found.bfloat16
    assert not found.plain
    assert dict(found.prompts) == {
        TEXT: "task: search result | query: ",
        IMAGE: "",
        AUDIO: "title: none | text: ",
        VIDEO: "title: none | text: ",
    }


@pytest.mark.parametrize(
    ("config", "understood"),
    [
        ({**GEMMA, "audio_config": None}, {TEXT, IMAGE, VIDEO}),
        ({**GEMMA, "vision_config": None}, {TEXT, AUDIO}),
        ({name: value for name, value in GEMMA.items() if name not in ("vision_config", "audio_config")}, {TEXT}),
    ],
    ids=["deaf", "blind", "text alone"],
)
def test_a_tower_that_is_not_there_is_not_listed(read, config, understood):
    assert read(**gemma(config=config)).modalities == understood


def test_sound_of_an_unknown_rate_is_not_listed(read):
    assert read(**gemma(processor_config={"feature_extractor": {}})).modalities == {TEXT, IMAGE, VIDEO}


def test_windows_are_no_longer_than_the_feature_extractor_hears(read):
    assert read(**gemma(processor_config={"feature_extractor": {"sampling_rate": 8000, "chunk_length": 12}})).max_audio_ms == 12_000


def test_the_checkpoint_s_own_prompts_go_first_and_empty_ones_count_as_none(read):
    saved = {"prompts": {"query": "q: ", "document": "", "passage": "p: "}}
    prompts = read(**gemma(config_sentence_transformers=saved)).prompts
    assert (prompts[TEXT], prompts[AUDIO], prompts[IMAGE]) == ("q: ", "p: ", "")
    prompts = read(**gemma(config_sentence_transformers={"prompts": {"query": "", "document": ""}})).prompts
    assert (prompts[TEXT], prompts[AUDIO]) == ("task: search result | query: ", "title: none | text: ")


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        ({"tokenizer_config": {"model_max_length": 2048}}, 2048),
        ({"sentence_bert_config": {**ALL, "max_seq_length": 300}}, 300),
        ({"config": {**GEMMA, "text_config": {"max_position_embeddings": 200}}}, 200),
    ],
    ids=["tokenizer", "saved", "positions"],
)
def test_the_smallest_limit_of_a_text_counts(read, limits, expected):
    assert read(**gemma(**limits)).max_tokens == expected


@pytest.mark.parametrize(
    ("last", "pooling", "dim"),
    [
        ([POOLING], {"embedding_dimension": 24, "pooling_mode": "mean"}, 24),
        ([POOLING], {"embedding_dimension": 24, "pooling_mode": ["mean", "max"]}, 48),
        ([POOLING], {"word_embedding_dimension": 24, "pooling_mode_cls_token": True, "pooling_mode_mean_tokens": True}, 48),
        ([POOLING], {"word_embedding_dimension": 24}, 24),
        ([POOLING, "sentence_transformers.models.Dense", "sentence_transformers.models.Normalize"], {"embedding_dimension": 24}, 7),
    ],
    ids=["one mode", "two", "two as once saved", "none named", "dense"],
)
def test_the_length_is_that_of_the_last_module_that_changes_it(read, last, pooling, dim):
    files = {"1_Pooling__config": pooling, "2_Dense__config": {"in_features": 24, "out_features": 7}}
    assert read(modules=modules(MODULE, *last), config=BERT, **files).dim == dim


def test_a_length_that_the_checkpoint_cuts_to_is_its_own(read):
    found = read(**gemma(config_sentence_transformers={"truncate_dim": 256}))
    assert (found.dim, found.cuts) == (256, (128,))


def test_lengths_that_the_configuration_names_may_be_had(read):
    assert read(config={**BERT, "matryoshka_dimensions": [32, 64, 384]}, tokenizer={}).cuts == (32, 64)


def test_what_was_saved_before_there_was_anything_else_is_text(read):
    found = read(modules=modules("sentence_transformers.models.Transformer"), config=BERT, sentence_bert_config={"max_seq_length": 256})
    assert (found.modalities, found.dim, found.max_tokens) == ({TEXT}, 384, 256)


def test_clip_as_it_was_once_saved(read):
    listed = [{"path": "0_CLIPModel", "type": "sentence_transformers.models.CLIPModel"}]
    config = {"model_type": "clip", "projection_dim": 512, "text_config": {"a": 1}, "vision_config": {"image_size": 224}}
    found = read(modules=listed, **{"0_CLIPModel__config": config, "0_CLIPModel__preprocessor_config": {"size": {"shortest_edge": 256}}})
    assert (found.modalities, found.dim, found.max_tokens, found.image_size) == ({TEXT, IMAGE}, 512, 77, 256)


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"model_type": "clip", "text_config": {}, "vision_config": {"image_size": 336}, "projection_dim": 768}, (768, 77, 336)),
        ({"model_type": "siglip", "text_config": {}, "vision_config": {"image_size": 384}}, (768, 64, 384)),
        ({"model_type": "siglip2", "text_config": {}, "vision_config": {"hidden_size": 1152}}, (1152, 64, 256)),
    ],
    ids=["clip", "siglip", "siglip2"],
)
def test_plain_folders_of_known_families(read, config, expected):
    found = read(config=config)
    assert found.plain
    assert found.modalities == {TEXT, IMAGE}
    assert (found.dim, found.max_tokens, found.image_size) == expected


def test_a_plain_folder_of_an_unknown_network_without_towers_is_text(read):
    assert read(config=BERT, tokenizer={}).modalities == {TEXT}


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({}, "has no config.json"),
        ({"config": "{"}, "config.json cannot be read"),
        ({"config": "[1]"}, "not what it should be"),
        ({"config": BERT, "modules": [{"name": "0"}]}, "not what it should be"),
        ({"config": {"model_type": "vit", "hidden_size": 8}}, "plain folder of a vit does not say"),
        ({"config": {"model_type": "new", "text_config": {}}, "tokenizer": {}}, "plain folder of a new does not say"),
        ({"config": {"model_type": "clap"}}, "CLAP has a loader of its own"),
        ({"config": BERT, "config_sentence_transformers": {"model_type": "CrossEncoder"}}, "it is a CrossEncoder"),
        ({"config": BERT, "modules": modules("custom.Transformer")}, r"program code of its own, custom\.Transformer"),
        ({"config": BERT, "modules": modules("sentence_transformers.models.Router")}, "begins with .*Router"),
        ({"config": BERT, "modules": modules(MODULE, "sentence_transformers.models.LSTM")}, "cannot be told from its module .*LSTM"),
        ({"config": BERT, "modules": modules(MODULE, POOLING)}, "not what it should be"),
    ],
    ids=["empty", "torn", "list", "modules", "pictures", "unknown", "clap", "reranker", "code", "router", "lstm", "no pooling"],
)
def test_what_is_of_no_use_is_refused_with_the_reason(read, files, reason):
    with pytest.raises(ModelUnavailable, match=rf"the model of st:it cannot be used \(.*{reason}.*\): \w+"):
        read(**files)


def test_code_of_its_own_runs_only_where_it_is_trusted(read):
    assert read(trust_remote_code=True, config=BERT, modules=modules("custom.Transformer")).modalities == {TEXT}
