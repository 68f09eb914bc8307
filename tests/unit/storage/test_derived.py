"""Derived arrays are there whole, of the right origin, or not at all."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from anyseek.errors import LibraryError
from anyseek.storage.derived import DerivedArrays
from anyseek.storage.layout import LibraryFolder

ARRAYS = {"map": np.arange(12, dtype=np.float32).reshape(3, 4), "half": np.ones(5, np.float16), "one": np.array(0.5)}


@pytest.fixture
def derived(tmp_path: Path) -> DerivedArrays:
    derived = DerivedArrays(LibraryFolder(tmp_path))
    derived.write("bridge", "of these", ARRAYS)
    return derived


def test_what_was_written_is_read(derived: DerivedArrays) -> None:
    found = derived.read("bridge", "of these")
    assert found is not None
    assert found.keys() == ARRAYS.keys()
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(found[name], array)
        assert found[name].dtype == array.dtype


def test_what_was_worked_out_from_something_else_does_not_count(derived: DerivedArrays) -> None:
    assert derived.read("bridge", "of those") is None
    assert derived.read("another", "of these") is None
    derived.write("bridge", "of those", {"x": np.zeros(1)})
    assert derived.read("bridge", "of these") is None
    assert [path.name for path in derived.path.iterdir()] == ["bridge.arrays"]


def test_damage_is_never_read(derived: DerivedArrays) -> None:
    """Whatever byte is wrong, and wherever the file ends."""
    path = derived.path / "bridge.arrays"
    sound = path.read_bytes()
    for place in range(len(sound)):
        path.write_bytes(sound[:place] + bytes([sound[place] ^ 0x55]) + sound[place + 1 :])
        assert derived.read("bridge", "of these") is None
    for length in range(0, len(sound), 7):
        path.write_bytes(sound[:length])
        assert derived.read("bridge", "of these") is None


def test_what_is_not_needed_any_more_goes(derived: DerivedArrays) -> None:
    derived.write("texts", "k", {"x": np.zeros(1)})
    (derived.path / "texts.arrays.tmp-1234").write_bytes(b"torn")
    derived.forget_others(["texts"])
    assert [path.name for path in derived.path.iterdir()] == ["texts.arrays"]
    DerivedArrays(LibraryFolder(derived.path / "nowhere")).forget_others([])


def test_where_nothing_can_be_written_the_place_is_named(tmp_path: Path) -> None:
    derived = DerivedArrays(LibraryFolder(tmp_path))
    derived.path.touch()
    with pytest.raises(LibraryError, match=r"derived cannot be written .*: remove it"):
        derived.write("bridge", "of these", ARRAYS)
    derived.path.unlink()
    (derived.path / "bridge.arrays" / "below").mkdir(parents=True)
    with pytest.raises(LibraryError, match=r"derived cannot be written .*: remove it"):
        derived.write("bridge", "of these", ARRAYS)
    derived.forget_others([])
