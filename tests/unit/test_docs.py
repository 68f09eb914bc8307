"""The documentation says what is true: generated pages are current, links lead somewhere, examples are the real ones."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import anyseek
from anyseek.encoders.protocol import check_encoder

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("data/*.md")])


def test_the_command_reference_is_what_the_commands_say() -> None:
    done = subprocess.run([sys.executable, str(ROOT / "scripts" / "write_docs.py"), "--check"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_to_files_that_are_there(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:|#|mailto:)([^)#]+)", page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_the_five_lines_are_the_same_everywhere() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    example = re.search(r"```python\n(.*?)```", readme, re.DOTALL)
    assert example is not None
    lines = example.group(1).strip().splitlines()
    assert len(lines) == 5
    assert anyseek.__doc__ is not None
    documented = [line.removeprefix("    ") for line in anyseek.__doc__.split("Example:\n")[1].rstrip().splitlines()]
    assert documented == lines


def test_the_encoder_in_the_guide_is_one() -> None:
    guide = (ROOT / "docs" / "guide.md").read_text(encoding="utf-8")
    code = re.search(r"```python\n# \.demo/colours\.py\n(.*?)with Library\.open", guide, re.DOTALL)
    assert code is not None
    names: dict[str, Any] = {}
    exec(code.group(1), names)
    encoder = names["MeanColour"]()
    check_encoder(encoder)
    blue = np.full((2, 3, 3), (10, 10, 200), np.uint8)
    np.testing.assert_allclose(encoder.encode_images([blue]), encoder.encode_text(["blue"]), atol=1e-5)


def test_every_option_in_the_readme_exists() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    reference = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    options = set(re.findall(r"(?<![\w-])--[a-z][a-z0-9-]+", readme))
    assert {option for option in options if option not in reference} == set()


def test_what_is_public_is_listed_and_can_be_imported() -> None:
    assert anyseek.__all__ == sorted(anyseek.__all__)
    for name in anyseek.__all__:
        assert getattr(anyseek, name) is not None
    assert dir(anyseek) == sorted(anyseek.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        anyseek.nothing  # noqa: B018
