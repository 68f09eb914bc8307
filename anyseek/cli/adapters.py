"""``anyseek adapters``: what was trained in a library, and what of it is on. Each sub-command is one function."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from .models import opened_library
from .options import JsonOption, LibraryOption
from .output import STYLE_OF_STATE, note, plain, plain_table, print_json, printable, said, show

if TYPE_CHECKING:
    from ..adapters.card import Card
    from ..library.adapting import KnownAdapter, Switching

__all__ = ["adapter_as_json", "adapters", "drop", "list_adapters", "rollback", "show_adapter", "switch_off", "use"]

adapters = typer.Typer(context_settings={"help_option_names": ["-h", "--help"]})

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="What the adapter is called.", show_default=False)]


@adapters.callback(invoke_without_command=True)
def _adapters(context: typer.Context, library: LibraryOption = None, as_json: JsonOption = False) -> None:
    """List what anyseek train has taught a library, and switch it on and off."""
    if context.invoked_subcommand is None:
        list_adapters(library, as_json=as_json)


@adapters.command("list")
def list_adapters(library: LibraryOption = None, as_json: JsonOption = False) -> None:
    """List the adapters of a library: what each is for, whether it is on, and how held-out queries were answered before and after."""
    from ..library import Library

    with Library.open(library, readonly=True) as opened:
        known = opened.adapters()
    if as_json:
        print_json({"adapters": [adapter_as_json(each) for each in known]})
        raise typer.Exit
    if not known:
        note("nothing was trained in this library yet: do so with  anyseek train")
        raise typer.Exit
    table = plain_table("name", "method", "maps", "for", "trained", "", "held out", padding=(0, 2, 0, 0))
    for each in known:
        state = Text(each.state, style=STYLE_OF_STATE[each.state])
        if each.card is None:
            table.add_row(printable(each.name), "", "", "", "", state, "")
        else:
            card = each.card
            trained = datetime.fromisoformat(card.made_at).strftime("%Y-%m-%d %H:%M")
            table.add_row(printable(card.name), card.method, _mapped(card), printable(_for(card)), trained, state, _held_out(card.metrics))
    show(table)
    for each in known:
        if each.reason:
            note(each.reason)
    raise typer.Exit


@adapters.command("show")
def show_adapter(name: NameArgument, library: LibraryOption = None, as_json: JsonOption = False) -> None:
    """Show the card of an adapter: what it is for, what it was trained on and how, and what it was worth."""
    from ..library import Library

    with Library.open(library, readonly=True) as opened:
        card = opened.adapter(name).card
        known = next(each for each in opened.adapters() if each.name == name)
    if as_json:
        print_json(adapter_as_json(known))
        raise typer.Exit
    table = plain_table(padding=(0, 2, 0, 0))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    table.add_row("name", Text.assemble((printable(card.name), "bold"), "  ", (known.state, STYLE_OF_STATE[known.state])))
    table.add_row("method", f"{card.method}, {card.loss}, seed {card.seed}")
    table.add_row("maps", _mapped(card))
    table.add_row("for", Text.assemble(printable(_for(card)), (f"  {card.dim} dimensions, {card.fingerprint[:16]}", "dim")))
    table.add_row("trained", card.made_at)
    for title, values in (("data", card.data), ("settings", card.settings), ("metrics", card.metrics)):
        for place, (field, value) in enumerate(values.items()):
            table.add_row(title if place == 0 else "", Text.assemble((f"{printable(field)}  ", "dim"), _told(value)))
    show(table)
    if known.reason:
        note(known.reason)
    raise typer.Exit


@adapters.command()
def use(name: NameArgument, library: LibraryOption = None, as_json: JsonOption = False) -> None:
    """Let searches go through an adapter from now on, in the place of the one that was on there."""
    with opened_library(library) as opened:
        switched = opened.use_adapter(name)
    if as_json:
        print_json(_switching(switched))
        raise typer.Exit
    instead = f", in the place of {printable(switched.before)}" if switched.before not in (None, switched.now) else ""
    said().print(f"[green]✓[/] {printable(name)} is on now{instead}")
    _note_lacking(switched)
    raise typer.Exit


@adapters.command("off")
def switch_off(library: LibraryOption = None, as_json: JsonOption = False) -> None:
    """Let searches go through no adapter. All of them are kept."""
    with opened_library(library) as opened:
        names = opened.switch_off_adapters()
    if as_json:
        print_json({"switched_off": names})
        raise typer.Exit
    for name in names:
        said().print(f"[green]✓[/] {printable(name)} is off")
    if not names:
        note("no adapter was on")
    raise typer.Exit


@adapters.command()
def rollback(library: LibraryOption = None, as_json: JsonOption = False) -> None:
    """Take the adapter away that was switched on last: the one before it is on again, if there was one."""
    with opened_library(library) as opened:
        switched = opened.rollback_adapter()
    if as_json:
        print_json(_switching(switched))
        raise typer.Exit
    again = f", and {printable(switched.now)} is on again" if switched.now else ""
    said().print(f"[green]✓[/] {printable(switched.before or '')} is off{again}")
    _note_lacking(switched)
    raise typer.Exit


@adapters.command()
def drop(
    names: Annotated[list[str], typer.Argument(metavar="NAME", help="What the adapters are called.", show_default=False)],
    library: LibraryOption = None,
    as_json: JsonOption = False,
) -> None:
    """Forget adapters, and the vectors that were made by them. The files that they were trained on stay as they are."""
    with opened_library(library) as opened:
        opened.drop_adapter(*names)
    if as_json:
        print_json({"dropped": names})
        raise typer.Exit
    for name in names:
        said().print(f"[green]✓[/] {printable(name)} is gone")
    raise typer.Exit


def adapter_as_json(known: KnownAdapter) -> dict[str, Any]:
    """An adapter as the JSON that ``--json`` prints."""
    card = json.loads(known.card.to_json()) if known.card is not None else None
    return {"name": known.name, "state": known.state, "reason": known.reason or None, "card": card}


def _switching(switched: Switching) -> dict[str, Any]:
    return {"now": switched.now, "before": switched.before, "lacking": switched.lacking}


def _note_lacking(switched: Switching) -> None:
    if switched.lacking:
        note(f"{switched.lacking:,} files lack vectors there and are not found until they have them: run  anyseek index")


def _mapped(card: Card) -> str:
    named = ", ".join(card.modalities)
    if card.side == "both":
        return f"{named}, stored too"
    return {"fusion": f"parts: {named}", "bridge": named}.get(card.method, f"queries: {named}")


def _for(card: Card) -> str:
    return f"{card.spec} → {card.target.spec}" if card.target is not None else card.spec


def _held_out(metrics: Mapping[str, Any]) -> str:
    """The figure that decided, before and after; nothing where the card has none."""
    found = metrics.get("held_out")
    if not isinstance(found, Mapping) or not {"before", "after"} <= found.keys():
        return ""
    return f"{found.get('metric', '')} {_number(found['before'])} → {_number(found['after'])}".strip()


def _number(value: object) -> str:
    return f"{value:.3f}" if isinstance(value, float) else str(value)


def _told(value: object) -> Text:
    if isinstance(value, float):
        return plain(f"{value:.4g}")
    return plain(str(printable(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))))
