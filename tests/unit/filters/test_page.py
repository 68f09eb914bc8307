"""docs/filters.md says what the table of fields says, and its examples can be read."""

import re
import shlex
from pathlib import Path

import pytest

from anyseek.errors import BadFilter
from anyseek.filters import parse
from anyseek.filters.condition import MOST_COMPARISONS, MOST_LEVELS
from anyseek.filters.fields import FIELDS, Field
from anyseek.filters.parser import MOST_CHARACTERS

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "filters.md").read_text(encoding="utf-8")


def row(field: Field) -> str:
    """The line of the page's table about a field."""
    names = ", ".join(f"`{name}`" for name in (field.name, *field.aliases))
    return f"| {names} | {field.about} | {', '.join(f'`{example}`' for example in field.examples)} |"


def test_the_table_is_that_of_the_program():
    assert [line for line in PAGE.splitlines() if re.match(r"\| `[a-z]+[`.]", line)] == [row(field) for field in FIELDS.values()]


@pytest.mark.parametrize("line", re.findall(r"^    (?!\|)(\S.*?)(?:  #.*)?$", PAGE, re.MULTILINE))
def test_examples_can_be_read(line):
    parse(line)


def test_there_are_examples():
    assert len(re.findall(r"^    (?!\|)\S", PAGE, re.MULTILINE)) >= 8


@pytest.mark.parametrize(("line", "answer"), re.findall(r"^\$ anyseek ((?:search|similar) .*)\n(.*)$", PAGE, re.MULTILINE))
def test_filters_of_the_commands_are_read_or_refused_as_shown(line, answer):
    words = shlex.split(line)
    wrong = answer.startswith("anyseek: ")
    for flag in {"-f", "--filter"} & set(words):
        text = words[words.index(flag) + 1]
        if wrong:
            with pytest.raises(BadFilter) as refused:
                parse(text)
            assert answer == f"anyseek: {refused.value}"
        else:
            parse(text)
    assert not wrong or "--filter" in words


def test_limits_are_those_of_the_program():
    assert f"{MOST_COMPARISONS} comparisons, {MOST_LEVELS} levels and {MOST_CHARACTERS:,} characters" in PAGE


def test_the_grammar_is_that_of_the_parser():
    grammar = (ROOT / "anyseek" / "filters" / "grammar.lark").read_text(encoding="utf-8")
    rules = [line for line in grammar.splitlines() if line and not line.startswith("//")]
    shown = re.search(r"```text\n(.*?)```", PAGE[PAGE.index("## Grammar") :], re.DOTALL)
    assert shown is not None
    assert [line for line in shown[1].splitlines() if line] == rules
