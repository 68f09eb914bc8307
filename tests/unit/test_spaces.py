"""Which spaces serve, how a model takes over from another, and what is left of the old one."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from importlib.metadata import EntryPoint

import numpy as np
import pytest
from fakes import ColourEncoder

from anyseek.encoders import registry
from anyseek.encoders.protocol import EncoderSettings
from anyseek.errors import BadInput, SpaceMismatch, UnknownEncoder
from anyseek.spaces import Spaces
from anyseek.storage.catalog import Catalog, Writer
from anyseek.storage.layout import LibraryFolder
from anyseek.types import Kind, MediaInfo, Modality, Segment

IMAGE = MediaInfo(Kind.IMAGE, "jpeg", 640, 480)
PICTURE = Segment(Modality.IMAGE, frame_ms=0)


class Cuttable(ColourEncoder):
    """Takes 8, 4 or 2 dimensions; two versions of its files, of which the newest is taken unless another is asked for."""

    matryoshka_dims = (4, 2)
    newest = "v1"

    def __init__(self, settings):
        dim, revision = settings.dim or 8, settings.revision or type(self).newest
        if dim not in (8, *self.matryoshka_dims):
            raise BadInput(f"it has 8, 4 or 2 dimensions, not {dim}")
        super().__init__("cuttable", revision)
        fingerprint = hashlib.sha256(f"cuttable {revision} {dim}".encode()).hexdigest()
        self.space = type(self.space)("cuttable", dim, fingerprint, revision)
        self.settings = settings


class Green(ColourEncoder):
    def __init__(self, settings):
        super().__init__("green", settings=settings)
        self.settings = settings


@pytest.fixture(autouse=True)
def _plugins(monkeypatch):
    points = [EntryPoint(name, f"plugins:{name}", registry.ENTRY_POINTS) for name in ("cuttable", "green")]
    module = type("module", (), {"cuttable": Cuttable, "green": Green})
    real = registry.import_module
    monkeypatch.setattr(registry, "entry_points", lambda group: points)
    monkeypatch.setattr(registry, "import_module", lambda name: module if name == "plugins" else real(name))
    monkeypatch.setattr(Cuttable, "newest", "v1")


@pytest.fixture
def catalog(tmp_path):
    with Catalog.create(LibraryFolder(tmp_path / "library")) as catalog:
        yield catalog


def states(catalog):
    return {(row.space.spec, row.space.dim): row.state for row in catalog.spaces()}


def put(catalog, name, *rows, vector=None):
    """A picture with its vector in some spaces."""
    source = catalog.source_for(catalog.folder.path.parent)
    with catalog.transaction() as writer:
        content = writer.begin_content(hashlib.md5(name.encode()).digest(), 1, IMAGE)
        for row in rows:
            chosen = np.eye(row.space.dim, dtype=np.float32)[0] if vector is None else vector
            writer.add_embeddings(content, row.id, [(PICTURE, chosen)])
            writer.finish_content(content, row.id, IMAGE, [PICTURE])
        writer.put_asset(source.id, name, 1, 1, content)


def test_a_new_library_is_served_by_the_starter(catalog):
    assert [row.space.spec for row in Spaces(catalog).to_fill()] == ["starter"]
    assert states(catalog) == {("starter", 384): "serving"}


def test_a_new_library_is_served_by_what_was_given(catalog):
    encoder = ColourEncoder()
    spaces = Spaces(catalog, [encoder, "green"])
    rows = spaces.to_fill()
    assert [row.space.spec for row in rows] == ["colour", "green"]
    assert states(catalog) == {("colour", 8): "serving", ("green", 8): "serving"}
    assert spaces.encoder(rows[0]) is encoder
    assert isinstance(spaces.encoder(rows[1]), Green)
    assert spaces.encoder(rows[1]) is spaces.encoder(rows[1])


def test_what_a_name_leads_to_must_be_an_encoder(catalog, monkeypatch):
    monkeypatch.setattr("anyseek.spaces.load", lambda spec, settings: ColourEncoder)  # the class, and not one of it
    with pytest.raises(BadInput, match="is no encoder: it lacks "):
        Spaces(catalog).to_fill(["starter"])
    assert catalog.spaces() == []


def test_an_unknown_name_makes_no_space(catalog):
    with pytest.raises(UnknownEncoder, match="gren"):
        Spaces(catalog).to_fill(["gren"])
    assert catalog.spaces() == []


def test_other_models_than_the_librarys_are_refused(catalog):
    Spaces(catalog, ["green"]).to_fill()
    Spaces(catalog).check_given()
    Spaces(catalog, ["green"]).check_given()
    with pytest.raises(SpaceMismatch, match=r"'green', not 'starter'.*index --model starter"):
        Spaces(catalog, ["starter"]).check_given()
    with pytest.raises(SpaceMismatch, match="another version of green"):
        Spaces(catalog, [ColourEncoder("green", "2")]).check_given()


def test_only_a_model_that_is_named_for_a_new_space_may_be_fetched(catalog):
    (row,) = (spaces := Spaces(catalog, ["green"])).to_fill()
    assert spaces.encoder(row).settings.download
    assert not Spaces(catalog).encoder(row).settings.download
    (_, offline) = (spaces := Spaces(catalog, offline=True)).to_fill(["cuttable"])
    assert not spaces.encoder(offline).settings.download


def test_an_encoder_is_loaded_with_the_dimension_and_version_of_its_space(catalog, monkeypatch):
    (row,) = Spaces(catalog, settings=EncoderSettings(dim=4)).to_fill(["cuttable"])
    assert (row.space.dim, row.space.revision) == (4, "v1")
    monkeypatch.setattr(Cuttable, "newest", "v2")
    assert Spaces(catalog).encoder(row).space == row.space


def test_another_version_under_the_same_name_is_refused(catalog):
    (row,) = Spaces(catalog, [ColourEncoder("green", "2")]).to_fill()
    with pytest.raises(SpaceMismatch, match="another version of green"):
        Spaces(catalog).encoder(row)


def test_a_change_goes_on_until_nothing_is_lacking(catalog):
    (old,) = Spaces(catalog, ["green"]).to_fill()
    put(catalog, "a.jpg", old)
    spaces = Spaces(catalog)
    rows = spaces.to_fill(["starter"])
    assert states(catalog) == {("green", 8): "serving", ("starter", 384): "building"}
    assert rows == catalog.spaces()
    change = spaces.finish_change()
    assert (change.target, change.lacking) == ((rows[1],), 1)
    assert states(catalog)["green", 8] == "serving"

    later = Spaces(catalog)  # another run, that names nothing
    assert later.to_fill() == rows
    put(catalog, "a.jpg", rows[1])
    assert later.finish_change().lacking == 0
    assert states(catalog) == {("green", 8): "kept", ("starter", 384): "serving"}
    assert later.change() is None
    assert [row.space.spec for row in later.to_fill()] == ["starter"]


def test_a_space_that_both_models_have_goes_on(catalog):
    spaces = Spaces(catalog, ["green", "starter"])
    green, _ = spaces.to_fill()
    spaces.to_fill(["green", "cuttable"])
    assert states(catalog) == {("green", 8): "serving", ("starter", 384): "serving", ("cuttable", 8): "building"}
    assert spaces.finish_change().lacking == 0
    assert states(catalog) == {("green", 8): "serving", ("starter", 384): "kept", ("cuttable", 8): "serving"}
    assert green.id in [row.id for row in catalog.spaces("serving")]


def test_a_model_that_only_leaves_spaces_out_takes_over_at_once(catalog):
    spaces = Spaces(catalog, ["green", "starter"])
    spaces.to_fill()
    spaces.to_fill(["starter"])
    assert spaces.finish_change().lacking == 0
    assert states(catalog) == {("green", 8): "kept", ("starter", 384): "serving"}


def test_naming_the_model_that_serves_calls_a_change_off(catalog):
    spaces = Spaces(catalog, ["green"])
    spaces.to_fill()
    spaces.to_fill(["starter"])
    assert [row.space.spec for row in spaces.to_fill(["green"])] == ["green"]
    assert spaces.change() is None
    assert states(catalog) == {("green", 8): "serving", ("starter", 384): "kept"}


def test_another_wish_replaces_the_first(catalog):
    spaces = Spaces(catalog, ["green"])
    spaces.to_fill()
    spaces.to_fill(["starter"])
    spaces.to_fill(["cuttable"])
    assert states(catalog) == {("green", 8): "serving", ("starter", 384): "kept", ("cuttable", 8): "building"}
    assert [row.space.spec for row in spaces.change().target] == ["cuttable"]


def test_fewer_dimensions_are_cut_from_what_is_there(catalog):
    (whole,) = Spaces(catalog, ["cuttable"]).to_fill()
    put(catalog, "a.jpg", whole, vector=np.array([3, 4, 0, 0, 12, 0, 0, 0], np.float32) / 13)
    spaces = Spaces(catalog, settings=EncoderSettings(dim=2))
    _, cut = spaces.to_fill(["cuttable"])
    assert spaces.finish_change().lacking == 0
    assert states(catalog) == {("cuttable", 8): "kept", ("cuttable", 2): "serving"}
    np.testing.assert_allclose(catalog.vectors(catalog.embedding_ids(cut.id)), [[0.6, 0.8]], atol=1e-3)


def test_one_of_several_lengths_serves_again(catalog):
    Spaces(catalog, ["cuttable"]).to_fill()
    spaces = Spaces(catalog, settings=EncoderSettings(dim=2))
    spaces.to_fill(["cuttable"])
    spaces.finish_change()
    assert [row.space.dim for row in spaces.use(["cuttable"]).target] == [2]
    assert [row.space.dim for row in spaces.use(["cuttable"], 8).target] == [8]
    assert states(catalog) == {("cuttable", 8): "serving", ("cuttable", 2): "kept"}
    with pytest.raises(BadInput, match="no such vectors of 4 dimensions: it has cuttable with 8, cuttable with 2"):
        spaces.use(["cuttable"], 4)


def test_vectors_of_another_version_are_not_cut(catalog, monkeypatch):
    (whole,) = Spaces(catalog, ["cuttable"]).to_fill()
    put(catalog, "a.jpg", whole)
    monkeypatch.setattr(Cuttable, "newest", "v2")
    spaces = Spaces(catalog, settings=EncoderSettings(dim=2))
    spaces.to_fill(["cuttable"])
    assert spaces.finish_change().lacking == 1


def test_a_dimension_goes_to_those_that_can_be_cut(catalog):
    rows = Spaces(catalog, settings=EncoderSettings(dim=4)).to_fill(["green", "cuttable"])
    assert [row.space.dim for row in rows] == [8, 4]
    with pytest.raises(BadInput, match="green cannot be cut to 4"):
        Spaces(catalog, settings=EncoderSettings(dim=4)).to_fill(["green"])
    with pytest.raises(BadInput, match="8, 4 or 2 dimensions, not 5"):
        Spaces(catalog, settings=EncoderSettings(dim=5)).to_fill(["cuttable"])


def test_a_kept_space_serves_again_whatever_it_lacks(catalog):
    spaces = Spaces(catalog, ["green"])
    (green,) = spaces.to_fill()
    spaces.to_fill(["starter"])
    spaces.finish_change()
    put(catalog, "a.jpg", catalog.spaces("serving")[0])
    change = spaces.use(["green"])
    assert (change.target[0].id, change.lacking) == (green.id, 1)
    assert states(catalog) == {("green", 8): "serving", ("starter", 384): "kept"}
    with pytest.raises(BadInput, match=r"no vectors of cuttable .it has green, starter.*index --model cuttable"):
        spaces.use(["cuttable"])
    with pytest.raises(BadInput, match=r"no vectors of open_clip:.*make them with  anyseek index --model small --model green$"):
        spaces.use(["small", "green"])


def test_what_is_kept_can_be_dropped_and_what_serves_cannot(catalog):
    spaces = Spaces(catalog, ["green"])
    (green,) = spaces.to_fill()
    put(catalog, "a.jpg", green)
    with pytest.raises(BadInput, match="green serves"):
        spaces.drop(["green"])
    with pytest.raises(BadInput, match="no vectors of starter: see  anyseek status "):
        spaces.drop(["starter"])
    assert spaces.drop() == []
    _, starter = spaces.to_fill(["starter"])
    put(catalog, "a.jpg", starter)
    spaces.finish_change()
    assert [row.id for row in spaces.drop()] == [green.id]
    assert states(catalog) == {("starter", 384): "serving"}
    assert catalog.counts().embeddings == 1


def test_dropping_what_is_being_built_calls_the_change_off(catalog):
    spaces = Spaces(catalog, ["green"])
    spaces.to_fill()
    spaces.to_fill(["starter"])
    assert spaces.drop() == []  # only what is kept, unless it is named
    spaces.drop(["starter"])
    assert spaces.change() is None
    assert [row.space.spec for row in spaces.to_fill()] == ["green"]


def test_a_change_that_is_called_off_leaves_nothing_that_every_run_would_go_on_filling(catalog):
    spaces = Spaces(catalog, ["green"])
    spaces.to_fill()
    for call_off in (lambda: spaces.use(["green"]), lambda: spaces.drop(["starter"]), lambda: spaces.to_fill(["green"])):
        spaces.to_fill(["starter", "cuttable"])
        call_off()
        assert spaces.change() is None
        assert [row.space.spec for row in spaces.to_fill()] == ["green"]
        assert states(catalog)["cuttable", 8] == "kept"


def test_a_run_that_dies_while_spaces_are_made_known_has_made_none_known(catalog, monkeypatch):
    real = Writer.add_space

    def dies(writer, wanted, state):
        if wanted.spec == "cuttable":
            raise KeyboardInterrupt
        return real(writer, wanted, state)

    monkeypatch.setattr(Writer, "add_space", dies)
    with pytest.raises(KeyboardInterrupt):
        Spaces(catalog, ["green", "cuttable"]).to_fill()
    assert catalog.spaces() == []
    Spaces(catalog, ["green"]).to_fill()
    with pytest.raises(KeyboardInterrupt):
        Spaces(catalog).to_fill(["starter", "cuttable"])
    assert states(catalog) == {("green", 8): "serving"}


def test_two_names_of_one_model_are_one_space(catalog):
    same = ColourEncoder("green")  # as a copy of a model's folder has another name and the same fingerprint
    same.space = replace(same.space, spec="copy of green")
    assert [row.space.spec for row in Spaces(catalog, ["green", same]).to_fill()] == ["green"]


def test_a_model_that_was_moved_is_found_where_it_is_now(catalog):
    moved = ColourEncoder("green")
    moved.space = replace(moved.space, spec="a place that is gone")
    Spaces(catalog, [moved]).to_fill()
    spaces = Spaces(catalog)
    assert [row.space.spec for row in spaces.to_fill(["green"])] == ["green"]
    assert spaces.change() is None
    assert states(catalog) == {("green", 8): "serving"}
