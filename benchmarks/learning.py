"""Learning from one's own library: words that no model knows, a long tail, a part that is missing, and what unrelated queries lose.

    python -m benchmarks --only learning
    python -m benchmarks.learning [--media FOLDER] [--seeds N] [--strength S] [--only shifted,tail,missing]

Media are made of the photos and sounds of the demo, or of FOLDER, see `benchmarks.learning_media`; they are indexed, taught by
``anyseek train``, and what was kept back is indexed after that. With several seeds the figures are means, with the least and the most.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import mean
from tempfile import TemporaryDirectory

from anyseek import Library

from .learning_missing import missing_rows
from .learning_runs import BASE, Asked, Method, Trained, ask, teach
from .learning_tasks import HELD, TAUGHT, Archive, Plan, general_queries, long_tail, make_archive
from .measure import ROOT, Row

__all__ = ["measure"]

DEMO = ROOT / "data" / "demo"
UNBALANCED = ("--no-balance", "--no-weights", "--no-caps", "--no-mixing", "--no-noise", "--no-selection")

RIDGE = Method("linear, ridge", ("--method", "linear", "--loss", "ridge"))
LINEAR = Method("linear, infonce", ("--method", "linear", "--loss", "infonce"))
RESIDUAL = Method("residual, infonce", ("--method", "residual", "--loss", "infonce"))
SIGMOID = Method("residual, sigmoid", ("--method", "residual", "--loss", "sigmoid"))
TRIPLET = Method("residual, triplet", ("--method", "residual", "--loss", "triplet"))
SHIFTED = (RIDGE, LINEAR, RESIDUAL, SIGMOID, TRIPLET)
TAIL = (RIDGE, LINEAR, RESIDUAL)

ENOUGH = 0.8
MOST_LOST = 0.01
TAIL_GAIN, TAIL_COST = 0.10, 0.02
CLASSES, FAMILIES = 30, 6

ASKED: Mapping[str, tuple[str, str]] = {
    "held out": ("source:held", "{}"),
    "among the demo's, too": (f"not source:{TAUGHT}", "{}"),
    "in other words": ("source:held", "a photo of a {}"),
}
"""How products are asked for → the condition, and the words around the name."""


@dataclass(frozen=True, slots=True)
class Course:
    """What one archive taught, for each seed.

    Attributes:
        trained: By method, one for each seed.
        asked: By sort of queries, one mapping of adapters for each seed.
    """

    trained: Mapping[str, Sequence[Trained]]
    asked: Mapping[str, Sequence[Mapping[str, Asked]]]

    def figures(self, sort: str, method: str | None, of: Callable[[Asked], float]) -> list[float]:
        """A figure of each seed, with a method or without any."""
        names = [BASE] * len(self.asked[sort]) if method is None else [each.name for each in self.trained[method]]
        return [of(asked[name]) for asked, name in zip(self.asked[sort], names, strict=True)]

    def cost(self, method: str) -> str:
        """Time and memory."""
        runs = self.trained[method]
        memory = max(each.peak_mb or 0 for each in runs)
        return (
            f"{mean(each.seconds for each in runs):.1f} s, {memory:,.0f} MiB, switched on {sum(each.passed for each in runs)}/{len(runs)}"
        )


def measure(folder: Path, *, quick: bool = False) -> list[Row]:
    """Make archives of the demo, teach them, and ask."""
    return _measured(DEMO, folder, seeds=(0,), quick=quick)


def _measured(
    media: Path, folder: Path, *, seeds: Sequence[int], quick: bool = False, strength: float = 0.5, only: Sequence[str] = ()
) -> list[Row]:
    rows: list[Row] = []
    if not only or "shifted" in only:
        plan = Plan(12, 4, (6,), 3, strength) if quick else Plan(strength=strength)
        methods = (RIDGE, RESIDUAL) if quick else SHIFTED
        rows += _shifted_rows(_course(media, folder / "shifted", plan, methods, seeds, ASKED), methods, plan)
    if not only or "tail" in only:
        plan = Plan(10, 0, long_tail(10, 20), 5, strength, 2) if quick else Plan(CLASSES, 0, long_tail(CLASSES), 10, strength, FAMILIES)
        methods = (RIDGE,) if quick else TAIL
        bare = tuple(replace(each, name=f"{each.name}, unbalanced", arguments=(*each.arguments, *UNBALANCED)) for each in methods)
        asked = {"held out": ASKED["held out"]}
        rows += _tail_rows(_course(media, folder / "tail", plan, (*methods, *bare), seeds, asked), list(zip(methods, bare, strict=True)))
    if not only or "missing" in only:
        rows += missing_rows(media, seeds=seeds, strength=strength, quick=quick)
    return rows


def _course(
    media: Path, folder: Path, plan: Plan, methods: Sequence[Method], seeds: Sequence[int], asked: Mapping[str, tuple[str, str]]
) -> Course:
    """The same media under other names for each seed: what they show stays, so that seeds tell what training does by chance."""
    folder.mkdir(parents=True)
    archive = make_archive(media, folder / "archive", plan)
    archives = [archive.renamed(seed) for seed in seeds]
    with Library.open(folder / "library", encoder="starter") as library:
        library.index(archive.root / TAUGHT, DEMO)
    trained: dict[str, list[Trained]] = {method.name: [] for method in methods}
    for seed, named in zip(seeds, archives, strict=True):
        pairs = named.write_pairs(folder / f"pairs-{seed}.csv")
        for method in methods:
            trained[method.name].append(teach(folder / "library", pairs, method, seed))
    with Library.open(folder / "library", encoder="starter") as library:
        library.index(archive.root / HELD)
        answers: dict[str, list[Mapping[str, Asked]]] = {}
        for number, named in enumerate(archives):
            adapters = [of_seeds[number].name for of_seeds in trained.values()]
            for sort, queries in (*_queries(named, asked), ("unrelated", general_queries("source:demo"))):
                answers.setdefault(sort, []).append(ask(library, queries, adapters, folder))
    return Course(trained, answers)


def _queries(archive: Archive, asked: Mapping[str, tuple[str, str]]) -> Iterable[tuple[str, list[dict[str, object]]]]:
    for sort, (where, form) in asked.items():
        yield sort, archive.queries(where, form)


def _shifted_rows(course: Course, methods: Sequence[Method], plan: Plan) -> list[Row]:
    rows = []
    for method in methods:
        rows += [_shifted_row(course, method.name, "image", sort, plan.photos) for sort in ASKED]
        rows.append(_shifted_row(course, method.name, "audio", "held out", plan.sounds))
        rows.append(_lost_row(course, method.name, "shifted vocabulary"))
    return rows


def _shifted_row(course: Course, method: str, kind: str, sort: str, products: int) -> Row:
    after, before = (course.figures(sort, of, lambda asked: asked.mean("recall@10", kind)) for of in (method, None))
    found = course.figures(sort, method, lambda asked: asked.mean("success@10", kind))
    what = f"shifted vocabulary, text → {kind}, {products} products, {sort}: {method}"
    is_promised = sort == "held out"
    ours = f"R@10 {_shown(after)}, S@10 {_shown(found)}" + (f"; {course.cost(method)}" if is_promised else "")
    goal, met = (f"R@10 ≥ {ENOUGH}", mean(after) >= ENOUGH) if is_promised else ("", None)
    return Row(what, ours, f"base: R@10 {_shown(before)}", "", goal, met)


def _lost_row(course: Course, method: str, task: str) -> Row:
    after, before = (course.figures("unrelated", of, lambda asked: asked.mean("recall@10")) for of in (method, None))
    firsts = [course.figures("unrelated", of, lambda asked: asked.mean("success@1")) for of in (method, None)]
    count = len(course.asked["unrelated"][0][BASE].values)
    lost = round(mean(before) - mean(after), 6)
    return Row(
        f"{task}, {count} unrelated queries: {method}",
        f"R@10 {_shown(after)}, S@1 {_shown(firsts[0])}",
        f"base: R@10 {_shown(before)}, S@1 {_shown(firsts[1])}",
        f"{-100 * lost:+.1f} points",
        "lose ≤ 1 point",
        lost <= MOST_LOST,
    )


def _tail_rows(course: Course, pairs: Sequence[tuple[Method, Method]]) -> list[Row]:
    rows = []
    for balanced, bare in pairs:
        worst = [course.figures("held out", each.name, lambda asked: asked.worst_decile("recall@10")) for each in (balanced, bare)]
        whole = [course.figures("held out", each.name, lambda asked: asked.mean("recall@10")) for each in (balanced, bare)]
        gain, cost = (round(mean(one) - mean(other), 6) for one, other in (worst, whole[::-1]))
        rows.append(
            Row(
                f"long tail, balanced: {balanced.name}",
                f"worst decile R@10 {_shown(worst[0])}, mean {_shown(whole[0])}; {course.cost(balanced.name)}",
                f"unbalanced: worst decile {_shown(worst[1])}, mean {_shown(whole[1])}",
                f"{100 * gain:+.1f} and {-100 * cost:+.1f} points",
                "≥ +10, mean ≥ -2",
                gain >= TAIL_GAIN and cost <= TAIL_COST,
            )
        )
        rows.append(_lost_row(course, balanced.name, "long tail"))
    return rows


def _shown(values: Sequence[float]) -> str:
    """The mean; of several also the least and the most."""
    return f"{mean(values):.3f}" + (f" [{min(values):.3f}, {max(values):.3f}]" if len(values) > 1 else "")


def main() -> None:
    from .__main__ import show

    parser = argparse.ArgumentParser(prog="python -m benchmarks.learning", description="What is learnt from one's own library.")
    parser.add_argument("--media", type=Path, default=DEMO, metavar="FOLDER", help="other photos and sounds, in photos and sounds")
    parser.add_argument("--seeds", type=int, default=3, metavar="N", help="how often, each time with other names")
    parser.add_argument("--strength", type=float, default=0.5, metavar="S", help="how different the photos of a product are, to 1")
    parser.add_argument("--only", default="", metavar="TASKS", help="shifted, tail, missing")
    wanted = parser.parse_args()
    only = wanted.only.split(",") if wanted.only else []
    with TemporaryDirectory(prefix="anyseek-bench-") as folder:
        show(_measured(wanted.media, Path(folder), seeds=range(wanted.seeds), strength=wanted.strength, only=only))


if __name__ == "__main__":
    main()
