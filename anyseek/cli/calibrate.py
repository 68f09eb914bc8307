"""``anyseek calibrate``: how scores are made of cosines, chosen by judged queries."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import BadInput
from .options import DeviceOption, JsonOption, LibraryOption, named_path
from .output import note, plain_table, print_json, show, wait_for

if TYPE_CHECKING:
    from ..calibrating import CalibratedSpace
    from ..search.calibration import Calibration

__all__ = ["calibrate"]

MOST_BYTES = 16 * 2**20

SOURCES = {
    "default": "nobody has measured it: chance is told by the reference captions alone",
    "shipped": "measured on other media, it comes with anyseek",
    "measured": "measured on this library",
}


def calibrate(
    queries: Annotated[
        Path | None,
        typer.Argument(
            metavar="QUERIES", parser=named_path, help="A file of judged queries, as anyseek eval reads it.", show_default=False
        ),
    ] = None,
    captions: Annotated[
        Path | None,
        typer.Option(
            "--captions",
            metavar="FILE",
            parser=named_path,
            help="Let these captions, one per line, say what is chance, instead of those that come with anyseek.",
            show_default=False,
        ),
    ] = None,
    reset: Annotated[bool, typer.Option("--reset", help="Go back to what comes with anyseek, before anything else.")] = False,
    root: Annotated[
        list[Path] | None,
        typer.Option(
            "--root", metavar="DIR", parser=named_path, help="Paths in the queries may be relative to this folder, too.", show_default=False
        ),
    ] = None,
    as_json: JsonOption = False,
    library: LibraryOption = None,
    device: DeviceOption = "auto",
) -> None:
    """Choose by judged queries how scores are made, and keep it with the library; without arguments, show how they are made.

    See docs/relevance.md for what is tried and how it is measured.
    """
    from .. import calibrating
    from ..encoders.protocol import EncoderSettings
    from ..evaluation.formats import read_queries
    from ..library import Library

    judged = None if queries is None else read_queries(queries)
    texts = None if captions is None else _lines(captions)
    changes = reset or judged is not None or texts is not None
    Library.open(library, readonly=True).close()  # so that a wrong name makes no library
    with Library.open(library, readonly=not changes, settings=EncoderSettings(device=device)) as opened:
        if reset:
            calibrating.reset(opened)
        if texts is not None:
            with wait_for("encoding captions"):
                calibrating.replace_captions(opened, texts)
        if judged is None:
            found = calibrating.calibrations_of(opened)
        else:
            with wait_for("asking judged queries"):
                found = calibrating.calibrate(opened, judged, root or ())
    if as_json:
        print_json({"spaces": [_as_dict(each) for each in found]})
    else:
        _show(found)
    if texts is not None and judged is None:
        note("what was measured with other captions does not hold any more: run  anyseek calibrate QUERIES")


def _lines(file: Path) -> list[str]:
    try:
        with file.open("rb") as opened:  # a device may never end
            content = opened.read(MOST_BYTES + 1)
        if len(content) > MOST_BYTES:
            raise BadInput(f"{file} holds more than {MOST_BYTES // 2**20} MiB: name a text file with one caption per line")
        return content.decode("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{file} cannot be read ({error}): name a text file in UTF-8 with one caption per line") from error


def _as_dict(each: CalibratedSpace) -> dict[str, Any]:
    calibration = each.calibration
    chosen = {"space": each.spec, "source": calibration.source, "queries": calibration.queries}
    curves = [
        {"asked": asked.value, "found": found.value, "middle": curve.middle, "steepness": curve.steepness}
        for (asked, found), curve in calibration.curves.items()
    ]
    names = ("nearest", "strength", "recall", "precision", "loss")
    trials = [{name: getattr(trial, name) for name in names} for trial in calibration.trials]
    return {**chosen, "nearest": calibration.nearest, "strength": calibration.strength, "curves": curves, "trials": trials}


def _show(found: Sequence[CalibratedSpace]) -> None:
    for each in found:
        calibration = each.calibration
        by = f", by {calibration.queries:,} judged queries" if calibration.queries else ""
        show(f"{each.spec}: {SOURCES[calibration.source]}{by}")
        if calibration.trials:
            show(_trials(calibration))
        for (asked, hit), curve in calibration.curves.items():
            show(f"  {asked.value} → {hit.value}: as likely right as not {curve.middle:.2f} deviations above chance")


def _trials(calibration: Calibration) -> Any:
    table = plain_table("", "taken off", "captions", "R@1", "mAP", "loss")
    for trial in calibration.trials:
        chosen = (trial.nearest, trial.strength) == (calibration.nearest, calibration.strength)
        off = f"{trial.strength:.2f} × bias" if trial.strength else "nothing"
        captions = str(trial.nearest) if trial.strength else ""
        table.add_row("✓" if chosen else "", off, captions, f"{trial.recall:.3f}", f"{trial.precision:.3f}", f"{trial.loss:.3f}")
    return table
