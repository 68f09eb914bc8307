"""What is found in films of which it is known what is seen and heard in them when, with and without calibrated relevance.

    python -m benchmarks.judged [--films N] [--seed N] [--media FOLDER] [--model NAME] [--keep FOLDER] [--failures]

The films are cut together from the photos and sounds of the demo, or of FOLDER, see `benchmarks.judged_library`. With ``--keep`` the
library and its ``queries.json`` stay, for ``anyseek eval``.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from statistics import mean
from tempfile import TemporaryDirectory

from anyseek import Library
from anyseek.evaluation.configurations import Configuration
from anyseek.evaluation.course import Evaluated, evaluate
from anyseek.evaluation.formats import read_queries
from anyseek.evaluation.moments import ENOUGH
from anyseek.evaluation.results import Result
from anyseek.evaluation.summary import ABSENT_REFUSED, GOOD_REFUSED

from .judged_library import Media, build
from .measure import Row

__all__ = ["measure"]

FILMS, SEED = 32, 5
IOU_ENOUGH = f"iou>={ENOUGH}"
WAYS = (Configuration("with calibration", calibrated=True), Configuration("without calibration", calibrated=False))
NAMES = {"image": "photos", "audio": "sounds", "video": "films"}

Of = Callable[[Evaluated], float]


def measure(folder: Path, *, quick: bool = False) -> list[Row]:
    """Ask the demo and films made of it."""
    return _measured(Media.demo(), folder, films=8 if quick else FILMS, seed=SEED)


def _measured(media: Media, folder: Path, *, films: int, seed: int, model: str = "starter", failures: bool = False) -> list[Row]:
    root = folder.resolve() / "media"
    queries = read_queries(build(media, root, films, seed))
    with Library.open(folder / "library", encoder=model) as library:
        library.index(root)
        both = evaluate(library, queries, WAYS).evaluated
    if failures:
        _tell_failures(both[0].results)
    return [*_moment_rows(both), *_first_rows(both), *_refusal_rows(both), *_fairness_rows(both)]


def _moment_rows(both: Sequence[Evaluated]) -> list[Row]:
    """How well the best hit's best moment lies on the truth; a hit in a wrong place counts as 0."""
    rows = []
    for kind in ("text", "image", "audio"):
        pair = f"{kind} → video"
        if not _values(both[0].results, "iou", pair):
            continue
        what = f"judged films, {kind} → moment"
        rows.append(_row(f"{what}, best hit's IoU ≥ {ENOUGH}", both, _mean(IOU_ENOUGH, pair), least=0.8 if kind == "text" else None))
        rows.append(_row(f"{what}, mean IoU", both, _mean("iou", pair), shown="{:.2f}".format))
        if kind == "text":
            rows.append(_row(f"{what}, IoU ≥ {ENOUGH}, of texts that find their photo or sound first by itself", both, _of_known))
        rows.append(_row(f"{what}, IoU ≥ {ENOUGH}, where the best hit is a right place", both, _of_right(pair)))
    return rows


def _first_rows(both: Sequence[Evaluated]) -> list[Row]:
    with_, without = (mean(_values(each.results, "success@1")) for each in both)
    rows = [
        Row(
            f"judged, R@1 of all {len(both[0].results)} queries", _finer(with_), _beside(_finer(without)), "", "≥ without", with_ >= without
        )
    ]
    pairs = [group.name for group in both[0].summary.pairs]
    return [*rows, *(_row(f"judged, R@1 of {pair}", both, _mean("success@1", pair)) for pair in pairs)]


def _refusal_rows(both: Sequence[Evaluated]) -> list[Row]:
    rows = []
    if _values(both[0].results, ABSENT_REFUSED):
        rows.append(_row("judged, queries that nothing answers recognised", both, _mean(ABSENT_REFUSED), least=0.8))
    rows.append(_row("judged, good queries refused", both, _mean(GOOD_REFUSED), most=0.1))
    return [*rows, _row("judged, good queries refused, of those whose first answer is right", both, _refused_of_right)]


def _fairness_rows(both: Sequence[Evaluated]) -> list[Row]:
    rows = []
    for number, share in enumerate(both[0].summary.shares):
        name = NAMES[share.kind.value]
        what = f"judged, {name} among the top ten, where {_share(share.right)} of the right answers are {name}"
        rows.append(_row(what, both, lambda each, number=number: each.summary.shares[number].first))
    return rows


def _values(results: Iterable[Result], measure: str, pair: str | None = None) -> list[float]:
    return [result.values[measure] for result in results if measure in result.values and pair in {None, result.question.judged.pair}]


def _mean(measure: str, pair: str | None = None) -> Of:
    return lambda each: mean(_values(each.results, measure, pair))


def _of_right(pair: str) -> Of:
    return lambda each: _mean_or_0(_values((result for result in each.results if result.values.get("success@1") == 1), IOU_ENOUGH, pair))


def _of_known(each: Evaluated) -> float:
    """Of the texts that the encoder understands, as far as photos and sounds tell: what is lost there is lost by cutting and merging."""
    known = {
        result.question.judged.text
        for result in each.results
        if result.question.judged.pair in {"text → image", "text → audio"} and result.values["success@1"] == 1
    }
    return _mean_or_0(_values((result for result in each.results if result.question.judged.text in known), IOU_ENOUGH, "text → video"))


def _refused_of_right(each: Evaluated) -> float:
    """What the cut hides that was found; the rest the encoder does not know, and nothing of it would be shown but wrong answers."""
    return _mean_or_0(_values((result for result in each.results if result.values.get("success@1") == 1), GOOD_REFUSED))


def _mean_or_0(values: Sequence[float]) -> float:
    return mean(values) if values else 0.0


def _share(share: float) -> str:
    return f"{100 * share:.0f} %"


def _finer(share: float) -> str:
    return f"{100 * share:.1f} %"


def _beside(figure: str) -> str:
    return f"without calibration: {figure}"


def _row(
    what: str,
    both: Sequence[Evaluated],
    figure: Of,
    *,
    least: float | None = None,
    most: float | None = None,
    shown: Callable[[float], str] = _share,
) -> Row:
    with_, without = map(figure, both)
    goal, met = "", None
    if least is not None:
        goal, met = f"≥ {_share(least)}", with_ >= least
    elif most is not None:
        goal, met = f"≤ {_share(most)}", with_ <= most
    return Row(what, shown(with_), _beside(shown(without)), "", goal, met)


def _tell_failures(results: Iterable[Result]) -> None:
    for result in results:
        if result.values.get(IOU_ENOUGH) == 0 and result.question.judged.target == "video":
            best = result.found[0] if result.found else None
            where = "nothing" if best is None else f"{best.path.name} {best.moments[0].start_ms}-{best.moments[0].end_ms}"
            print(f"{result.question.judged.question}: {where}, {result.values['iou']:.2f}", file=sys.stderr)


def main() -> None:
    from .__main__ import show

    parser = argparse.ArgumentParser(prog="python -m benchmarks.judged", description="What is found in films whose content is known.")
    parser.add_argument("--films", type=int, default=FILMS, metavar="N", help="how many to make")
    parser.add_argument("--seed", type=int, default=SEED, metavar="N", help="equal seeds make equal films")
    parser.add_argument(
        "--media", type=Path, metavar="FOLDER", help="other photos and sounds, with photos/labels.csv and sounds/labels.csv"
    )
    parser.add_argument("--model", default="starter", metavar="NAME", help="to index with")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="leave films, queries and library in this new folder")
    parser.add_argument("--failures", action="store_true", help="say which queries missed their moment")
    wanted = parser.parse_args()
    media = Media.demo() if wanted.media is None else Media.labelled(wanted.media)
    with TemporaryDirectory(prefix="anyseek-bench-") as temporary:
        folder = wanted.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        rows = _measured(media, folder, films=wanted.films, seed=wanted.seed, model=wanted.model, failures=wanted.failures)
    show(rows)


if __name__ == "__main__":
    main()
