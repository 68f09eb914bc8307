from pathlib import Path

import pytest

from anyseek.storage.layout import LibraryFolder


def test_a_folder_with_a_catalog_is_the_library(tmp_path):
    (tmp_path / "catalog.db").touch()
    (tmp_path / "photo.jpg").touch()
    assert LibraryFolder.at(tmp_path) == LibraryFolder(tmp_path)
    assert LibraryFolder.at(tmp_path).exists


def test_a_folder_of_media_has_its_library_inside(tmp_path):
    (tmp_path / "photo.jpg").touch()
    folder = LibraryFolder.at(tmp_path)
    assert folder.path == tmp_path / ".anyseek"
    assert not folder.exists


@pytest.mark.parametrize("name", [".anyseek", "holiday.anyseek"])
def test_a_folder_named_so_is_the_library_whatever_is_in_it(tmp_path, name):
    (tmp_path / name).mkdir()
    (tmp_path / name / "stray.txt").touch()
    assert LibraryFolder.at(tmp_path / name).path == tmp_path / name


def test_an_empty_or_new_folder_becomes_the_library(tmp_path):
    assert LibraryFolder.at(tmp_path).path == tmp_path
    assert LibraryFolder.at(tmp_path / "new" / "one").path == tmp_path / "new" / "one"


def test_paths_are_absolute_and_links_stay(tmp_path, monkeypatch):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    monkeypatch.chdir(tmp_path)
    assert LibraryFolder.at("real/../link").path == tmp_path / "link"
    assert LibraryFolder.at(Path("link")).catalog == tmp_path / "link" / "catalog.db"


def test_a_folder_that_cannot_be_looked_into_is_media(unprivileged):
    (unprivileged / "closed").mkdir(mode=0o100)
    assert LibraryFolder.at(unprivileged / "closed").path.name == ".anyseek"
