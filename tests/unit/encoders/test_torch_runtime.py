"""What encoders on torch share. Stand-ins give the errors that memory gives; what a device does is no part of it."""

from __future__ import annotations

import threading
from contextlib import contextmanager

import numpy as np
import pytest
import torch
from tiny_models import tiny

from anyseek.encoders import torch_runtime
from anyseek.encoders.protocol import BatchingEncoder, EncoderSettings
from anyseek.encoders.registry import load
from anyseek.encoders.torch_runtime import Batcher, Once, loading, pick_device, require, side_by_side, suitable_batch, unit_rows
from anyseek.errors import BadInput, EncoderFailed, MissingExtra, ModelUnavailable

ITEMS = list(range(1, 11))
ROWS = unit_rows(np.array([[item, 1.0, 7.0] for item in ITEMS]), 2)


def encode(batch):
    return torch.tensor([[item, 1.0, 7.0] for item in batch])


class Crowded:
    """Encodes up to so many at a time, and has no memory for more."""

    def __init__(self, room, error):
        self.room, self.error, self.sizes = room, error, []

    def __call__(self, batch):
        self.sizes.append(len(batch))
        if len(batch) > self.room:
            raise self.error
        return encode(batch)


SHORT_OF_MEMORY = [
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
    MemoryError(),
    RuntimeError("[enforce fail at alloc_cpu.cpp:124] err == 0. DefaultCPUAllocator: can't allocate memory: you tried to allocate"),
    RuntimeError("MPS backend out of memory (MPS allocated: 1 GB)"),
    RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
]


def test_a_package_that_is_not_there_is_named_with_its_extra():
    require(["torch", "json"], "clap")
    with pytest.raises(MissingExtra, match=r"nowhere_at_all is not installed: run  pip install 'anyseek\[clap\]'") as caught:
        require(["torch", "nowhere_at_all"], "clap")
    assert (caught.value.package, caught.value.extra) == ("nowhere_at_all", "clap")


@pytest.mark.parametrize(
    ("cuda", "mps", "wanted", "device"),
    [
        (0, False, "auto", "cpu"),
        (0, True, "auto", "mps"),
        (2, True, "auto", "cuda"),
        (2, False, "cpu", "cpu"),
        (2, False, "cuda", "cuda"),
        (2, False, "cuda:1", "cuda:1"),
        (0, True, "mps", "mps"),
    ],
)
def test_the_device_is_the_best_or_the_one_that_is_named(monkeypatch, cuda, mps, wanted, device):
    _machine(monkeypatch, cuda, mps)
    assert pick_device(wanted) == device


@pytest.mark.parametrize("wanted", ["cuda:2", "cuda:", "cuda:x", "mps:0", "cpu:0"])
def test_a_device_that_is_not_there_is_refused(monkeypatch, wanted):
    _machine(monkeypatch, 2, True)
    with pytest.raises(BadInput, match=f"this machine has no device '{wanted}'"):
        pick_device(wanted)


@pytest.mark.parametrize("wanted", ["gpu", "", "tpu:0"])
def test_what_is_no_device_is_refused(wanted):
    with pytest.raises(BadInput, match="use auto, cpu, mps, cuda or cuda:N"):
        pick_device(wanted)


def _machine(monkeypatch, cuda, mps):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)


@pytest.mark.parametrize("size", [1, 3, 10, 64])
def test_batches_are_cut_then_made_unit_length_in_order(size):
    np.testing.assert_array_equal(Batcher("x", "cpu", size).run(ITEMS, encode, 2), ROWS)


def test_nothing_in_gives_no_rows():
    rows = Batcher("x", "cpu").run([], encode, 3)
    assert (rows.shape, rows.dtype) == ((0, 3), np.float32)


@pytest.mark.parametrize("error", SHORT_OF_MEMORY, ids=lambda error: type(error).__name__)
def test_batches_shrink_when_memory_is_short_and_stay_small(error):
    crowded, batcher = Crowded(3, error), Batcher("x", "cpu", 8)
    np.testing.assert_array_equal(batcher.run(ITEMS, crowded, 2), ROWS)
    assert crowded.sizes == [8, 4, 2, 2, 2, 2, 2]
    batcher.run(ITEMS[:3], crowded, 2)
    assert crowded.sizes[7:] == [2, 1]


def test_a_last_batch_that_is_too_large_is_halved_itself():
    crowded = Crowded(2, MemoryError())
    Batcher("x", "cpu", 1000).run(ITEMS[:3], crowded, 2)
    assert crowded.sizes == [3, 1, 1, 1]


def test_one_that_is_too_large_alone_is_the_end():
    with pytest.raises(EncoderFailed, match="one input at a time is more than its device has memory for"):
        Batcher("x", "cpu", 4).run(ITEMS, Crowded(0, torch.OutOfMemoryError("none")), 2)


def test_torch_itself_says_so_on_the_cpu():
    with pytest.raises(RuntimeError) as caught:
        torch.empty(1 << 60, dtype=torch.uint8)
    assert torch_runtime.is_out_of_memory(caught.value)


def test_other_errors_are_handed_on():
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        Batcher("x", "cpu", 4).run(ITEMS, Crowded(0, RuntimeError("mat1 and mat2 shapes cannot be multiplied")), 2)


def test_what_has_no_finite_vector_is_refused():
    with pytest.raises(BadInput, match="x gives no finite vector"):
        Batcher("x", "cpu", 2).run([0.0], lambda batch: torch.zeros(len(batch), 2), 2)


@pytest.mark.parametrize("settings", [{"size": 0}, {"size": -1}, {"threads": 0}])
def test_no_fewer_than_one(settings):
    with pytest.raises(BadInput, match="computes nothing: use 1 or more"):
        Batcher("x", "cpu", **settings)


def test_no_gradients_are_kept():
    weights = torch.ones(1, 2, requires_grad=True)
    seen = []
    Batcher("x", "cpu").run([1.0], lambda batch: seen.append(weights * 2) or seen[0], 2)
    assert not seen[0].requires_grad


def test_threads_are_set_for_the_batch_alone():
    before, seen = torch.get_num_threads(), []
    wanted = before + 1
    Batcher("x", "cpu", threads=wanted).run([1], lambda batch: seen.append(torch.get_num_threads()) or encode(batch), 2)
    assert seen == [wanted]
    assert torch.get_num_threads() == before
    with pytest.raises(RuntimeError, match="broken"):
        Batcher("x", "cpu", threads=wanted).run([1], Crowded(0, RuntimeError("broken")), 2)
    assert torch.get_num_threads() == before


def test_another_thread_gets_its_turn_between_two_batches():
    batcher, order, first_is_in, second_waits = Batcher("x", "cpu", 1), [], threading.Event(), threading.Event()

    def long(batch):
        order.extend(batch)
        first_is_in.set()
        assert second_waits.wait(10)
        return encode(batch)

    def short():
        assert first_is_in.wait(10)
        second_waits.set()
        batcher.run([-1], lambda batch: order.extend(batch) or encode(batch), 2)

    query = threading.Thread(target=short)
    query.start()
    batcher.run(ITEMS * 200, long, 2)
    query.join()
    assert 0 < order.index(-1) < len(order) - 1


class HalfPrecision:
    """Stands in for `torch.autocast`, whose real one needs CUDA: says whether it is on, and in what."""

    def __init__(self, monkeypatch):
        self.on = None
        monkeypatch.setattr(torch, "autocast", self)

    @contextmanager
    def __call__(self, device, dtype):
        self.on = device, dtype
        yield
        self.on = None


def test_half_precision_is_for_cuda_alone(monkeypatch):
    half = HalfPrecision(monkeypatch)
    for device, seen in {"cuda:1": ("cuda", torch.float16), "cpu": None, "mps": None}.items():
        found = []
        Batcher("x", device, half=True).run([1], lambda batch, found=found: found.append(half.on) or encode(batch), 2)
        assert found == [seen]
    found = []
    Batcher("x", "cuda").run([1], lambda batch: found.append(half.on) or encode(batch), 2)
    assert found == [None]


def test_numbers_beyond_half_precision_are_computed_in_full_from_then_on(monkeypatch):
    half, seen = HalfPrecision(monkeypatch), []

    def overflowing(batch):
        seen.append(half.on is not None)
        return encode(batch) * (float("inf") if half.on else 1.0)

    batcher = Batcher("x", "cuda", 5, half=True)
    np.testing.assert_array_equal(batcher.run(ITEMS, overflowing, 2), ROWS)
    assert seen == [True, False, False]


def test_a_bad_input_does_not_end_half_precision(monkeypatch):
    half, seen = HalfPrecision(monkeypatch), []
    batcher = Batcher("x", "cuda", half=True)
    with pytest.raises(BadInput):
        batcher.run([0], lambda batch: torch.full((len(batch), 2), float("nan")), 2)
    batcher.run([1], lambda batch: seen.append(half.on is not None) or encode(batch), 2)
    assert seen == [True]


def test_a_thing_is_made_once_and_tried_again_after_a_failure():
    made = []

    def make():
        made.append(len(made))
        if len(made) == 1:
            raise ModelUnavailable("x", "not yet")
        return made[-1]

    once = Once(make)
    with pytest.raises(ModelUnavailable):
        once()
    assert [once(), once()] == [1, 1]


@pytest.mark.parametrize("threads", [None, 1, 3])
def test_work_is_done_side_by_side_in_order(threads):
    assert side_by_side(lambda item: item * 2, ITEMS, threads) == [item * 2 for item in ITEMS]
    assert side_by_side(lambda item: item, [], threads) == []


def test_threads_share_those_of_torch():
    """And leave the number for others as it was."""
    before, seen = torch.get_num_threads(), []
    torch.set_num_threads(6)
    try:
        side_by_side(lambda item: seen.append(torch.get_num_threads()), ITEMS, 3)
        later = side_by_side(lambda item: torch.get_num_threads(), [1])
        fresh = threading.Thread(target=lambda: later.append(torch.get_num_threads()))
        fresh.start()
        fresh.join()
    finally:
        torch.set_num_threads(before)
    assert seen == [2] * len(ITEMS)
    assert later == [6, 6]


@pytest.mark.parametrize(("threads", "sizes"), [(1, [10]), (2, [5, 5]), (3, [4, 4, 2]), (8, [4, 4, 2])])
def test_a_batch_in_parts_gives_the_same_rows(threads, sizes):
    seen = []

    def noted(batch):
        seen.append((len(batch), torch.get_num_threads(), torch.is_inference_mode_enabled(), threading.get_ident()))
        return encode(batch)

    before = torch.get_num_threads()
    rows = Batcher("x", "cpu", threads=threads, apart=True).run(ITEMS, noted, 2)
    np.testing.assert_array_equal(rows, ROWS)
    assert sorted((size for size, *_ in seen), reverse=True) == sizes
    assert {count for _, count, *_ in seen} == {threads // len(sizes)}
    assert all(inferring for *_, inferring, _ in seen)
    assert torch.get_num_threads() == before


def test_parts_that_are_too_large_make_the_batch_smaller():
    crowded, batcher = Crowded(2, torch.OutOfMemoryError("none")), Batcher("x", "cpu", 8, threads=2, apart=True)
    np.testing.assert_array_equal(batcher.run(ITEMS, crowded, 2), ROWS)
    assert batcher.size == 2


def test_parts_are_for_the_cpu_alone():
    sizes = []
    Batcher("x", "mps", 10, apart=True).run(ITEMS, lambda batch: sizes.append(len(batch)) or encode(batch), 2)
    assert sizes == [10]


def test_what_goes_wrong_while_loading_is_one_line(tmp_path):
    with pytest.raises(ModelUnavailable, match=r"weights\.bin cannot be loaded: first") as caught, loading("x", tmp_path / "weights.bin"):
        raise ValueError("\n first\nsecond")
    assert "second" not in str(caught.value)
    with pytest.raises(ModelUnavailable, match="cannot be loaded: EOFError"), loading("x", tmp_path):
        raise EOFError
    with pytest.raises(EncoderFailed, match="more than there is memory for"), loading("x", tmp_path):
        raise MemoryError
    with pytest.raises(BadInput, match="as it is"), loading("x", tmp_path):
        raise BadInput("as it is")


@pytest.mark.parametrize("spec", ["open_clip:local-dir:{openclip}", "clap:{clap}", "st:{clip}"])
def test_an_encoder_says_how_many_inputs_suit_it(spec):
    folder = spec.format(openclip=tiny("openclip"), clap=tiny("clap"), clip=tiny("clip"))
    encoder = load(folder, EncoderSettings(device="cpu"))
    assert isinstance(encoder, BatchingEncoder)
    assert encoder.batch_size == 16
    assert load(folder, EncoderSettings(batch_size=3)).batch_size == 3


def test_what_suits_a_gpu_is_more():
    assert (suitable_batch("cpu", None), suitable_batch("cuda:1", None), suitable_batch("cuda", 5)) == (16, 64, 5)
