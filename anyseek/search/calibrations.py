"""Where calibrations come from: measured on the library and kept as its settings, or shipped with the program."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from importlib.resources import files

from ..storage.catalog import Catalog
from .calibration import Calibration
from .spaces import SearchSpace

__all__ = ["Calibrations", "setting_of", "shipped_calibrations"]

SHIPPED = "calibrations.json"


class Calibrations:
    """How the scores of a library's spaces are made, as it stood when this was made.

    Args:
        catalog: Of the library.
        spaces: Its spaces.
        captions: Digest of the reference captions; what was measured with others does not hold.
    """

    def __init__(self, catalog: Catalog, spaces: Sequence[SearchSpace], captions: str) -> None:
        self._catalog = catalog
        self._captions = captions
        self._version = catalog.version()
        self._settings = {space.row.space.fingerprint: catalog.setting(setting_of(space)) for space in spaces}
        self._known = {fingerprint: self._read(fingerprint, text) for fingerprint, text in self._settings.items()}
        self._names = {space.row.space.fingerprint: setting_of(space) for space in spaces}

    def of(self, space: SearchSpace) -> Calibration:
        """That of a space: its default where nothing was measured."""
        return self._known[space.row.space.fingerprint]

    @property
    def is_outdated(self) -> bool:
        """Whether other ones were measured since."""
        version = self._catalog.version()
        if version == self._version:
            return False
        self._version = version
        return any(self._catalog.setting(self._names[fingerprint]) != text for fingerprint, text in self._settings.items())

    def _read(self, fingerprint: str, setting: str | None) -> Calibration:
        found = None
        if setting:
            try:
                found = Calibration.from_json(setting, "measured")
            except ValueError:  # a later version's: the library can still be searched
                found = None
        if found is None:
            found = shipped_calibrations().get(fingerprint)
        return found if found is not None and found.captions == self._captions else Calibration()


def setting_of(space: SearchSpace) -> str:
    """The name of the setting under which a space's calibration is kept."""
    return f"calibration.{space.row.space.fingerprint}"


@cache
def shipped_calibrations() -> dict[str, Calibration]:
    """Those that come with the program, by the fingerprint of the space; ``scripts/calibrate_starter.py`` makes them."""
    listed = json.loads(files(__package__).joinpath(SHIPPED).read_text(encoding="utf-8"))
    return {fingerprint: Calibration.from_json(json.dumps(one), "shipped") for fingerprint, one in listed.items()}
