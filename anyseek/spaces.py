"""Which spaces serve a library, which encoders fill them, and how one model takes over from another.

A model is changed in three steps, of which each may be interrupted: the new spaces are made known beside those that serve, the indexer
fills them while the old ones go on answering, and when nothing is lacking any more they take over in one transaction. What served before
is kept until it is dropped, so that going back costs nothing.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from .adapters.adapter import PREFIX
from .adapters.spaces import encoder_of, is_adapted, origin_of
from .encoders.protocol import CuttableEncoder, Encoder, EncoderSettings, check_encoder
from .encoders.registry import load
from .errors import BadInput, MissingExtra, ModelUnavailable, SpaceMismatch, UnknownEncoder
from .storage.catalog import Catalog, SpaceRow, Writer
from .storage.writer import Derive
from .types import Modality, Space

__all__ = ["DEFAULT_MODEL", "Change", "Model", "Spaces", "make_encoders"]

DEFAULT_MODEL = "starter"
CHANGING_TO = "changing_to"
NOT_TO_BE_HAD = (MissingExtra, ModelUnavailable, SpaceMismatch, UnknownEncoder)

Model = Encoder | str
"""An encoder, or the name of a preset or of an encoder."""


@dataclass(frozen=True, slots=True)
class Change:
    """A change of model under way.

    Attributes:
        target: The spaces that are to serve.
        lacking: How many contents have not all of their vectors there yet.
    """

    target: tuple[SpaceRow, ...]
    lacking: int


def make_encoders(models: Sequence[Model], settings: EncoderSettings) -> list[Encoder]:
    """Make the encoders of some models, in their order, each once.

    Args:
        models: Presets, names of encoders, and encoders, which are taken as they are. Two names of one model, such as two copies of a
            folder, are one.
        settings: How. A dimension goes to those that were trained to be cut.

    Raises:
        UnknownEncoder: A model has an unknown name.
        BadInput: A model cannot be had with these settings, or is no encoder.
        MissingExtra: A package that it needs is not installed.
        ModelUnavailable: Its files are not on this machine and may not or cannot be fetched.
    """
    whole = replace(settings, dim=None)
    encoders = [model if isinstance(model, Encoder) else load(model, whole) for model in _named(models)]
    for encoder in encoders:
        check_encoder(encoder)
    if settings.dim is None:
        return _each_once(encoders)
    if not any(map(_is_cuttable, encoders)):
        specs = " and ".join(encoder.space.spec for encoder in encoders)
        raise BadInput(f"{specs} cannot be cut to {settings.dim} dimensions, for it was not trained to be: leave the dimension out")
    return _each_once(load(encoder.space.spec, settings) if _is_cuttable(encoder) else encoder for encoder in encoders)


class Spaces:
    """The spaces of one library. Encoders are made when they are first asked for, and once.

    Args:
        catalog: Of the library.
        given: The models that the caller named or brought along; none for those that the library knows.
        settings: How encoders are loaded; a space's own dimension and revision go before those in here.
        offline: Fetch no files, not even those of a model that is named for a new space.
    """

    def __init__(
        self, catalog: Catalog, given: Sequence[Model] = (), settings: EncoderSettings | None = None, *, offline: bool = False
    ) -> None:
        self.catalog = catalog
        self.settings = settings or EncoderSettings()
        self.offline = offline
        self._given = tuple(given)
        self._encoders: dict[str, Encoder] = {}
        self._lock = threading.RLock()
        self.bring(given)

    def check_given(self) -> None:
        """Refuse other models than those that serve, before any work.

        Raises:
            SpaceMismatch: The library was made with others.
            UnknownEncoder: A model has an unknown name.
        """
        serving = self.catalog.spaces("serving")
        for model in _named(self._given):
            same = (row for row in serving if _is_of(row.space, model) or self._is_made_of(row, model))
            if serving and next(same, None) is None:
                found = " and ".join(row.space.spec for row in serving)
                spec = model if isinstance(model, str) else model.space.spec
                raise SpaceMismatch(spec, f"another version of {spec}" if spec in [row.space.spec for row in serving] else found)

    def bring(self, models: Iterable[Model]) -> None:
        """Take encoders for the spaces that have their fingerprints; names are passed over."""
        self._encoders |= {model.space.fingerprint: model for model in models if isinstance(model, Encoder)}

    def encoder(self, row: SpaceRow) -> Encoder:
        """The encoder of a space.

        Raises:
            SpaceMismatch: What can be loaded under its name is another version, whose vectors cannot be compared.
            MissingExtra: A package that it needs is not installed.
            ModelUnavailable: Its files are not on this machine.
        """
        with self._lock:
            if row.space.fingerprint not in self._encoders and is_adapted(row.space):
                self._encoders[row.space.fingerprint] = encoder_of(self.catalog, row, self.encoder)
            if row.space.fingerprint not in self._encoders:
                encoder = load(row.space.spec, replace(self.settings, dim=row.space.dim, revision=row.space.revision, download=False))
                if encoder.space.fingerprint != row.space.fingerprint:
                    raise SpaceMismatch(
                        row.space.spec, f"another version of {row.space.spec}", _beside(row, self.catalog.spaces("serving"))
                    )
                self._encoders[row.space.fingerprint] = encoder
            return self._encoders[row.space.fingerprint]

    def to_fill(self, models: Sequence[Model] = ()) -> list[SpaceRow]:
        """The spaces that an indexing run fills: those that serve, and those that are to take over.

        Args:
            models: What is to serve from now on; none to go on as before, with the models that were given where the library is new.

        Raises:
            UnknownEncoder: A model has an unknown name.
            BadInput: A model cannot be had with the settings.
            MissingExtra: A package that it needs is not installed.
            ModelUnavailable: Its files are not on this machine and may not or cannot be fetched.
        """
        serving = self.catalog.spaces("serving")
        if not serving:
            encoders = self._made(models or self._given or (DEFAULT_MODEL,))
            with self.catalog.transaction() as writer:
                return [writer.add_space(encoder.space, "serving") for encoder in encoders]
        if models:
            self._change_to(self._made(models), serving)
        return self.catalog.spaces("serving", "building")

    def encoders(self, rows: Sequence[SpaceRow]) -> tuple[dict[int, Encoder], list[str]]:
        """The encoders of some spaces by the spaces' ids, without those that a change under way makes needless and that cannot be loaded.

        So a library whose model is not there any more, or is another version now, can still change over to one that is.

        Returns:
            The encoders, and for each that was left out what to tell the user.
        """
        change = self.change()
        target = {row.id for row in change.target} if change is not None else set()
        found: dict[int, Encoder] = {}
        notes: list[str] = []
        for row in rows:
            try:
                found[row.id] = self.encoder(row)
            except NOT_TO_BE_HAD as error:
                if not target or row.id in target:
                    raise
                notes.append(f"until the new model takes over, {row.space.spec} serves only what it has, for it cannot be loaded: {error}")
        return found, notes

    def change(self) -> Change | None:
        """The change of model that is under way, if there is one."""
        ids = json.loads(self.catalog.setting(CHANGING_TO) or "[]")
        target = tuple(row for row in self.catalog.spaces() if row.id in ids)
        return Change(target, self._lacking(target)) if target else None

    def finish_change(self) -> Change | None:
        """Let the new spaces take over if nothing is lacking in them. Returns the change, done if its `lacking` is 0."""
        change = self.change()
        if change is not None and not change.lacking:
            self._serve(change.target)
        return change

    def named(self, models: Sequence[str], dim: int | None = None) -> list[SpaceRow]:
        """Look up the spaces that the library has of some models, each once.

        Args:
            models: Their names.
            dim: Of those of which there are several: the one with vectors of this length. Else that which serves, or the newest.

        Raises:
            BadInput: The library has no such space.
        """
        rows = [self._newest(spec, models, dim) for spec in self._specs(models)]
        if dim is not None and all(row.space.dim != dim for row in rows):
            there = ", ".join(f"{row.space.spec} with {row.space.dim}" for row in self.catalog.spaces())
            raise BadInput(f"the library has no such vectors of {dim} dimensions: it has {there}")
        return rows

    def use(self, models: Sequence[str], dim: int | None = None) -> Change:
        """Let spaces that the library has serve from now on, whether they are complete or not.

        Raises:
            BadInput: The library has no such space.
        """
        target = self.named(models, dim)
        self._serve(target)
        return Change(tuple(target), self._lacking(target))

    def drop(self, models: Sequence[str] = ()) -> list[SpaceRow]:
        """Forget spaces that do not serve, with their vectors; all that were kept when none is named.

        Returns:
            Those that are gone.

        Raises:
            BadInput: A space serves, or the library has none of that name.
        """
        dropped: list[SpaceRow] = []
        for spec in self._specs(models):
            rows = [row for row in self.catalog.spaces() if row.space.spec == spec]
            spare = [row for row in rows if row.state != "serving"]
            if not spare:
                raise BadInput(_not_to_drop(spec, serves=bool(rows)))
            dropped += spare
        dropped = dropped if models else self.catalog.spaces("kept")
        under_way = json.loads(self.catalog.setting(CHANGING_TO) or "[]")
        calls_off = bool({row.id for row in dropped} & set(under_way))
        with self.catalog.transaction() as writer:
            for row in dropped:
                writer.drop_space(row.id)
            if calls_off:
                writer.put_setting(CHANGING_TO, "[]")
                for row in self.catalog.spaces("building"):
                    if row not in dropped:
                        writer.add_space(row.space, "kept")
        return dropped

    def serve(self, rows: Sequence[SpaceRow], also: Callable[[Writer], None] | None = None) -> Change:
        """Let spaces serve from now on, whether they are complete or not.

        Args:
            rows: The spaces.
            also: What else is to be written in the same transaction.
        """
        self._serve(rows, also)
        return Change(tuple(rows), self._lacking(rows))

    def _is_made_of(self, row: SpaceRow, model: Model) -> bool:
        origin = origin_of(self.catalog, row.space)
        return origin is not None and _is_of(Space(origin.spec, origin.dim, origin.fingerprint), model)

    def _change_to(self, encoders: Sequence[Encoder], serving: Sequence[SpaceRow]) -> None:
        """Make the spaces of some encoders those that are to serve; a change to others that was under way is called off."""
        served = {row.space.fingerprint for row in serving}
        wanted = {encoder.space.fingerprint for encoder in encoders}
        called_off = [row for row in self.catalog.spaces("building") if row.space.fingerprint not in wanted]
        with self.catalog.transaction() as writer:  # a space that is built without being the aim of a change would never serve
            target = [writer.add_space(encoder.space, "building") for encoder in encoders]
            for row in called_off:
                writer.add_space(row.space, "kept")
            writer.put_setting(CHANGING_TO, json.dumps([] if wanted == served else [row.id for row in target]))
        for row in target:
            if row.state == "building":
                self._cut_from_longer(row)

    def _cut_from_longer(self, row: SpaceRow) -> None:
        """Fill a space from one of the same model with longer vectors, which only need to be cut."""
        for longer in self.catalog.spaces():
            same = (longer.space.spec, longer.space.revision) == (row.space.spec, row.space.revision)
            if same and longer.space.dim > row.space.dim and self._gives(longer):
                with self.catalog.transaction() as writer:
                    writer.derive_space(longer.id, row.id, _cut_to(row.space.dim))

    def _gives(self, row: SpaceRow) -> bool:
        """Whether the encoder that can be loaded gives the vectors of a space."""
        try:
            self.encoder(row)
        except NOT_TO_BE_HAD:
            return False
        return True

    def _made(self, models: Sequence[Model]) -> list[Encoder]:
        known = {row.space.spec: row for row in self.catalog.spaces() if is_adapted(row.space)}
        given = [self.encoder(known[model]) if isinstance(model, str) and model in known else model for model in models]
        encoders = make_encoders(given, replace(self.settings, download=not self.offline))
        self.bring(encoders)
        return encoders

    def _specs(self, names: Sequence[str]) -> list[str]:
        """Replace presets by what they stand for; what the library has under a name goes first, for its encoder may not be installed."""
        there = {row.space.spec for row in self.catalog.spaces()}
        specs = [spec for name in names for spec in ([name] if name in there else _resolved([name]))]
        return list(dict.fromkeys(specs))

    def _newest(self, spec: str, named: Sequence[str], dim: int | None) -> SpaceRow:
        rows = [row for row in self.catalog.spaces() if row.space.spec == spec]
        if not rows:
            there = ", ".join(row.space.spec for row in self.catalog.spaces()) or "none"
            wanted = " ".join(f"--model {name}" for name in named)
            raise BadInput(f"the library has no vectors of {spec} (it has {there}): make them with  anyseek index {wanted}")
        return max(rows, key=lambda row: (row.space.dim == dim, row.state == "serving", row.id))

    def _lacking(self, rows: Sequence[SpaceRow]) -> int:
        return len({content for row in rows for content in self.catalog.unfinished_contents(row.id)})

    def _serve(self, rows: Sequence[SpaceRow], also: Callable[[Writer], None] | None = None) -> None:
        with self.catalog.transaction() as writer:
            writer.serve_spaces([row.id for row in rows])
            writer.put_setting(CHANGING_TO, "[]")
            if also is not None:
                also(writer)


def _named(models: Sequence[Model]) -> list[Model]:
    """Replace presets by what they stand for, in their places."""
    named: list[Model] = []
    for model in models:
        named += _resolved([model]) if isinstance(model, str) else [model]
    return list(dict.fromkeys(named))


def _beside(row: SpaceRow, serving: Sequence[SpaceRow]) -> list[str]:
    """The models to name so that a space is made anew and those that serve beside it go on."""
    return [known.space.spec for known in serving] if row in serving else [row.space.spec]


def _each_once(encoders: Iterable[Encoder]) -> list[Encoder]:
    once: dict[str, Encoder] = {}
    for encoder in encoders:
        once.setdefault(encoder.space.fingerprint, encoder)
    return list(once.values())


def _resolved(names: Sequence[str]) -> Sequence[str]:
    from .encoders.catalogue import resolve  # reads a table that most searches have no use for

    return [spec for name in names for spec in ([name] if name.startswith(PREFIX) else resolve([name]))]


def _is_cuttable(encoder: Encoder) -> bool:
    return isinstance(encoder, CuttableEncoder) and bool(encoder.matryoshka_dims)


def _is_of(space: Space, model: Model) -> bool:
    return space.spec == model if isinstance(model, str) else space.fingerprint == model.space.fingerprint


def _cut_to(dim: int) -> Derive:
    """Cut vectors to a length and make them unit rows again (Matryoshka)."""

    def cut(vectors: np.ndarray, modality: Modality) -> np.ndarray:
        del modality
        shorter = vectors[:, :dim]
        return np.asarray(shorter / np.linalg.norm(shorter, axis=1, keepdims=True), np.float32)

    return cut


def _not_to_drop(spec: str, *, serves: bool) -> str:
    if serves:
        return f"{spec} serves this library: change to another model with  anyseek index --model MODEL  before it is dropped"
    return f"the library has no vectors of {spec}: see  anyseek status  for what it has"
