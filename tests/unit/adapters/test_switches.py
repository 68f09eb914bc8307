"""Which adapters are on, after whatever was switched."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from adapting import card_of, linear
from fakes import DIM, ColourEncoder

from anyseek.adapters.adapter import Adapter
from anyseek.adapters.card import SpaceName
from anyseek.adapters.switches import SETTING, Switches
from anyseek.storage.catalog import Catalog
from anyseek.storage.layout import LibraryFolder
from anyseek.types import Modality

HERE = ColourEncoder().space.fingerprint
OTHER = ColourEncoder("other").space


@pytest.fixture
def switches(tmp_path: Path) -> Iterator[Switches]:
    with Catalog.create(LibraryFolder(tmp_path)) as catalog:
        yield Switches(catalog)


def bridge(target: str) -> Adapter:
    arrays = {"weights": np.ones((DIM, 3)), "source_centre": np.ones(DIM), "radius": np.ones(())}
    card = card_of(f"to-{target}", "bridge", modalities=(Modality.IMAGE,), target=SpaceName(target, target * 8, 3))
    return Adapter(card, {f"bridge.{name}": array.astype(np.float32) for name, array in arrays.items()})


def test_none_is_on_at_first(switches: Switches) -> None:
    assert switches.on("query", HERE) is None
    assert switches.history() == switches.current() == []


def test_the_newest_is_on_and_taking_it_away_brings_the_one_before_back(switches: Switches) -> None:
    switches.switch_on(linear({4: 0}, name="first"))
    switches.switch_on(linear({4: 1}, name="second"))
    assert switches.on("query", HERE) == "second"
    switches.forget("second")
    assert switches.on("query", HERE) == "first"
    switches.forget("first")
    assert switches.on("query", HERE) is None


def test_one_that_is_switched_on_again_is_in_the_stack_once(switches: Switches) -> None:
    for name in ("first", "second", "first"):
        switches.switch_on(linear({4: 0}, name=name))
    assert [switched.name for switched in switches.history()] == ["second", "first"]


def test_off_forgets_what_was_on_before(switches: Switches) -> None:
    switches.switch_on(linear({4: 0}, name="first"))
    switches.switch_on(linear({4: 0}, name="second"))
    switches.clear()
    assert switches.history() == []


def test_each_place_has_its_own(switches: Switches) -> None:
    switches.switch_on(linear({4: 0}, name="here"))
    switches.switch_on(linear({4: 0}, name="there", space=OTHER))
    switches.switch_on(bridge("a"))
    switches.switch_on(bridge("b"))
    assert switches.on("query", HERE) == "here"
    assert switches.on("query", OTHER.fingerprint) == "there"
    assert switches.on("bridge", HERE, "a" * 8) == "to-a"
    assert switches.on("bridge", HERE, "b" * 8) == "to-b"
    assert [switched.name for switched in switches.current()] == ["here", "there", "to-a", "to-b"]
    switches.forget("to-a")
    switches.forget("here")
    assert [switched.name for switched in switches.current()] == ["there", "to-b"]


def test_one_that_is_forgotten_is_on_nowhere_and_never_was(switches: Switches) -> None:
    for name in ("first", "second", "third"):
        switches.switch_on(linear({4: 0}, name=name))
    switches.forget("second")
    assert [switched.name for switched in switches.history()] == ["first", "third"]


def test_switching_in_a_transaction_that_fails_changes_nothing(switches: Switches) -> None:
    switches.switch_on(linear({4: 0}, name="first"))

    def switch_and_fail() -> None:
        with switches.catalog.transaction() as writer:
            switches.switch_on(linear({4: 0}, name="second"), writer)
            raise RuntimeError("fails")

    with pytest.raises(RuntimeError, match="fails"):
        switch_and_fail()
    assert switches.on("query", HERE) == "first"


def test_what_cannot_be_read_of_the_setting_is_nothing_on(switches: Switches) -> None:
    for text in ("nonsense", '[{"later": 1}]', "3"):
        with switches.catalog.transaction() as writer:
            writer.put_setting(SETTING, text)
        assert switches.current() == []
