"""The files of adapters: whole or not there, and what was written."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from adapting import card_of, linear, residual
from safetensors.numpy import load, save

from anyseek.adapters.adapter import Adapter
from anyseek.adapters.card import Card, SpaceName
from anyseek.adapters.store import AdapterStore, packed
from anyseek.errors import BadInput, LibraryError
from anyseek.storage import files
from anyseek.storage.layout import LibraryFolder
from anyseek.types import Modality


@pytest.fixture
def store(tmp_path: Path) -> AdapterStore:
    return AdapterStore(LibraryFolder(tmp_path))


def test_what_is_read_is_what_was_written(store: AdapterStore) -> None:
    written = residual(4, 0, name="products-2")
    store.write(written)
    read = store.read("products-2")
    assert read.card == written.card
    assert read.digest == written.digest
    assert {name: array.tolist() for name, array in read.arrays.items()} == {n: a.tolist() for n, a in written.arrays.items()}
    assert [card.name for card in store.cards()] == store.names() == ["products-2"]


def test_other_tools_can_read_the_file(store: AdapterStore) -> None:
    store.write(linear({4: 0}))
    content = (store.path / "words.safetensors").read_bytes()
    assert load(content)["map.text.weights"][4].tolist() == [1, 0, 0, 0, 0, 0, 0, 0]
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    assert header["__metadata__"]["format"] == "anyseek adapter"
    assert json.loads(header["__metadata__"]["card"])["name"] == "words"


def test_an_adapter_takes_no_others_place_unless_told(store: AdapterStore) -> None:
    store.write(linear({4: 0}))
    with pytest.raises(BadInput, match="there is an adapter called 'words' already"):
        store.write(linear({4: 1}))
    store.write(linear({4: 1}), replace=True)
    assert store.read("words").digest == linear({4: 1}).digest


def test_there_is_none_before_one_is_written(store: AdapterStore) -> None:
    assert store.names() == store.cards() == []
    with pytest.raises(BadInput, match=r"no adapter called 'words' \(it has none\): make one with  anyseek train"):
        store.read("words")
    with pytest.raises(BadInput, match="no adapter called 'words'"):
        store.remove("words")
    with pytest.raises(BadInput, match="no adapter can be called"):
        store.read("../words")


def test_one_that_is_removed_is_gone_with_what_was_left_of_others(store: AdapterStore) -> None:
    store.write(linear({4: 0}))
    (store.path / "half.safetensors.tmp-00000000").write_bytes(b"half")
    store.remove("words")
    assert list(store.path.iterdir()) == []


def test_a_writer_that_is_killed_leaves_what_was_there(store: AdapterStore, monkeypatch: pytest.MonkeyPatch) -> None:
    store.write(linear({4: 0}))

    def killed(descriptor: int) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(files.os, "fsync", killed)
        with pytest.raises(KeyboardInterrupt):
            store.write(linear({4: 1}), replace=True)
    assert store.read("words").digest == linear({4: 0}).digest
    (store.path / "words.safetensors.tmp-0badf00d").write_bytes(b"half")  # as if it had not had the time to tidy up
    assert store.names() == ["words"]


def test_no_byte_can_change_unseen(store: AdapterStore) -> None:
    store.write(linear({4: 0}, seed=1))
    path = store.path / "words.safetensors"
    content = path.read_bytes()
    for place in range(0, len(content), 7):
        broken = bytearray(content)
        broken[place] ^= 1
        path.write_bytes(bytes(broken))
        with pytest.raises(LibraryError, match="words"):
            store.read("words")
    path.write_bytes(content)
    assert store.read("words").card.seed == 1


def test_a_damaged_file_is_told_with_its_remedy_and_hides_no_other(store: AdapterStore) -> None:
    store.write(linear({4: 0}))
    store.write(linear({4: 0}, name="half"))
    half = store.path / "half.safetensors"
    half.write_bytes(half.read_bytes()[:-100])
    with pytest.raises(LibraryError, match=r"half.safetensors cannot be used \(it is damaged.*anyseek adapters drop half  and train"):
        store.read("half")
    assert [card.name for card in store.cards()] == ["words"]
    assert list(store.damaged()) == ["half"]
    store.remove("half")
    assert store.names() == ["words"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "damaged, or no safetensors file"),
        (b"\xff" * 64, "damaged, or no safetensors file"),
        (b"\x80\x04}\x94.", "damaged, or no safetensors file"),
        (save({"weight": np.ones(2, np.float32)}), "no adapter of anyseek's"),
        (save({"weight": np.ones(2, np.float32)}, {"format": "pt"}), "no adapter of anyseek's"),
        (save({}, {"format": "anyseek adapter", "card": "{}"}), "no card that can be read"),
        (save({"a": np.ones(2, np.float32)}, {"format": "anyseek adapter", "card": card_of().to_json()}), "modalities"),
        (save(dict(linear({}).arrays), {"format": "anyseek adapter", "card": card_of().to_json()}), "checksum"),
    ],
    ids=range(8),  # the package writes metadata in any order, and the bytes would be the name
)
def test_a_foreign_file_is_told_apart(store: AdapterStore, content: bytes, reason: str) -> None:
    store.path.mkdir()
    (store.path / "words.safetensors").write_bytes(content)
    with pytest.raises(LibraryError, match=reason):
        store.read("words")


def test_a_file_under_another_name_is_not_that_adapter(store: AdapterStore) -> None:
    store.path.mkdir()
    (store.path / "other.safetensors").write_bytes(packed(linear({4: 0})))
    with pytest.raises(LibraryError, match="was written as 'words'"):
        store.read("other")


def test_arrays_that_lie_otherwise_in_memory_are_the_same_adapter(store: AdapterStore) -> None:
    weights = np.asfortranarray(np.arange(64, dtype=np.float32).reshape(8, 8))
    store.write(Adapter(card_of(), {"map.text.weights": weights}))
    np.testing.assert_array_equal(store.read("words").arrays["map.text.weights"], weights)


def test_something_in_the_folders_place_is_told(store: AdapterStore) -> None:
    store.path.write_bytes(b"in the way")
    assert store.names() == []
    with pytest.raises(LibraryError, match="cannot be written"):
        store.write(linear({4: 0}))


def test_a_number_without_a_shape_keeps_having_none(store: AdapterStore) -> None:
    arrays = {"weights": np.ones((8, 3)), "source_centre": np.ones(8), "radius": np.ones(())}
    card = card_of(method="bridge", modalities=(Modality.IMAGE,), target=SpaceName("elsewhere", "f" * 64, 3))
    written = Adapter(card, {f"bridge.{name}": array.astype(np.float32) for name, array in arrays.items()})
    store.write(written)
    assert store.read("words").bridge["radius"].shape == ()
    assert store.read("words").digest == written.digest


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("made_at", "yesterday"), ("made_at", 5), ("spec", 5), ("fingerprint", None), ("dim", "384"), ("dim", True), ("revision", 1),
        ("loss", []), ("method", ["linear"]), ("seed", "0"), ("settings", "x"), ("data", None), ("metrics", [1]),
    ],
)  # fmt: skip
def test_a_card_of_other_types_is_refused_where_it_is_read(field: str, value: object) -> None:
    card = json.loads(card_of().to_json())
    with pytest.raises(ValueError, match="its card is not one of an adapter"):
        Card.from_json(json.dumps(card | {field: value}))
