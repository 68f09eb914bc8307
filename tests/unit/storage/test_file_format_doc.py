"""docs/file-format.md describes every table, column and manifest field that there is."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from anyseek.adapters.card import Card
from anyseek.storage.generations import Manifest
from anyseek.storage.models import metadata

TEXT = (Path(__file__).parents[3] / "docs" / "file-format.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("table", sorted(metadata.tables))
def test_every_column(table):
    part = re.search(rf"^\| `{table}` \|.*\n(?:\| \|.*\n)*", TEXT, re.MULTILINE)[0]
    described = set(re.findall(r"`(\w+)`", " ".join(line.split("|")[2] for line in part.splitlines())))
    assert described == {column.name for column in metadata.tables[table].columns}


def test_every_field_of_the_manifest():
    part = TEXT[TEXT.index("| field of the manifest |") :].split("\n\n")[0]
    described = set(re.findall(r"`(\w+)`", " ".join(line.split("|")[1] for line in part.splitlines())))
    assert described == {field.name for field in fields(Manifest)}


def test_every_field_of_an_adapters_card():
    part = TEXT[TEXT.index("| field of the card |") :].split("\n\n")[0]
    described = set(re.findall(r"`(\w+)`", " ".join(line.split("|")[1] for line in part.splitlines())))
    assert described == {field.name for field in fields(Card)}
