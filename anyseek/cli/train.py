"""``anyseek train``: teach a library its owner's words, by what is known of its media."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import BadInput
from .exits import Exit
from .options import DeviceOption, JsonOption, LibraryOption, named_path
from .output import plain, print_json, said
from .progress import stop_on_interrupt
from .trained import drawn_training, show_training

if TYPE_CHECKING:
    from ..library import Library
    from ..training.options import TrainOptions
    from ..training.outcome import TrainReport

__all__ = ["train"]


def train(
    pairs: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="PAIRS", parser=named_path, help="Files of pairs: CSV, JSON Lines, or captions as COCO has them.", show_default=False
        ),
    ] = None,
    take_from: Annotated[
        list[str] | None,
        typer.Option(
            "--from",
            metavar="SOURCE,SOURCE",
            help="Pairs from the library itself: keywords, captions, filenames, annotations, feedback.",
            show_default=False,
        ),
    ] = None,
    space: Annotated[
        str | None, typer.Option("--space", metavar="MODEL", help="The model to teach; the one that serves.", show_default=False)
    ] = None,
    method: Annotated[
        str | None,
        typer.Option(
            "--method",
            metavar="METHOD",
            help="residual (moves what it was taught and little else), linear, fusion (joins parts of queries), bridge.",
            show_default=False,
        ),
    ] = None,
    loss: Annotated[
        str | None,
        typer.Option(
            "--loss",
            metavar="LOSS",
            help="infonce, sigmoid or triplet, or ridge in closed form; what suits the method best.",
            show_default=False,
        ),
    ] = None,
    side: Annotated[
        str, typer.Option("--side", metavar="query|both", help="Map what is asked alone, or what is stored, too, into a new space.")
    ] = "query",
    to: Annotated[
        str | None, typer.Option("--to", metavar="MODEL", help="With --method bridge: where it leads to.", show_default=False)
    ] = None,
    epochs: Annotated[
        int | None, typer.Option("--epochs", min=1, metavar="N", help="Most rounds over the pairs.", show_default=False)
    ] = None,
    rank: Annotated[
        int | None, typer.Option("--rank", min=1, metavar="N", help="Of residual and fusion: how much they can learn.", show_default=False)
    ] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, metavar="N", help="Of all that is drawn.")] = 0,
    name: Annotated[
        str | None, typer.Option("--name", metavar="NAME", help="What to call the adapter; else by its method.", show_default=False)
    ] = None,
    balance: Annotated[bool, typer.Option("--balance/--no-balance", help="Let every class and every source have its turn.")] = True,
    weights: Annotated[bool, typer.Option("--weights/--no-weights", help="Let classes count by their effective number of pairs.")] = True,
    caps: Annotated[bool, typer.Option("--caps/--no-caps", help="Of files that are nearly the same, let a few count.")] = True,
    mixing: Annotated[bool, typer.Option("--mixing/--no-mixing", help="Mix pairs of one class to new ones.")] = True,
    noise: Annotated[bool, typer.Option("--noise/--no-noise", help="Add a little noise to what is asked.")] = True,
    dropping: Annotated[
        bool, typer.Option("--dropping/--no-dropping", help="With --method fusion: drop parts at random, so that one may be missing.")
    ] = True,
    selection: Annotated[
        bool, typer.Option("--selection/--no-selection", help="Leave out pairs that the model itself finds unlikely.")
    ] = True,
    general: Annotated[
        Path | None,
        typer.Option(
            "--general",
            metavar="QUERIES",
            parser=named_path,
            help="Judged queries, as anyseek eval reads them, that must not lose more than a point.",
            show_default=False,
        ),
    ] = None,
    root: Annotated[
        list[Path] | None,
        typer.Option(
            "--root", metavar="DIR", parser=named_path, help="Paths in PAIRS may be relative to this folder, too.", show_default=False
        ),
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the training that was interrupted.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be learnt from, and train nothing.")] = False,
    rollback: Annotated[bool, typer.Option("--rollback", help="Take away the adapter that was switched on last; nothing else.")] = False,
    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", parser=named_path, help="Write a report with plots.", show_default=False)
    ] = None,
    as_json: JsonOption = False,
    library: LibraryOption = None,
    device: DeviceOption = "auto",
) -> None:
    """Teach the library your words: train an adapter on stored vectors, and switch it on if held-out queries are answered better.

    Media are not read, and stored vectors stay. Ctrl-C keeps what was learnt for --resume.

    Exit code 6 says that what was trained was not switched on. See docs/teaching.md.
    """
    from ..encoders.protocol import EncoderSettings
    from ..evaluation.plots import check_plots_installed
    from ..library import Library
    from ..training.options import Balancing, TrainOptions

    if not pairs and not take_from and not rollback:
        raise BadInput("there is nothing to learn from: name a file of pairs, or use  --from keywords  or another source of the library")
    if rollback and (pairs or take_from or resume or dry_run):
        raise BadInput("--rollback takes away what is on and trains nothing: use it without pairs, --from, --resume and --dry-run")
    if html is not None and html.is_dir():
        raise BadInput(f"{html}: it is a folder: name a file in it for the report")
    if html is not None and not html.absolute().parent.is_dir():
        raise BadInput(f"{html}: there is no folder {html.parent} to write to: make it, or name another file")
    Library.open(library, readonly=True).close()  # so that a wrong name makes no library
    settings = EncoderSettings(device=device)
    if rollback:
        with Library.open(library, settings=settings) as opened:
            return _roll_back(opened, as_json=as_json)
    if html is not None:
        check_plots_installed("train")
    chosen: dict[str, Any] = {"space": space, "method": method, "loss": loss, "side": side, "to": to, "epochs": epochs, "rank": rank}
    balancing = Balancing(balance, balance, weights, caps, mixing, noise, dropping, selection)
    options = TrainOptions(
        **{name: value for name, value in chosen.items() if value is not None},
        seed=seed,
        name=name,
        take_from=_named(take_from or []),
        balancing=balancing,
        resume=resume,
        dry_run=dry_run,
    )
    with Library.open(library, readonly=dry_run, settings=settings) as opened:
        report = _trained(opened, pairs or [], options, root or [], general)
    if html is not None:
        from ..training.report import write_report

        write_report(report, html)
    if as_json:
        from ..training.document import as_document

        print_json(as_document(report))
    else:
        show_training(report)
    if report.interrupted:
        raise typer.Exit(Exit.INTERRUPTED)
    if report.verdict is not None and not report.verdict.passed:
        raise typer.Exit(Exit.NOT_BETTER)
    return None


def _roll_back(library: Library, *, as_json: bool) -> None:
    switched = library.rollback_adapter()
    if as_json:
        return print_json({"now": switched.now, "before": switched.before})
    now = "searches go through none now" if switched.now is None else f"{switched.now} is on now"
    said().print(plain(f"✓ {switched.before} was taken away: {now}"), soft_wrap=True)
    return None


def _named(values: Sequence[str]) -> tuple[str, ...]:
    """What was given one by one or separated by commas, each once."""
    return tuple(dict.fromkeys(name.strip() for value in values for name in value.split(",") if name.strip()))


def _trained(library: Library, pairs: Sequence[Path], options: TrainOptions, roots: Sequence[Path], general: Path | None) -> TrainReport:
    from ..evaluation.formats import read_queries
    from ..training import train as learn

    judged = None if general is None else read_queries(general)
    with stop_on_interrupt() as stop, drawn_training(options.epochs) as (on_step, on_epoch):
        return learn(library, *pairs, options=options, roots=roots, general=judged, on_step=on_step, on_epoch=on_epoch, stop=stop)
