"""Guards that hold for every test: a home of its own, a clean environment, no network, no logged error."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from gpus import how_many_gpus

DEMO = Path(__file__).parents[1] / "data" / "demo"


def pytest_report_header() -> str:
    return "tests marked gpu(package) are left out where that package sees no GPU"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what needs a GPU where there is none, as the header says. A skip would have to be looked at in every run."""
    left_out = [item for item in items if (mark := item.get_closest_marker("gpu")) and not how_many_gpus(*mark.args)]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


@pytest.fixture(autouse=True)
def _own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path_factory.mktemp("home")
    for variable in ("HOME", "USERPROFILE", "XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME"):
        monkeypatch.setenv(variable, str(home))
    for variable in ("ANYSEEK_LIBRARY", "NO_COLOR", "FORCE_COLOR", "COLUMNS"):
        monkeypatch.delenv(variable, raising=False)


@pytest.fixture(autouse=True)
def _no_logged_error(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    yield
    logged = [record.getMessage() for record in caplog.get_records("call") if record.levelno >= logging.ERROR]
    assert not logged, f"logged as errors: {logged}"


@pytest.fixture(scope="session")
def demo() -> Path:
    """The demo media that ship with the project."""
    return DEMO
