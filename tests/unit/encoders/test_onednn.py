"""Linear layers by oneDNN: the same numbers, in the thread that asks for it alone, and nothing that it cannot compute."""

from __future__ import annotations

import threading
from types import SimpleNamespace

import pytest
import torch
from torch.nn import functional

from anyseek.encoders import onednn
from anyseek.encoders.onednn import linear_by_onednn, suits

needs_onednn = torch.backends.mkldnn.is_available() and hasattr(torch.ops.mkldnn, "_linear_pointwise")


@pytest.fixture(autouse=True)
def _as_on_amd(monkeypatch):
    """On any processor that has oneDNN; each test starts without what was found out before."""
    monkeypatch.setattr(onednn, "_is_amd", lambda: needs_onednn)
    suits.cache_clear()
    yield
    suits.cache_clear()


@pytest.fixture
def products(monkeypatch):
    """The shapes of the inputs that oneDNN multiplies."""
    if not needs_onednn:
        return None
    shapes = []
    _, linear = onednn._modes()
    dispatch = linear.__torch_dispatch__

    def noted(self, func, types, args=(), kwargs=None):
        if func is torch.ops.aten.linear.default and onednn._fits(*args):
            shapes.append(tuple(args[0].shape))
        return dispatch(self, func, types, args, kwargs)

    monkeypatch.setattr(linear, "__torch_dispatch__", noted)
    return shapes


def random(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("shape", [(1, 7), (65, 7), (3, 5, 7), (2, 0, 7), (7,)])
@pytest.mark.parametrize("bias", [True, False])
def test_the_numbers_are_those_of_double_precision(shape, bias):
    inputs, weight, added = random(*shape), random(11, 7, seed=1), random(11, seed=2) if bias else None
    with torch.inference_mode(), linear_by_onednn("cpu"):
        found = functional.linear(inputs, weight, added)
    true = functional.linear(inputs.double(), weight.double(), None if added is None else added.double())
    torch.testing.assert_close(found.double(), true, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("precision", [torch.float64, torch.bfloat16, torch.float16])
def test_other_precisions_are_left_to_torch(products, precision):
    inputs, weight = random(5, 7).to(precision), random(11, 7, seed=1).to(precision)
    with torch.inference_mode():
        expected = functional.linear(inputs, weight)
        with linear_by_onednn("cpu"):
            assert torch.equal(functional.linear(inputs, weight), expected)
    assert not products


def test_what_lies_askew_in_memory():
    inputs, weight = random(7, 6, 5).transpose(0, 2)[1:], random(7, 11, seed=1).t()
    with torch.inference_mode(), linear_by_onednn("cpu"):
        found = functional.linear(inputs, weight)
    torch.testing.assert_close(found, inputs.contiguous() @ weight.t(), rtol=1e-5, atol=1e-5)


def test_attention_is_seen_through(products):
    """Torch has a short cut for attention in which no linear layer shows."""
    layer = torch.nn.MultiheadAttention(8, 2, batch_first=True).eval()
    inputs = random(3, 5, 8)
    with torch.inference_mode():
        expected, _ = layer(inputs, inputs, inputs, need_weights=False)
        with linear_by_onednn("cpu"):
            found, _ = layer(inputs, inputs, inputs, need_weights=False)
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-6)
    if products is not None:
        assert len(products) == 2  # into the heads, and out of them


def test_other_threads_are_left_alone(products):
    def other():
        with torch.inference_mode():
            functional.linear(random(4, 7), random(11, 7))

    with torch.inference_mode(), linear_by_onednn("cpu"):
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
    assert not products


@pytest.mark.parametrize("device", ["cuda", "mps"])
def test_other_devices_are_left_alone(device):
    assert not suits(device)


@pytest.mark.parametrize(("text", "amd"), [("vendor_id\t: AuthenticAMD\n", True), ("vendor_id\t: GenuineIntel\n", False), (None, False)])
def test_the_maker_is_read_from_the_system(tmp_path, monkeypatch, text, amd):
    monkeypatch.undo()
    monkeypatch.setattr(onednn, "CPU_INFO", tmp_path / "cpuinfo")
    monkeypatch.setattr(onednn.platform, "processor", lambda: "")
    if text is not None:
        (tmp_path / "cpuinfo").write_text(text)
    assert onednn._is_amd() is amd


@pytest.mark.parametrize("given", [lambda *_: torch.zeros(2, 4), None], ids=["other numbers", "other arguments"])
def test_an_operator_that_has_changed_is_not_used(monkeypatch, given):
    def changed(*arguments):
        if given is None:
            raise TypeError("unexpected arguments")
        return given(*arguments)

    assert onednn._works() is needs_onednn
    monkeypatch.setattr(torch.ops.mkldnn, "_linear_pointwise", SimpleNamespace(default=changed))
    assert not onednn._works()
