from importlib.metadata import EntryPoint

import pytest
from fakes import ColourEncoder

from anyseek.encoders import registry
from anyseek.encoders.protocol import EncoderSettings
from anyseek.encoders.starter.encoder import StarterEncoder
from anyseek.errors import UnknownEncoder


class Backend:
    def __init__(self, model, settings):
        self.model, self.settings = model, settings


@pytest.fixture
def _plugins(monkeypatch):
    points = [
        EntryPoint("colour", "fakes:ColourEncoder", registry.ENTRY_POINTS),
        EntryPoint("backend:", f"{__name__}:Backend", registry.ENTRY_POINTS),
        EntryPoint("broken", "no_such_module:Encoder", registry.ENTRY_POINTS),
        EntryPoint("starter", "fakes:ColourEncoder", registry.ENTRY_POINTS),
    ]
    monkeypatch.setattr(registry, "entry_points", lambda group: points if group == "anyseek.encoders" else [])


def test_starter_is_known_and_loads():
    assert "starter" in registry.known_specs()
    assert isinstance(registry.load("starter"), StarterEncoder)


@pytest.mark.usefixtures("_plugins")
def test_installed_packages_join_without_being_imported():
    assert registry.known_specs() == ["backend:", "broken", "clap:", "colour", "open_clip:", "st:", "starter"]
    assert isinstance(registry.load("colour"), ColourEncoder)


@pytest.mark.usefixtures("_plugins")
def test_an_installed_package_cannot_take_a_built_in_name():
    assert isinstance(registry.load("starter"), StarterEncoder)


@pytest.mark.usefixtures("_plugins")
def test_what_follows_the_colon_reaches_the_back_end(monkeypatch):
    monkeypatch.setattr(registry, "import_module", lambda _: type("module", (), {"Backend": Backend}))
    encoder = registry.load("backend:some/model:v2", EncoderSettings(dim=3))
    assert (encoder.model, encoder.settings) == ("some/model:v2", EncoderSettings(dim=3))


@pytest.mark.usefixtures("_plugins")
@pytest.mark.parametrize("spec", ["", "clip", "Starter", "starter:", "starter:large", "backend", "backend:", ":"])
def test_an_unknown_name_is_refused_and_the_known_ones_are_named(spec):
    with pytest.raises(UnknownEncoder, match="backend:, broken, clap:, colour, open_clip:, st:, starter") as caught:
        registry.load(spec)
    assert caught.value.spec == spec


@pytest.mark.usefixtures("_plugins")
def test_what_can_be_asked_for_is_known_without_making_it():
    known = ["starter", "st:some/model", "clap:./folder", "colour", "broken", "backend:x"]
    assert [spec for spec in [*known, "", "st", "st:", "starter:", "colour:x", "backend"] if registry.is_known(spec)] == known


@pytest.mark.usefixtures("_plugins")
def test_what_installed_packages_add_is_told_from_what_is_built_in():
    assert registry.added_specs() == ["backend:", "broken", "colour"]


@pytest.mark.usefixtures("_plugins")
def test_a_broken_package_shows_its_own_error():
    with pytest.raises(ModuleNotFoundError, match="no_such_module"):
        registry.load("broken")
