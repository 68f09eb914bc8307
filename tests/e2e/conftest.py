"""What the end-to-end tests share: the command, and one indexed copy of the demo library per session."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from commandline import CommandLine
from demo_library import DemoLibrary

import anyseek


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "xdist_group(name): tests that share what is expensive run on one worker")


@pytest.fixture(scope="session", autouse=True)
def _the_right_anyseek() -> None:
    """The smoke tests must not pass because of a checkout that lies around."""
    root = os.environ.get("ANYSEEK_SMOKE_ROOT")
    if root:
        assert Path(anyseek.__file__).resolve().is_relative_to(Path(root).resolve())


@pytest.fixture(autouse=True)
def _ordinary_priority() -> None:
    """The commands inherit the priority of this process: see `films.ordinary_priority` for what comes of a wrong one."""
    if hasattr(os, "sched_getscheduler"):
        assert os.sched_getscheduler(0) not in (os.SCHED_FIFO, os.SCHED_RR)


@pytest.fixture
def command(tmp_path: Path) -> CommandLine:
    """The command of a person who has never used it."""
    return CommandLine(tmp_path / "home")


@pytest.fixture(scope="session")
def demo_library(tmp_path_factory: pytest.TempPathFactory, demo: Path) -> DemoLibrary:
    """Tests that use it belong to the xdist group ``demo``, so that it is made once."""
    return DemoLibrary.make(demo, tmp_path_factory.mktemp("demo"))
