"""The contract of all early fusions, and each by hand or against its formula written out naively."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shelf import unit

from anyseek.errors import BadQuery
from anyseek.fusion.agreement import Agreement, reliabilities
from anyseek.fusion.early import EarlyFusion, Pieces
from anyseek.fusion.fitted import FittedWeights, FusionWeights
from anyseek.fusion.mean import WeightedMean
from anyseek.fusion.named import EARLY, Trained, early_fusion
from anyseek.fusion.network import Branch, FusionNetwork, NetworkFusion
from anyseek.types import Modality

DIM, RANK = 6, 3
SPACE = "f" * 64
TEXT, IMAGE, AUDIO, VIDEO = Modality.TEXT, Modality.IMAGE, Modality.AUDIO, Modality.VIDEO


def network(seed: int = 0, modalities: tuple[Modality, ...] = (TEXT, IMAGE, AUDIO)) -> FusionNetwork:
    random = np.random.default_rng(seed)
    return FusionNetwork(
        {
            modality: Branch(
                random.normal(size=(DIM, RANK)).astype(np.float32),
                random.normal(size=(RANK, DIM)).astype(np.float32),
                random.normal(size=DIM).astype(np.float32),
                np.float32(random.normal()),
            )
            for modality in modalities
        }
    )


TRAINED = Trained({SPACE: FusionWeights({TEXT: 0.5, IMAGE: 0.3, AUDIO: 0.2})}, {SPACE: network()})


def pieces_of(vectors: np.ndarray, weights: list[float], modalities: list[Modality], fingerprint: str = SPACE) -> Pieces:
    return Pieces(np.asarray(vectors, np.float32), tuple(weights), tuple(modalities), fingerprint)


@st.composite
def several(draw: st.DrawFn, least: int = 1, lowest: float = 0.1) -> Pieces:
    count = draw(st.integers(least, 5))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    rows = np.stack([unit(random.normal(size=DIM)) for _ in range(count)])
    modalities = draw(st.lists(st.sampled_from([TEXT, IMAGE, AUDIO, VIDEO]), min_size=count, max_size=count))
    return pieces_of(rows, random.uniform(lowest, 3, count).tolist(), modalities)


def fused(name: str, pieces: Pieces) -> np.ndarray:
    fusion = early_fusion(name, TRAINED)
    assert isinstance(fusion, EarlyFusion)
    assert fusion.name == name
    return fusion.fuse(pieces).vector


@pytest.mark.parametrize("name", EARLY)
@given(pieces=several(), size=st.floats(1e-3, 1e3), turn=st.integers(0, 4))
def test_neither_the_order_nor_the_size_of_weights_matters(name: str, pieces: Pieces, size: float, turn: int) -> None:
    found = fused(name, pieces)
    assert (found.dtype, found.shape) == (np.float32, (DIM,))
    assert np.linalg.norm(found) == pytest.approx(1.0, abs=1e-6)
    order = np.roll(np.arange(len(pieces.weights)), turn)
    other = pieces_of(pieces.vectors[order], [size * pieces.weights[i] for i in order], [pieces.modalities[i] for i in order])
    np.testing.assert_allclose(fused(name, other), found, atol=1e-5)


@pytest.mark.parametrize("name", EARLY)
@given(pieces=several())
def test_where_all_others_are_missing_the_one_that_is_left_stays_what_it_is(name: str, pieces: Pieces) -> None:
    alone = pieces_of(pieces.vectors[:1], [pieces.weights[0]], [pieces.modalities[0]])
    np.testing.assert_allclose(fused(name, alone), pieces.vectors[0], atol=1e-6)


@pytest.mark.parametrize("name", EARLY)
@given(pieces=several())
def test_shares_come_near_to_the_vector_and_give_it_where_the_fusion_is_linear(name: str, pieces: Pieces) -> None:
    fusion = early_fusion(name, TRAINED)
    assert fusion is not None
    found = fusion.fuse(pieces)
    near = np.asarray(found.shares) @ pieces.vectors
    if name != "network":
        np.testing.assert_allclose(near, found.vector, atol=1e-5)
    rest = found.vector - near  # nothing that is left lies in the direction of any piece
    np.testing.assert_allclose(pieces.vectors @ rest, 0.0, atol=1e-4)


@pytest.mark.parametrize("name", EARLY)
def test_what_cancels_out_is_refused(name: str) -> None:
    rows = np.stack([np.eye(DIM)[0], -np.eye(DIM)[0]])
    with pytest.raises(BadQuery, match="cancel each other out"):
        fused(name, pieces_of(rows, [1.0, 1.0], [VIDEO, VIDEO]))


@pytest.mark.parametrize("name", ["weighted", "network"])
def test_what_was_not_trained_for_a_space_says_how_to(name: str) -> None:
    with pytest.raises(BadQuery, match="for this model: train one with  anyseek train"):
        fused(name, pieces_of(np.eye(DIM)[:2], [1.0, 1.0], [TEXT, IMAGE], "another"))


def test_names_that_are_none_give_nothing() -> None:
    assert early_fusion("rrf") is None


@given(st.floats(1e-300, 1e300), st.floats(1e-3, 1e3))
def test_weights_of_the_mean_may_be_of_any_size(size: float, share: float) -> None:
    rows = np.eye(3, dtype=np.float32)[:2]
    one = WeightedMean().fuse(pieces_of(rows, [size, size * share], [TEXT, TEXT]))
    usual = WeightedMean().fuse(pieces_of(rows, [1.0, share], [TEXT, TEXT]))
    np.testing.assert_allclose(one.vector, usual.vector, atol=1e-6)
    assert one.shares == pytest.approx(usual.shares)


def test_two_pieces_agree_with_each_other_alike() -> None:
    rows = np.stack([np.eye(DIM)[0], unit(np.array([1.0, 2.0, 0, 0, 0, 0]))])
    pieces = pieces_of(rows, [2.0, 0.5], [TEXT, IMAGE])
    np.testing.assert_allclose(Agreement().fuse(pieces).vector, WeightedMean().fuse(pieces).vector, atol=1e-6)


def test_of_three_the_one_that_fits_the_others_least_counts_least() -> None:
    """Two equal ones support each other by (1 + 0) / 2, the third has no support: it counts for 1 / e^(sharpness / 2) of each."""
    rows = np.eye(DIM)[[0, 0, 1]]
    less = math.exp(-4.0 / 2)
    found = reliabilities(rows, np.ones(3), 4.0)
    np.testing.assert_allclose(found, np.array([1, 1, less]) * 3 / (2 + less), rtol=1e-9)
    vector = Agreement(4.0).fuse(pieces_of(rows, [1.0, 1.0, 1.0], [IMAGE, AUDIO, TEXT])).vector
    np.testing.assert_allclose(vector[:2], np.array([2.0, less]) / math.hypot(2.0, less), atol=1e-6)


@given(several(least=2))
def test_reliabilities_are_those_of_the_formula_and_their_mean_is_one(pieces: Pieces) -> None:
    rows, weights = pieces.vectors.astype(np.float64), pieces.weights
    raw = []
    for i in range(len(weights)):
        others = [j for j in range(len(weights)) if j != i]
        support = sum(weights[j] * float(rows[i] @ rows[j]) for j in others) / sum(weights[j] for j in others)
        raw.append(math.exp(5.0 * support))
    mean = sum(w * r for w, r in zip(weights, raw, strict=True)) / sum(weights)
    np.testing.assert_allclose(reliabilities(rows, np.array(weights)), np.array(raw) / mean, rtol=1e-6)


@given(several())
def test_without_sharpness_agreement_is_the_mean(pieces: Pieces) -> None:
    np.testing.assert_allclose(Agreement(0.0).fuse(pieces).vector, WeightedMean().fuse(pieces).vector, atol=1e-6)


def test_what_pushes_away_has_no_say_in_what_agrees() -> None:
    rows = np.eye(DIM)[[0, 0, 1, 2]]
    found = Agreement(4.0).fuse(pieces_of(rows, [1.0, 1.0, 1.0, -1.0], [TEXT] * 4)).vector
    less = math.exp(-4.0 / 2)
    wanted = unit(np.array([2.0, less, -(2 + less) / 3, 0, 0, 0]))
    np.testing.assert_allclose(found, wanted, atol=1e-6)


def test_fitted_weights_multiply_the_users_own() -> None:
    fusion = FittedWeights({SPACE: FusionWeights({TEXT: 0.75, IMAGE: 0.25})})
    found = fusion.fuse(pieces_of(np.eye(DIM)[:2], [1.0, 2.0], [TEXT, IMAGE])).vector
    np.testing.assert_allclose(found[:2], np.array([0.75, 0.5]) / math.hypot(0.75, 0.5), atol=1e-6)


def test_a_modality_that_nothing_was_learnt_of_counts_as_the_others_do_on_the_average() -> None:
    assert FusionWeights({TEXT: 0.9, IMAGE: 0.1}).of(AUDIO) == 0.5


def test_where_nothing_that_is_there_counts_the_users_weights_decide() -> None:
    fusion = FittedWeights({SPACE: FusionWeights({TEXT: 1.0, IMAGE: 0.0})})
    found = fusion.fuse(pieces_of(np.eye(DIM)[:2], [3.0, 4.0], [IMAGE, IMAGE])).vector
    np.testing.assert_allclose(found[:2], [0.6, 0.8], atol=1e-6)


@pytest.mark.parametrize("weights", [{TEXT: 0.5, IMAGE: 0.4}, {TEXT: 1.5, IMAGE: -0.5}, {TEXT: math.nan}, {}])
def test_weights_beside_the_simplex_are_refused(weights: dict[Modality, float]) -> None:
    with pytest.raises(ValueError, match="no weights on the simplex"):
        FusionWeights(weights)


def test_weights_are_kept_as_arrays() -> None:
    arrays = FusionWeights({TEXT: 0.75, IMAGE: 0.25}).arrays()
    assert {name: (array.dtype, array.shape, float(array)) for name, array in arrays.items()} == {
        "text": (np.float32, (), 0.75),
        "image": (np.float32, (), 0.25),
    }
    assert FusionWeights.from_arrays(arrays).by_modality == {TEXT: 0.75, IMAGE: 0.25}
    with pytest.raises(ValueError, match="one number"):
        FusionWeights.from_arrays({"text": np.ones(2)})


@given(several(least=2))
def test_the_network_is_its_formula(pieces: Pieces) -> None:
    trained = network(seed=3)
    total = np.zeros(DIM)
    scale = sum(pieces.weights)
    for row, weight, modality in zip(pieces.vectors.astype(np.float64), pieces.weights, pieces.modalities, strict=True):
        total += weight / scale * row
        if modality in trained.branches:
            down, up, gate, bias = trained.branches[modality]
            hidden = [max(0.0, sum(row[i] * down[i, j] for i in range(DIM))) for j in range(RANK)]
            opened = 1 / (1 + math.exp(-(sum(row[i] * gate[i] for i in range(DIM)) + float(bias))))
            total += weight / scale * opened * np.array([sum(hidden[j] * up[j, i] for j in range(RANK)) for i in range(DIM)])
    found = NetworkFusion({SPACE: trained}).fuse(pieces).vector
    np.testing.assert_allclose(found, total / np.linalg.norm(total), atol=1e-5)


@given(several())
def test_an_untrained_network_is_the_mean(pieces: Pieces) -> None:
    fresh = {modality: branch._replace(up=np.zeros((RANK, DIM), np.float32)) for modality, branch in network().branches.items()}
    found = NetworkFusion({SPACE: FusionNetwork(fresh)}).fuse(pieces).vector
    np.testing.assert_allclose(found, WeightedMean().fuse(pieces).vector, atol=1e-6)


def test_in_the_network_what_pushes_away_counts_in_the_mean_alone() -> None:
    trained = network(modalities=(TEXT,))
    rows = np.eye(DIM)[:2]
    found = NetworkFusion({SPACE: trained}).fuse(pieces_of(rows, [1.0, -1.0], [TEXT, TEXT])).vector
    down, up, gate, bias = trained.branches[TEXT]
    added = np.maximum(down[0], 0) @ up / (1 + math.exp(-float(gate[0] + bias)))
    wanted = 0.5 * rows[0] - 0.5 * rows[1] + 0.5 * added
    np.testing.assert_allclose(found, wanted / np.linalg.norm(wanted), atol=1e-5)


def test_a_network_is_kept_as_arrays() -> None:
    trained = network()
    arrays = trained.arrays()
    assert {name: array.shape for name, array in arrays.items() if name.endswith(".image")} == {
        "down.image": (DIM, RANK),
        "up.image": (RANK, DIM),
        "gate.image": (DIM,),
        "gate_bias.image": (),
    }
    again = FusionNetwork.from_arrays(arrays)
    assert again.dim == DIM
    for name, array in again.arrays().items():
        np.testing.assert_array_equal(array, arrays[name])


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"up.text": np.zeros((RANK, DIM + 1))}, "are not those of a fusion network"),
        ({"gate.text": np.full(DIM, np.nan)}, "not all finite"),
        ({"gate.smell": np.zeros(DIM)}, "'smell' has not all of down, up, gate, gate_bias"),
    ],
)
def test_arrays_of_no_network_are_refused(change: dict[str, np.ndarray], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        FusionNetwork.from_arrays(network().arrays() | change)
    with pytest.raises(ValueError, match="joins nothing"):
        FusionNetwork.from_arrays({})
