import hashlib

import numpy as np
import pytest

from anyseek.encoders.fingerprint import fingerprint


def test_it_is_the_sha256_of_canonical_json():
    canonical = '{"adapter":"clap","dim":512,"prompts":["a {}"],"version":"1"}'
    assert fingerprint("clap", "1", prompts=("a {}",), dim=512) == hashlib.sha256(canonical.encode()).hexdigest()


def test_the_order_of_keys_does_not_count_and_that_of_lists_does():
    assert fingerprint("a", "1", mean=[1, 2], cfg={"x": 1, "y": 2}) == fingerprint("a", "1", cfg={"y": 2, "x": 1}, mean=[1, 2])
    assert fingerprint("a", "1", mean=[1, 2]) != fingerprint("a", "1", mean=[2, 1])


@pytest.mark.parametrize("other", [("b", "1", 8), ("a", "2", 8), ("a", "1", 9), ("a", "1", None)])
def test_every_part_counts(other):
    adapter, version, dim = other
    assert fingerprint(adapter, version, dim=dim) != fingerprint("a", "1", dim=8)


def test_what_json_has_not_is_refused():
    with pytest.raises(TypeError):
        fingerprint("a", "1", mean=np.zeros(3))
    with pytest.raises(ValueError, match="JSON compliant"):
        fingerprint("a", "1", mean=float("nan"))
