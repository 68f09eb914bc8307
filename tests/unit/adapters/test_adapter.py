"""Adapters and their cards: what they promise, and what they are refused for."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from adapting import card_of, linear, moved, residual
from fakes import DIM, ColourEncoder

from anyseek.adapters.adapter import Adapter
from anyseek.adapters.card import Card, SpaceName, check_name
from anyseek.errors import AdapterMismatch, BadInput
from anyseek.types import Modality

TARGET = SpaceName("elsewhere", "f" * 64, 3)


def bridge(**arrays: Any) -> Adapter:
    shapes = {"weights": (DIM, 3), "source_centre": (DIM,), "radius": ()}
    known = {f"bridge.{name}": np.ones(shape, np.float32) for name, shape in shapes.items()}
    return Adapter(card_of(method="bridge", modalities=(Modality.IMAGE,), target=TARGET), known | arrays)


def test_a_card_is_the_same_after_a_journey() -> None:
    card = card_of(
        "products", "bridge", target=TARGET, seed=7, settings={"epochs": 3}, data={"pairs": 12}, metrics={"held_out": {"before": 0.1}}
    )
    assert Card.from_json(card.to_json()) == card


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "no card"),
        ("[]", "no card"),
        ("{}", "no card"),
        ('{"version": 2}', "version 2.*upgrade"),
        ('{"version": 1}', "not one of an adapter"),
        (card_of().to_json().replace('"linear"', '"magic"'), "magic"),
        (card_of().to_json().replace('["text"]', '["smell"]'), "smell"),
    ],
)
def test_what_is_no_card_is_refused(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        Card.from_json(text)


def test_what_an_adapter_does_follows_from_its_card() -> None:
    assert linear({}).card.role == "query"
    assert linear({}, side="both").card.role == "space"
    assert bridge().card.role == "bridge"
    assert Adapter(card_of(method="fusion"), {"weights.text": np.ones((), np.float32)}).card.role == "fusion"


def test_only_maps_have_both_sides_and_only_bridges_a_target() -> None:
    with pytest.raises(ValueError, match="maps no stored vectors"):
        card_of(method="fusion", side="both")
    with pytest.raises(ValueError, match="a bridge has a target"):
        card_of(method="bridge")
    with pytest.raises(ValueError, match="nothing else has one"):
        card_of(target=TARGET)


def test_modalities_without_a_map_stay_what_they_are() -> None:
    adapter = linear({4: 0})
    rows = np.eye(DIM, dtype=np.float32)
    np.testing.assert_array_equal(adapter.apply(rows, Modality.TEXT)[4], rows[0])
    assert adapter.apply(rows, Modality.IMAGE) is rows


def test_the_digest_is_that_of_the_numbers_and_the_space() -> None:
    one = linear({4: 0})
    assert linear({4: 0}, name="other", seed=3).digest == one.digest
    assert linear({4: 1}).digest != one.digest
    assert linear({4: 0}, modalities=(Modality.IMAGE,)).digest != one.digest
    assert linear({4: 0}, space=ColourEncoder(version="2").space).digest != one.digest
    assert bridge().digest != Adapter(replace(bridge().card, target=replace(TARGET, fingerprint="e" * 64)), bridge().arrays).digest


def test_the_adapted_space_is_another_one_for_other_numbers() -> None:
    one, other = linear({4: 0}, side="both").adapted_space, linear({4: 1}, side="both").adapted_space
    assert one.spec == other.spec == "adapted:words"
    assert one.dim == DIM
    assert len({one.fingerprint, other.fingerprint, ColourEncoder().space.fingerprint}) == 3


RANK_2_OF_4 = {"down": (4, 2), "bias": (2,), "up": (2, 4)}


@pytest.mark.parametrize(
    ("arrays", "reason"),
    [
        ({}, "not those of the modalities"),
        ({"map.image.weights": moved({})}, "not those of the modalities"),
        ({"map.smell.weights": moved({})}, "smell"),
        ({"map.text.weights": moved({}, 4)}, "does not map vectors of 8"),
        ({f"map.text.{name}": np.ones(shape, np.float32) for name, shape in RANK_2_OF_4.items()}, "does not map vectors of 8"),
        ({"map.text.weights": moved({}).astype(np.float64)}, "float32"),
        ({"map.text.weights": moved({}) * np.float32(np.nan)}, "finite"),
        ({"map.text.weights": moved({}), "network.x": np.ones(1, np.float32)}, "does not belong"),
    ],
)
def test_arrays_that_the_card_does_not_promise_are_refused(arrays: dict[str, np.ndarray], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        Adapter(card_of(), arrays)


def test_a_bridge_has_the_arrays_of_one_between_its_spaces() -> None:
    assert {name: array.shape for name, array in bridge().bridge.items()} == {"weights": (DIM, 3), "source_centre": (DIM,), "radius": ()}
    with pytest.raises(ValueError, match="not those of a bridge"):
        bridge(**{"bridge.weights": np.ones((3, DIM), np.float32)})


def test_it_fits_the_space_that_it_was_trained_on_and_no_other() -> None:
    space = ColourEncoder().space
    linear({}).fit_for(space)
    residual(4, 0).fit_for(space)
    with pytest.raises(AdapterMismatch, match="'words' does not fit: it was trained for colour, the library has another version of colour"):
        linear({}).fit_for(ColourEncoder(version="2").space)
    with pytest.raises(AdapterMismatch, match="trained for colour, the library has shade: train it again"):
        linear({}).fit_for(ColourEncoder("shade").space)
    with pytest.raises(AdapterMismatch, match="trained for elsewhere, the library has nothing there"):
        bridge().fit_for(space)


@pytest.mark.parametrize("name", ["", "a/b", "../a", "A", "-a", "a.b", "a b", "off", "nul", "com1", "x" * 65, "ü"])
def test_names_that_are_no_file_everywhere_are_refused(name: str) -> None:
    with pytest.raises(BadInput, match="no adapter can be called"):
        check_name(name)


def test_a_fusion_has_a_network_or_weights_of_its_space() -> None:
    with pytest.raises(ValueError, match="neither a network nor weights"):
        Adapter(card_of(method="fusion"), {})
    arrays = {"down": (DIM + 1, 2), "up": (2, DIM + 1), "gate": (DIM + 1,), "gate_bias": ()}
    with pytest.raises(ValueError, match="its network joins vectors of"):
        Adapter(card_of(method="fusion"), {f"network.{name}.text": np.zeros(shape, np.float32) for name, shape in arrays.items()})
    weights = Adapter(card_of(method="fusion"), {"weights.text": np.float32(1.0).reshape(())}).weights
    assert weights is not None
    assert weights.by_modality == {Modality.TEXT: 1.0}
