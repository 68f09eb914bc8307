"""How the list of presets and models is shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from rich.text import Text

from ..encoders import hub
from ..encoders.catalogue import PRESETS, ModelCard, Preset, card, cards, missing_extras
from ..encoders.registry import added_specs
from ..types import ENCODED, Modality
from .downloads import human_size
from .output import answers, printable, show

__all__ = ["as_json", "draw"]

GROUPS = {
    "Pictures and films": {Modality.TEXT, Modality.IMAGE},
    "Sounds": {Modality.TEXT, Modality.AUDIO},
}
REST = "Several kinds in one space"
COLUMNS = f"      {'dim':>4}  {'weights':>7}  {'download':>8}  {'licence':<28}R@1 in %"


def as_json() -> dict[str, Any]:
    """Everything that is known, as the JSON that ``--json`` prints."""
    return {
        "presets": [asdict(preset) | _sum_of(preset) | {"here": _all_here(preset.specs)} for preset in PRESETS.values()],
        "models": [
            asdict(known)
            | {"modalities": _named(known), "here": _is_here(known), "missing_extra": next(iter(missing_extras([known.spec])), None)}
            for known in cards().values()
        ],
        "added": added_specs(),
    }


def draw() -> None:
    """Print presets, then models by what they take, then what the marks mean."""
    sources = list(dict.fromkeys(known.scores[0].source for known in cards().values() if known.scores))
    _say(("Presets", "bold"), ("  anyseek index FOLDER --model NAME", "dim"))
    for preset in PRESETS.values():
        _draw_preset(preset)
    for title, models in _grouped().items():
        _say()
        _say((title, "bold"))
        _say((COLUMNS, "dim"))
        for known in models:
            _draw_model(known, sources)
    if added_specs():
        _say()
        _say(("Added by other packages", "bold"))
        _say("  " + printable("  ".join(added_specs())))
    _draw_legend(sources)


def _draw_preset(preset: Preset) -> None:
    total = _sum_of(preset)
    size = _size(total["download"], estimated=total["download_estimated"]) if total["download"] != 0 else ""
    _say(_mark(here=_all_here(preset.specs)), (f"{preset.name:<14}", "cyan"), f"{preset.good_for:<56}{size:>8}")
    _say((f"    {' + '.join(preset.specs)}", "dim"))


def _draw_model(known: ModelCard, sources: Sequence[str]) -> None:
    fits = len(f"  {known.spec}  {known.remark}") <= answers().width
    _say(_mark(here=_is_here(known)), (known.spec, "cyan"), (f"  {known.remark}" if fits else "", "dim"))
    weights = f"{known.parameters / 10**6:,.0f}M" if known.parameters else "?"
    facts = f"      {known.dim:>4}  {weights:>7}  {_size(known.download, estimated=known.download_estimated):>8}  "
    licence = (f"{known.licence:<28}", "") if known.commercial else (f"{known.licence + ' ⊘':<28}", "yellow")
    best = known.scores[:1]
    _say(facts, licence, *(f"{score.data} {score.value:.1f} [{sources.index(score.source) + 1}]" for score in best))
    if not fits:
        _say((f"      {known.remark}", "dim"))


def _draw_legend(sources: Sequence[str]) -> None:
    _say()
    _say(("✓ on this machine   ≈ at four bytes a weight   ⊘ no commercial use   ? unknown", "dim"))
    _say(("R@1: how often the first answer to a caption is the right one, as published;", "dim"))
    _say(("compare it within one data set only; more scores:  anyseek models --json", "dim"))
    for place, source in enumerate(sources, 1):
        _say((f"[{place}] {source}", "dim"))
    _say()
    missing = missing_extras(list(cards()))
    if missing:
        _say(f"to use the models:  pip install 'anyseek[{'models' if len(missing) > 1 else missing[0]}]'")
    _say("to fetch one ahead:  anyseek models pull NAME")


def _grouped() -> dict[str, list[ModelCard]]:
    groups: dict[str, list[ModelCard]] = {title: [] for title in (*GROUPS, REST)}
    for known in cards().values():
        groups[next((title for title, takes in GROUPS.items() if known.modalities == takes), REST)].append(known)
    return groups


def _sum_of(preset: Preset) -> dict[str, Any]:
    known = [found for spec in preset.specs if (found := card(spec))]
    sizes = [each.download for each in known if each.download is not None]
    return {
        "download": sum(sizes) if len(sizes) == len(preset.specs) else None,
        "download_estimated": any(each.download_estimated for each in known),
    }


def _all_here(specs: Sequence[str]) -> bool:
    return all((known := card(spec)) is not None and _is_here(known) for spec in specs)


def _is_here(known: ModelCard) -> bool:
    return known.repository is None or hub.is_here(known.repository)


def _named(known: ModelCard) -> list[str]:
    return [modality.value for modality in ENCODED if modality in known.modalities]


def _size(count: int | None, *, estimated: bool) -> str:
    if count is None:
        return "?"
    return ("≈" if estimated else "") + human_size(count) if count else "none"


def _mark(*, here: bool) -> tuple[str, str]:
    return ("✓ ", "bold green") if here else ("  ", "")


def _say(*parts: str | tuple[str, str]) -> None:
    line = Text.assemble(*parts)
    line.rstrip()
    show(line, wrap=False)
