"""Names the machine that the figures were taken on."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import psutil

__all__ = ["machine"]

PACKAGES = ("anyseek", "numpy", "onnxruntime", "faiss-cpu", "pillow", "av", "sqlalchemy", "typer", "torch", "open_clip_torch")


def machine() -> str:
    """One line each for the hardware, the software and the moment."""
    memory = psutil.virtual_memory().total / 2**30
    load = ", ".join(f"{value:.1f}" for value in psutil.getloadavg())
    return (
        f"- machine: {_processor()}, {os.cpu_count()} cores, {memory:.0f} GiB, {platform.platform(terse=True)}\n"
        f"- software: Python {platform.python_version()}, {', '.join(f'{name} {version(name)}' for name in PACKAGES)}\n"
        f"- taken: {datetime.now(UTC):%Y-%m-%d %H:%M} UTC, load before it {load}\n"
    )


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())
