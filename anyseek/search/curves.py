"""Fitting a curve to standard scores of right and of wrong answers."""

from __future__ import annotations

import numpy as np

from .calibration import Curve

__all__ = ["FEWEST", "curve_loss", "fit_curve"]

FEWEST = 10
"""Right answers, and wrong ones, that a curve is fitted to; with fewer it would say more of them than of the space."""

LAPSE = 0.08
"""Share of answers that no cosine explains: right ones of which the model knows nothing, wrong ones that nobody judged."""

MIDDLES = 161
STEEPNESSES = np.geomspace(0.5, 4, 19)
BLOCK = 20


def fit_curve(right: np.ndarray, wrong: np.ndarray) -> Curve | None:
    """The logistic curve under which the answers are likeliest, right and wrong ones counted alike.

    Some answers of either sort lie anywhere (a psychometric function with lapses, F. Wichmann and N. Hill, Perception & Psychophysics 63,
    2001), so that a few that the model cannot know do not flatten the curve. All middles and steepnesses of a grid are tried.

    Args:
        right: (r,) standard scores of right answers.
        wrong: (w,) standard scores of wrong ones.

    Returns:
        It; None where either are fewer than `FEWEST`.
    """
    if min(len(right), len(wrong)) < FEWEST:
        return None
    both = np.concatenate([right, wrong])
    middles = np.linspace(float(both.min()), float(both.max()), MIDDLES)
    best, least = Curve(0.0, 1.0), np.inf
    for start in range(0, MIDDLES, BLOCK):
        block = middles[start : start + BLOCK]
        losses = _losses(right, wrong, block[:, None, None], STEEPNESSES[None, :, None])
        place = np.unravel_index(int(np.argmin(losses)), losses.shape)
        if losses[place] < least:
            best, least = Curve(float(block[place[0]]), float(STEEPNESSES[place[1]])), float(losses[place])
    return best


def curve_loss(curve: Curve, right: np.ndarray, wrong: np.ndarray) -> float:
    """How wrong a curve's relevances are: the mean of ``-log p`` of right answers and of ``-log(1 - p)`` of wrong ones, counted alike.

    Args:
        curve: It.
        right: (r,) standard scores of right answers, at least one.
        wrong: (w,) standard scores of wrong ones, at least one.
    """
    return float(_losses(right, wrong, np.array(curve.middle), np.array(curve.steepness)))


def _losses(right: np.ndarray, wrong: np.ndarray, middles: np.ndarray, steepnesses: np.ndarray) -> np.ndarray:
    kept = 1 - 2 * LAPSE
    shown = LAPSE + kept / (1 + np.exp(-np.clip(steepnesses * (right - middles), -50, 50)))
    hidden = LAPSE + kept / (1 + np.exp(np.clip(steepnesses * (wrong - middles), -50, 50)))
    return np.asarray(-0.5 * np.log(shown).mean(axis=-1) - 0.5 * np.log(hidden).mean(axis=-1))
