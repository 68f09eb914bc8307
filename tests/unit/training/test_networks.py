"""What is learnt in torch is what numpy applies afterwards."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from anyseek.adapters.maps import LinearMap, ResidualMap
from anyseek.fusion.early import Pieces
from anyseek.fusion.fitted import FittedWeights, FusionWeights
from anyseek.fusion.network import FusionNetwork, NetworkFusion
from anyseek.training.networks import fused, kept_parts, mapped, new_linear, new_network, new_residual, part_weights, residual
from anyseek.types import Modality

TEXT, IMAGE, AUDIO = Modality.TEXT, Modality.IMAGE, Modality.AUDIO


@pytest.fixture(autouse=True)
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def chance():
    return np.random.default_rng(0)


def unit(rows: int, dim: int, chance: np.random.Generator) -> np.ndarray:
    drawn = chance.standard_normal((rows, dim))
    return (drawn / np.linalg.norm(drawn, axis=1, keepdims=True)).astype(np.float32)


def tensors(arrays: dict[str, np.ndarray]) -> dict[str, torch.Tensor]:
    return {name: torch.from_numpy(np.asarray(array)) for name, array in arrays.items()}


def shaken(arrays: dict[str, np.ndarray], chance: np.random.Generator) -> dict[str, np.ndarray]:
    return {name: np.asarray(array + 0.3 * chance.standard_normal(array.shape), np.float32) for name, array in arrays.items()}


def test_maps_are_those_that_numpy_applies(chance):
    vectors = unit(9, 8, chance)
    modalities = [TEXT, IMAGE, TEXT, AUDIO, IMAGE, TEXT, AUDIO, TEXT, IMAGE]
    straight, low = shaken(new_linear(8), chance), shaken(new_residual(unit(5, 8, chance), 3, unit(9, 8, chance), chance), chance)
    found = mapped(torch.from_numpy(vectors), modalities, {TEXT: tensors(straight), IMAGE: tensors(low)}).numpy()
    applied = {TEXT: LinearMap(np.eye(8, dtype=np.float32) + straight["delta"]), IMAGE: ResidualMap.from_arrays(low)}
    for number, modality in enumerate(modalities):
        expected = applied[modality].apply(vectors[[number]])[0] if modality in applied else vectors[number]
        assert found[number] == pytest.approx(expected, abs=1e-5)


def test_what_has_learnt_nothing_changes_nothing(chance):
    vectors = unit(4, 8, chance)
    new = new_residual(unit(5, 8, chance), 3, unit(9, 8, chance), chance)
    assert residual(torch.from_numpy(vectors), *tensors(new).values()).numpy() == pytest.approx(vectors, abs=1e-6)
    owner = torch.tensor([0, 0, 1, 1])
    network = tensors(new_network(8, 3, (TEXT, IMAGE), chance))
    mean = fused(torch.from_numpy(vectors), [TEXT, IMAGE, TEXT, AUDIO], torch.ones(4), owner, network).numpy()
    for row, both in enumerate((vectors[:2], vectors[2:])):
        assert mean[row] == pytest.approx(both.sum(axis=0) / np.linalg.norm(both.sum(axis=0)), abs=1e-6)


def test_keys_are_what_is_learnt_and_answer_to_hardly_an_anchor(chance):
    keys, anchors = unit(5, 40, chance), unit(4000, 40, chance)
    new = new_residual(keys, 3, anchors, chance)
    assert all((np.abs(keys - column).max(axis=1) == 0).any() for column in new["down"].T)
    answering = keys @ new["down"] + new["bias"] > 0
    assert answering.any(axis=0).all()
    assert (anchors @ new["down"] + new["bias"] > 0).mean(axis=0) == pytest.approx(0.01, abs=1e-9)
    assert new_residual(keys, 9, anchors[:0], chance)["bias"].tolist() == pytest.approx([-0.4] * 5)


def test_the_network_is_the_one_that_numpy_applies(chance):
    vectors, weights = unit(7, 8, chance), chance.uniform(0.5, 2, 7).astype(np.float32)
    weights[4] = 0  # a missing part; the one beside it is alone
    modalities, owner = [TEXT, IMAGE, AUDIO, TEXT, IMAGE, IMAGE, TEXT], np.array([0, 0, 0, 1, 1, 2, 2])
    arrays = shaken(new_network(8, 3, (TEXT, IMAGE), chance), chance)
    found = fused(torch.from_numpy(vectors), modalities, torch.from_numpy(weights), torch.from_numpy(owner), tensors(arrays)).numpy()
    applied = NetworkFusion({"": FusionNetwork.from_arrays(arrays)})
    for row in range(3):
        mine = np.flatnonzero((owner == row) & (weights > 0))
        pieces = Pieces(vectors[mine], tuple(weights[mine].tolist()), tuple(modalities[number] for number in mine))
        assert found[row] == pytest.approx(applied.fuse(pieces).vector, abs=1e-5)
    assert found[1] == pytest.approx(vectors[3], abs=1e-6)


def test_weights_by_modality_lie_on_the_simplex():
    logits = {"text": torch.tensor(math.log(3.0)), "image": torch.tensor(0.0)}
    assert part_weights([IMAGE, TEXT, IMAGE], logits).tolist() == pytest.approx([0.25, 0.75, 0.25])


def test_fitted_weights_are_those_that_numpy_applies(chance):
    vectors, owner = unit(2, 8, chance), torch.zeros(2, dtype=torch.long)
    weights = part_weights([IMAGE, TEXT], {"text": torch.tensor(math.log(3.0)), "image": torch.tensor(0.0)})
    found = fused(torch.from_numpy(vectors), [IMAGE, TEXT], weights * torch.tensor([1.0, 0.5]), owner, {}).numpy()
    applied = FittedWeights({"": FusionWeights({TEXT: 0.75, IMAGE: 0.25})}).fuse(Pieces(vectors, (1.0, 0.5), (IMAGE, TEXT)))
    assert found[0] == pytest.approx(applied.vector, abs=1e-5)


def test_dropping_leaves_everyone_something(chance):
    owner = np.repeat(np.arange(400), 3)
    kept = kept_parts(owner, 0.5, chance)
    assert np.bincount(owner, kept).min() == 1
    # of three, all are dropped with a chance of 1/8, and then one is kept all the same
    assert kept.mean() == pytest.approx(0.5 + 1 / 24, abs=0.03)
    assert kept_parts(owner, 0.0, chance).all()
