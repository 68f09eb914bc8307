"""What importing costs and who may import whom, seen from outside; `lint-imports` holds the finer layers."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from commandline import CommandLine

import anyseek

PACKAGE = Path(anyseek.__file__).parent
HEAVY = {
    "onnxruntime",
    "tokenizers",
    "faiss",
    "av",
    "PIL",
    "pillow_heif",
    "sqlalchemy",
    "alembic",
    "mutagen",
    "psutil",
    "filelock",
    "xxhash",
}
FOREIGN = {"torch", "tensorflow", "transformers", "sentence_transformers", "open_clip", "fastapi"}


def loaded_by(code: str, environment: dict[str, str], *arguments: str) -> set[str]:
    """The top-level modules that a process of its own has loaded after some code."""
    tell = "import sys, json; print(json.dumps(sorted({name.partition('.')[0] for name in sys.modules})), file=sys.stderr)"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\n{tell}", *arguments], env=environment, capture_output=True, check=True, text=True
    )
    return set(json.loads(done.stderr.splitlines()[-1]))


RUN = "from anyseek.cli.app import run; run()"


@pytest.mark.smoke
@pytest.mark.parametrize("words", [["--help"], ["--version"], ["search", "--help"], ["index", "--help"], ["frobnicate"]], ids=" ".join)
def test_help_loads_nothing_heavy(command: CommandLine, words: list[str]) -> None:
    assert loaded_by(RUN, command.environment, *words) & (HEAVY | FOREIGN) == set()


@pytest.mark.smoke
def test_importing_the_package_loads_nothing_at_all(command: CommandLine) -> None:
    assert loaded_by("import anyseek", command.environment) & (HEAVY | FOREIGN | {"numpy", "typer", "rich"}) == set()


@pytest.mark.smoke
def test_searching_decodes_nothing_and_knows_no_torch(command: CommandLine, demo: Path, tmp_path: Path) -> None:
    """Not even where it is installed: what a text search needs is the catalog, the index and the text tower."""
    library = str(tmp_path / "library")
    command("index", demo / "photos" / "IMG_2041.jpg", "-l", library)
    loaded = loaded_by(RUN, command.environment, "search", "a dog", "-l", library)
    assert {"sqlalchemy", "onnxruntime"} <= loaded
    assert loaded & (FOREIGN | {"av", "PIL", "alembic", "mutagen"}) == set()
    script = (
        f"from anyseek import Library\nwith Library.open({library!r}) as library: library.index({str(demo / 'sounds' / 'REC001.wav')!r})"
    )
    assert loaded_by(script, command.environment) & FOREIGN == set()


@pytest.mark.smoke
def test_all_is_what_can_be_imported_and_what_is_documented() -> None:
    assert anyseek.__all__ == sorted(anyseek.__all__)
    assert dir(anyseek) == anyseek.__all__
    for name in anyseek.__all__:
        thing = getattr(anyseek, name)
        assert name == "__version__" or thing.__doc__
    with pytest.raises(AttributeError):
        anyseek.nothing_of_that_name  # noqa: B018


@pytest.mark.smoke
def test_every_module_s_all_exists(command: CommandLine) -> None:
    """In a process of its own, for importing everything is not what other tests should find done."""
    modules = [
        ".".join(("anyseek", *path.relative_to(PACKAGE).with_suffix("").parts)).removesuffix(".__init__")
        for path in sorted(PACKAGE.rglob("*.py"))
        if "migrations" not in path.parts and path.name != "__main__.py"
    ]
    code = f"""
import importlib
for name in {modules!r}:
    module = importlib.import_module(name)
    for public in getattr(module, "__all__", ()):
        getattr(module, public)
"""
    assert loaded_by(code, command.environment) & FOREIGN == set()


def imports_of(path: Path) -> Iterator[tuple[int, str]]:
    """The names that a file imports, with dots for relative ones and the number of the line."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            names = [alias.name for alias in node.names] if not node.module else [""]
            yield from ((node.lineno, f"{'.' * node.level}{node.module or ''}{name}") for name in names)


def test_nothing_inside_imports_from_the_package_root() -> None:
    """The root loads its names when they are asked for; a module that asked it would tie everything to everything."""
    wrong = []
    for path in sorted(PACKAGE.rglob("*.py")):
        depth = len(path.relative_to(PACKAGE).parts)
        for line, name in imports_of(path):
            of_root = name == "anyseek" or (name.removeprefix("." * depth) in anyseek.__all__ and name.startswith("." * depth))
            if of_root and name != f"{'.' * depth}__version__":
                wrong.append(f"{path.relative_to(PACKAGE)}:{line} {name}")
    assert wrong == []


def test_no_source_names_click_and_only_encoders_and_training_name_torch() -> None:
    """Typer carries its own Click; torch is for encoders and trainings that are extras, and inside the functions that need it."""
    for path in sorted(PACKAGE.rglob("*.py")):
        names = {name.partition(".")[0] for _, name in imports_of(path)}
        assert "click" not in names, path
        if path.is_relative_to(PACKAGE / "encoders") or path.is_relative_to(PACKAGE / "training"):
            assert {name.partition(".")[0] for name in imported_at_the_top(path)} & FOREIGN == set(), path
        else:
            assert names & FOREIGN == set(), path


def imported_at_the_top(path: Path) -> Iterator[str]:
    """What a file imports whenever it is imported itself."""
    for node in ast.parse(path.read_text("utf-8")).body:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""
