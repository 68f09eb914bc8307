"""Where calibrations come from: measured on the library and kept as its settings, or shipped with the program."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from importlib.resources import files

from ..adapters.spaces import origin_of
from ..storage.catalog import Catalog
from .calibration import Calibration
from .spaces import SearchSpace

__all__ = ["Calibrations", "setting_of", "shipped_calibrations"]

SHIPPED = "calibrations.json"


class Calibrations:
    """How the scores of a library's spaces are made, as it stood when this was made.

    A space that an adapter has made is scored as the one that it was made of, until something is measured in it: chance is worked out anew
    from where the adapter takes the reference captions and the media, and only the curve above it is taken over.

    Args:
        catalog: Of the library.
        spaces: Its spaces.
        captions: Digest of the reference captions; what was measured with others does not hold.
    """

    def __init__(self, catalog: Catalog, spaces: Sequence[SearchSpace], captions: str) -> None:
        self._catalog = catalog
        self._captions = captions
        self._version = catalog.version()
        self._origins = {space.row.space.fingerprint: origin_of(catalog, space.row.space) for space in spaces}
        self._settings = {fingerprint: self._setting(fingerprint) for fingerprint in self._origins}
        self._known = {fingerprint: self._read(fingerprint, text) for fingerprint, text in self._settings.items()}

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
        return any(self._setting(fingerprint) != text for fingerprint, text in self._settings.items())

    def _setting(self, fingerprint: str) -> str | None:
        """What was measured in a space; where nothing was, in the one that it was made of."""
        own, origin = self._catalog.setting(_name(fingerprint)), self._origins[fingerprint]
        return own or (None if origin is None else self._catalog.setting(_name(origin.fingerprint)))

    def _read(self, fingerprint: str, setting: str | None) -> Calibration:
        found = None
        if setting:
            try:
                found = Calibration.from_json(setting, "measured")
            except ValueError:  # a later version's: the library can still be searched
                found = None
        if found is None:
            origin = self._origins[fingerprint]
            found = shipped_calibrations().get(fingerprint if origin is None else origin.fingerprint)
        return found if found is not None and found.captions == self._captions else Calibration()


def setting_of(space: SearchSpace) -> str:
    """The name of the setting under which a space's calibration is kept."""
    return _name(space.row.space.fingerprint)


def _name(fingerprint: str) -> str:
    return f"calibration.{fingerprint}"


@cache
def shipped_calibrations() -> dict[str, Calibration]:
    """Those that come with the program, by the fingerprint of the space; ``scripts/calibrate_starter.py`` makes them."""
    listed = json.loads(files(__package__).joinpath(SHIPPED).read_text(encoding="utf-8"))
    return {fingerprint: Calibration.from_json(json.dumps(one), "shipped") for fingerprint, one in listed.items()}
