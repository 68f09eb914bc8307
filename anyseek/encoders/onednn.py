"""Linear layers through oneDNN where torch's own choice is slow.

For matrix products in single precision torch calls Intel's MKL, which leaves the wide registers of other makers' processors unused: on an
AMD EPYC a ViT-B/32 takes 107 ms for a picture of 256 pixels, and 60 ms with oneDNN, which torch brings along (docs/benchmarks.md). Both
sum in single precision; unit vectors differ by 1e-7.
"""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

__all__ = ["linear_by_onednn", "suits"]

CPU_INFO = Path("/proc/cpuinfo")


@contextmanager
def linear_by_onednn(device: str) -> Iterator[None]:
    """Compute the linear layers that this thread calls by oneDNN, if that suits the device.

    Args:
        device: As torch names it.
    """
    if not suits(device):
        yield
        return
    direct, linear = _modes()
    with direct(), linear():
        yield


@cache
def suits(device: str) -> bool:
    """Whether oneDNN is there, works as expected, and the processor is one on which it is the faster."""
    if device != "cpu" or not _is_amd():
        return False
    import torch

    library: Any = torch.backends.mkldnn
    return bool(library.is_available()) and _works()


def _works() -> bool:
    """Whether the operator gives what torch's own gives: it is no part of torch's public interface and may change with any version."""
    import torch

    inputs, weight, bias = torch.arange(6.0).reshape(2, 3), torch.arange(12.0).reshape(4, 3), torch.arange(4.0)
    try:
        given = torch.ops.mkldnn._linear_pointwise.default(inputs, weight, bias, "none", [], "")
    except (AttributeError, RuntimeError, TypeError):
        return False
    return torch.equal(given, torch.nn.functional.linear(inputs, weight, bias))


def _is_amd() -> bool:
    try:
        return "AuthenticAMD" in CPU_INFO.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return "AuthenticAMD" in platform.processor()  # on Windows, there is no such file


@cache
def _modes() -> tuple[Callable[[], Any], Callable[[], Any]]:
    """Two modes of torch's, which hold for the thread that enters them and leave all others alone."""
    import torch
    from torch.overrides import BaseTorchFunctionMode
    from torch.utils._python_dispatch import TorchDispatchMode

    linear = torch.ops.aten.linear.default
    product = torch.ops.mkldnn._linear_pointwise.default

    def see(_mode: Any, func: Any, _types: Any, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None) -> Any:
        """Each operator comes by; under inference mode a linear layer is one of them."""
        if func is linear and not kwargs and _fits(*args):
            inputs, weight, bias = (*args, None)[:3]
            return product(inputs, weight, bias, "none", [], "")
        return func(*args, **(kwargs or {}))

    by_onednn = type("LinearByOneDnn", (TorchDispatchMode,), {"__torch_dispatch__": see})
    # While any mode for functions is on, torch's attention layers do not take their own short cut, in which no linear layer is seen.
    return BaseTorchFunctionMode, by_onednn


def _fits(inputs: Any, weight: Any, bias: Any = None) -> bool:
    """Whether all are plain matrices in single precision, and not empty."""
    import torch

    return (
        all(one.dtype == torch.float32 and one.layout == torch.strided and one.is_cpu for one in (inputs, weight, bias) if one is not None)
        and inputs.dim() >= 2
        and weight.dim() == 2
        and weight.is_contiguous()
        and inputs.numel() > 0
    )
