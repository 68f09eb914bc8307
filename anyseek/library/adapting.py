"""The half of the door that switches on and off what was trained on a library's vectors."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from ..adapters.adapter import PREFIX, Adapter, adapted_fingerprint
from ..adapters.card import Card
from ..adapters.spaces import derive, origin_of, with_in_place
from ..adapters.store import AdapterStore
from ..adapters.switches import Switched, Switches
from ..errors import AdapterMismatch, BadInput
from ..spaces import Spaces
from ..storage.catalog import Catalog, SpaceRow, Writer
from ..storage.layout import LibraryFolder

if TYPE_CHECKING:
    from ..search.adaptation import Adapted
    from ..search.engine import Engine

__all__ = ["AdapterState", "Adapting", "KnownAdapter", "Switching"]

AdapterState = Literal["on", "off", "does not fit", "damaged"]


@dataclass(frozen=True, slots=True)
class KnownAdapter:
    """An adapter of a library.

    Attributes:
        name: What the user calls it.
        state: ON when searches go through it, OFF when they could; DOES NOT FIT when none of the models that serve is the one that it was
            trained on; DAMAGED when its file cannot be used, or is gone although it is on.
        card: What is known of it; None where it is damaged.
        reason: Why it does not fit, cannot be used, or is off although it was switched on; empty else.
    """

    name: str
    state: AdapterState
    card: Card | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Switching:
    """What switching did in one place.

    Attributes:
        now: The adapter that is on there now; None where none is.
        before: The one that was on there before; None where none was.
        lacking: Of one that maps stored vectors, too: how many files have no vector yet where it serves.
    """

    now: str | None
    before: str | None
    lacking: int = 0


class Adapting:
    """The methods of `anyseek.library.Library` that list adapters and switch them; see docs/adapters.md."""

    folder: LibraryFolder
    catalog: Catalog
    spaces: Spaces

    def adapters(self) -> list[KnownAdapter]:
        """What was trained in this library, by name, and what of it is on."""
        store, on = AdapterStore(self.folder), {switched.name: switched for switched in self._on()}
        damaged = store.damaged()
        found = [KnownAdapter(name, "damaged", None, str(error)) for name, error in damaged.items()]
        for name in on.keys() - store.names():
            way = "rollback" if on[name].role == "space" else f"drop {name}"
            reason = f"the adapter {name} is on and its file is gone: put it back, or take it away with  anyseek adapters {way}"
            found.append(KnownAdapter(name, "damaged", None, reason))
        for name in store.names():
            if name in damaged:
                continue
            adapter = store.read(name)
            changed = name in on and on[name].digest not in ("", adapter.digest)
            if name in on and not changed:
                found.append(KnownAdapter(name, "on", adapter.card))
            elif (unfit := self._unfit(adapter)) is not None:
                found.append(KnownAdapter(name, "does not fit", adapter.card, str(unfit)))
            else:
                found.append(KnownAdapter(name, "off", adapter.card, "it is not the one that was switched on" if changed else ""))
        return sorted(found, key=lambda known: known.name)

    def adapter(self, name: str) -> Adapter:
        """An adapter with all that it has learnt.

        Raises:
            BadInput: There is none of that name.
            LibraryError: Its file is damaged.
        """
        return AdapterStore(self.folder).read(name)

    def keep_adapter(self, adapter: Adapter) -> None:
        """Keep an adapter under the name on its card; that does not switch it on.

        Raises:
            BadInput: Another one has that name.
            LibraryLocked: Another process is writing to the library.
        """
        from ..storage.lock import WriterLock

        with WriterLock(self.folder, "keeping an adapter"):
            AdapterStore(self.folder).write(adapter)

    def use_adapter(self, name: str) -> Switching:
        """Let searches go through an adapter from now on.

        One that maps stored vectors, too, gets a space beside the one that it was trained on, which is filled from stored vectors and then
        serves in that one's place. Nothing is embedded for it, and what served is kept.

        Raises:
            BadInput: There is none of that name.
            LibraryError: Its file is damaged.
            AdapterMismatch: It was trained for another model than those that serve.
            LibraryLocked: Another process is writing to the library.
        """
        from ..storage.lock import WriterLock

        with WriterLock(self.folder, "switching an adapter on"):
            adapter = self.adapter(name)
            unfit = self._unfit(adapter)
            if unfit is not None:
                raise unfit
            place = Switched.of(adapter).place
            before = next((switched.name for switched in reversed(self._on()) if switched.place == place), None)
            if adapter.card.role == "space":
                row = derive(self.catalog, adapter)
                return Switching(name, before, self._serve(row, place[1], adapter))
            self.engine_of(self.catalog.spaces("serving"), adapted=self.engine.adaptation.having(adapter)).prepare()
            Switches(self.catalog).switch_on(adapter)
            return Switching(name, before)

    def switch_off_adapters(self) -> list[str]:
        """Let searches go through no adapter from now on, and let the models serve in whose place adapted vectors have served.

        Returns:
            The names of those that were on.

        Raises:
            BadInput: The library has no vectors any more of such a model.
            LibraryLocked: Another process is writing to the library.
        """
        from ..storage.lock import WriterLock

        with WriterLock(self.folder, "switching adapters off"):
            gone = dict.fromkeys(switched.name for switched in self._on())
            while made := [switched for switched in self._on() if switched.role == "space"]:  # one may have been made of another
                self._serve(self._row_of(made[-1].fingerprint), made[-1].fingerprint)
                gone |= dict.fromkeys(switched.name for switched in self._on())
            Switches(self.catalog).clear()
            if gone:
                self.engine.prepare()
            return list(gone)

    def rollback_adapter(self) -> Switching:
        """Take the adapter away that was switched on last; the one before it in its place is on again, if there was one.

        Raises:
            BadInput: None is on, or the library has no vectors any more of the model that is to serve again.
            LibraryLocked: Another process is writing to the library.
        """
        from ..storage.lock import WriterLock

        with WriterLock(self.folder, "taking an adapter away"):
            switches = Switches(self.catalog)
            on = self._on()
            if not on:
                raise BadInput("no adapter is on that could be taken away: see  anyseek adapters  for those there are")
            gone = on[-1]
            if gone.role != "space":
                switches.forget(gone.name)
                self.engine.prepare()
                return Switching(switches.on(*gone.place), gone.name)
            rows = {row.space.fingerprint: row for row in self.catalog.spaces()}
            others = [each for each in switches.history() if each.place == gone.place and each.name != gone.name]
            former = [each for each in others if adapted_fingerprint(each.fingerprint, each.digest) in rows]
            now = former[-1] if former else None
            row = rows[adapted_fingerprint(now.fingerprint, now.digest)] if now else self._row_of(gone.fingerprint)
            lacking = self._serve(row, gone.fingerprint, forget=gone.name)
            return Switching(now.name if now else None, gone.name, lacking)

    def drop_adapter(self, *names: str) -> None:
        """Forget adapters, wherever they are on or were, and the vectors that were made by them; damaged ones, too. All of them or none.

        Raises:
            BadInput: There is none of one of the names, or vectors that were made by it serve.
            LibraryLocked: Another process is writing to the library.
        """
        from ..storage.lock import WriterLock
        from ..storage.space_index import SpaceIndex

        with WriterLock(self.folder, "dropping an adapter"):
            store, switches = AdapterStore(self.folder), Switches(self.catalog)
            known, switched = store.names(), {one.name for one in switches.history()}
            rows = [row for row in self.catalog.spaces() if row.space.spec in {PREFIX + name for name in names}]
            made = list(dict.fromkeys(row.space.spec for row in rows))
            for name in names:
                if any(row.state == "serving" for row in rows if row.space.spec == PREFIX + name):
                    raise BadInput(f"vectors that {name} has made serve this library: take it away with  anyseek adapters rollback  first")
                if name not in known and name not in switched and PREFIX + name not in made:
                    store.read(name)  # says that there is none
            for name in dict.fromkeys(names):
                if name in known:
                    store.remove(name)
                switches.forget(name)
            if made:
                self.spaces.drop(made)
                SpaceIndex.forget_others(self.folder, self.catalog.spaces())
                self.catalog.compact()
            if self.catalog.spaces("serving"):
                self.engine.prepare()

    def _on(self) -> list[Switched]:
        """Those that searches go through, the newest last: by the settings, and by what serves."""
        serving = self.catalog.spaces("serving")
        here = {row.space.fingerprint for row in serving} | {""}
        switches = Switches(self.catalog)
        found = [one for one in switches.current() if one.role != "space" and {one.fingerprint, one.target} <= here]
        for row in serving:
            origin = origin_of(self.catalog, row.space)
            if origin is not None:
                found.append(Switched("space", origin.fingerprint, "", row.space.spec.removeprefix(PREFIX), ""))
        order = {one.name: number for number, one in enumerate(switches.history())}
        return sorted(found, key=lambda one: order.get(one.name, -1))

    def _unfit(self, adapter: Adapter) -> AdapterMismatch | None:
        """Why an adapter cannot be switched on; None where it can."""
        serving = [row.space for row in self.catalog.spaces("serving")]
        here = {space.fingerprint for space in serving}
        card = adapter.card
        if card.role == "space":
            origins = [origin.fingerprint for space in serving if (origin := origin_of(self.catalog, space)) is not None]
            here |= {*origins}
        for trained in filter(None, (card.space, card.target)):
            if trained.fingerprint not in here:
                found = [f"another version of {space.spec}" if space.spec == trained.spec else space.spec for space in serving]
                return AdapterMismatch(card.name, trained.spec, " and ".join(found) or "no vectors yet")
        return None

    def _row_of(self, fingerprint: str) -> SpaceRow:
        """The space of the library that has a fingerprint.

        Raises:
            BadInput: It has none any more.
        """
        for row in self.catalog.spaces():
            if row.space.fingerprint == fingerprint:
                return row
        specs = [origin.spec for row in self.catalog.spaces("serving") if (origin := origin_of(self.catalog, row.space)) is not None]
        spec = next(iter(specs), "MODEL")
        raise BadInput(
            f"the library has no vectors any more of {spec}, which would serve again: make them with  anyseek index --model {spec}"
        )

    def _serve(self, row: SpaceRow, fingerprint: str, adapter: Adapter | None = None, forget: str | None = None) -> int:
        """Let a space serve in the place of another one, or of what was made of that. Returns how many files have no vector there yet."""
        from ..storage.space_index import SpaceIndex

        target = with_in_place(self.catalog, row, fingerprint)
        self.engine_of(target).prepare()
        if SpaceIndex.lags(self.folder, self.catalog, row):
            SpaceIndex.open(self.folder, self.catalog, row, device="cpu").save_generation()
        switches = Switches(self.catalog)

        def note(writer: Writer) -> None:
            if adapter is not None:
                switches.switch_on(adapter, writer)
            if forget is not None:
                switches.forget(forget, writer)

        return self.spaces.serve(target, note).lacking

    @property
    @abstractmethod
    def engine(self) -> Engine:
        """What answers queries on the spaces that serve."""

    @abstractmethod
    def engine_of(self, rows: Sequence[SpaceRow], *, spare: bool = False, adapted: Adapted | None = None) -> Engine:
        """Make what answers queries on some spaces."""
