"""The options that filter make one condition of what is given."""

from pathlib import Path
from typing import Annotated

import pytest
import typer
from typer.testing import CliRunner

from anyseek.cli.filter_options import with_filters
from anyseek.errors import BadFilter
from anyseek.filters import Condition, parse

runner = CliRunner()


@pytest.fixture
def asked():
    """Run a command that has the options; what it was given."""
    seen: list[tuple[str, int, Condition | None]] = []
    app = typer.Typer()

    @app.command()
    @with_filters
    def look(path: Annotated[str, typer.Argument()], limit: int = 10, where: Condition | None = None) -> None:
        """Look for something."""
        seen.append((path, limit, where))

    def ask(*arguments: str) -> Condition | None:
        done = runner.invoke(app, ["x", *arguments], catch_exceptions=False)
        assert done.exit_code == 0, done.output
        path, limit, where = seen.pop()
        assert (path, limit) == ("x", 10)
        return where

    ask.app = app
    return ask


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--filter", "kind:image or rating>3"], "kind:image or rating>3"),
        (["-f", "kind:image", "-f", "rating>3"], "kind:image and rating>3"),
        (["--after", "2024"], "date>=2024"),
        (["--before", "2024-05-17T18:30"], "date<2024-05-17T18:30"),
        (["--between", "2024-05..2024-07"], "date:2024-05..2024-07"),
        (["--after", "2023", "--before", "2024"], "date>=2023 and date<2024"),
        (["--camera", "Canon EOS"], 'camera:"Canon EOS"'),
        (["--path", "2024/**"], "path:2024/**"),
        (["--path", "a/*", "--path", "b/*"], "path:a/* or path:b/*"),
        (["--ext", "jpg"], "ext:jpg"),
        (["--ext", "jpg, .png", "--ext", "gif"], "ext:jpg or ext:.png or ext:gif"),
        (["--keyword", "sea"], "keyword:sea"),
        (["--tag", "dog"], "tag:dog"),
        (["--rating", "3"], "rating>=3"),
        (["--min-duration", "10s", "--max-duration", "1:30"], "duration>=10s and duration<=1:30"),
        (["--near", "52.5,13.4 10km"], 'near:"52.5,13.4 10km"'),
        (["--orientation", "portrait"], "orientation:portrait"),
        (["--source", "Photos"], "source:Photos"),
        (["--meta", "project=light house"], 'meta.project="light house"'),
        (["--meta", "a=1", "--meta", "b=x=y", "--meta", "a=2"], 'meta.b="x=y" and (meta.a=1 or meta.a=2)'),
        (["--keyword", "sea", "--rating", "3", "-f", "not has:gps"], "not has:gps and keyword:sea and rating>=3"),
    ],
)
def test_options_make_a_condition(asked, arguments, text):
    def parts(condition):
        return set(getattr(condition, "parts", [condition])) if " or " not in text or " and " in text else condition

    assert parts(asked(*arguments)) == parts(parse(text))


def test_no_option_is_no_condition(asked):
    assert asked() is None


def test_the_home_folder_is_meant_by_a_tilde(asked):
    assert asked("--path", "~/Photos/") == parse(f'path:"{Path.home()}/Photos/"')


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--after", "soon"], "--after: 'soon' is no date"),
        (["--after", "2023..2024"], "--after: a range cannot stand behind >="),
        (["--between", "2024"], "--between: '2024' is no range: write it as  2024-05..2024-07"),
        (["--rating", "many"], "--rating: 'many' is no number"),
        (["--max-duration", "1:2"], "--max-duration: '1:2' is no duration"),
        (["--near", "Berlin"], "--near: 'Berlin' is no place"),
        (["--orientation", "upright"], "--orientation: 'upright' is none of landscape, portrait, square"),
        (["--meta", "project"], "--meta: 'project' is no pair: write it as  --meta project=lighthouse"),
        (["--keyword", ""], "--keyword: nothing stands behind the operator"),
        (["--ext", ","], "--ext: nothing stands behind the operator"),
    ],
)
def test_wrong_values_name_the_option(asked, arguments, said):
    done = runner.invoke(asked.app, ["x", *arguments], env={"COLUMNS": "300", "TERM": "dumb"})
    assert done.exit_code == 2
    assert f"Invalid value for {said}" in done.output


def test_a_wrong_expression_is_refused(asked):
    with pytest.raises(BadFilter, match="at column 1: there is no field 'rateing'"):
        asked("--filter", "rateing:3")


def test_help_lists_them_apart(asked):
    shown = runner.invoke(asked.app, ["--help"], env={"COLUMNS": "200", "TERM": "dumb"}).output
    assert "Look for something." in shown
    _, _, filters = shown.partition("Filters")
    for flag in ("--filter", "--after", "--before", "--between", "--camera", "--path", "--ext", "--keyword", "--tag", "--rating"):
        assert flag in filters
    for flag in ("--min-duration", "--max-duration", "--near", "--orientation", "--source", "--meta"):
        assert flag in filters
