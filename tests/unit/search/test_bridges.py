"""The two bridges: against scikit-learn, against leaving texts out one by one, and by hand."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from elsewhere import ElsewhereEncoder
from fakes import WORDS
from sklearn.linear_model import RidgeCV

from anyseek.fusion.vectors import unit_rows
from anyseek.search.bridge import Bridge
from anyseek.search.labels import ENTRIES, TEMPERATURES, LabelBridge
from anyseek.search.ridge import PENALTIES, RidgeBridge, fit_ridge
from anyseek.types import Modality

TEXTS = [" ".join(words) for words in combinations(WORDS, 3)]
SOURCE = ElsewhereEncoder("source", 0.2, 0.3, 1)
TARGET = ElsewhereEncoder("target", 0.4, 0.5, 2)
COLOURS = unit_rows(np.array([mix for mix in np.ndindex(3, 3, 3, 2) if any(mix)], np.float64)) @ np.eye(4, 8)


def texts() -> tuple[np.ndarray, np.ndarray]:
    return SOURCE.encode_text(TEXTS), TARGET.encode_text(TEXTS)


def noisy() -> tuple[np.ndarray, np.ndarray]:
    """Pairs of which a part cannot be foretold, so that a penalty helps; fewer rows than would settle every axis."""
    random = np.random.default_rng(5)
    source = unit_rows(random.normal(size=(60, 40)) * np.geomspace(1, 0.01, 40))
    target = source @ random.normal(size=(40, 7)) * 3 + random.normal(size=(60, 7))
    return source, target


def test_the_map_and_its_penalty_are_those_of_scikit_learn() -> None:
    for source, target in (noisy(), texts()):
        found = fit_ridge(source, target)
        centred = source.astype(np.float64) - source.mean(axis=0, dtype=np.float64)
        penalties = np.array(PENALTIES) * (centred**2).sum() / source.shape[1]
        reference = RidgeCV(penalties, store_cv_results=True).fit(source.astype(np.float64), target.astype(np.float64))
        assert found.penalty == pytest.approx(reference.alpha_)
        np.testing.assert_allclose(found.weights, reference.coef_.T, atol=1e-8)
        errors = reference.cv_results_.sum(axis=1).mean(axis=0)
        np.testing.assert_allclose(found.errors, errors, rtol=1e-5, atol=1e-16)


def test_the_errors_are_those_of_leaving_each_row_out() -> None:
    source, target = noisy()
    found = fit_ridge(source, target)
    for penalty, error in list(zip(PENALTIES, found.errors, strict=True))[::4]:
        lost = []
        for row in range(len(source)):
            x, y = np.delete(source, row, axis=0), np.delete(target, row, axis=0)
            centre = x.mean(axis=0)
            scale = ((source - source.mean(axis=0)) ** 2).sum() / source.shape[1]
            weights = np.linalg.solve((x - centre).T @ (x - centre) + penalty * scale * np.eye(40), (x - centre).T @ (y - y.mean(axis=0)))
            lost.append((((source[row] - centre) @ weights + y.mean(axis=0) - target[row]) ** 2).sum())
        assert error == pytest.approx(np.mean(lost), rel=1e-6)
    assert 0 < int(np.argmin(found.errors)) < len(PENALTIES) - 1  # neither end: noise has to be fought, and there is something to find


def test_a_turned_space_is_turned_back() -> None:
    source, target = texts()
    carried = RidgeBridge.fit(source, target).carry(source)
    differences = target - target.mean(axis=0)
    np.testing.assert_allclose(carried, unit_rows(differences), atol=1e-4)


@pytest.mark.parametrize("kind", [RidgeBridge, LabelBridge])
def test_media_arrive_where_texts_of_their_meaning_lie_although_they_leave_from_another_cone(kind: type[Bridge]) -> None:
    bridge = kind.fit(*texts())
    for modality in (Modality.IMAGE, Modality.AUDIO):
        media = SOURCE.place(COLOURS, modality)
        carried = bridge.carry(media, media.mean(axis=0))
        goal = TARGET.place(COLOURS, Modality.IMAGE)
        best = np.argmax(carried @ goal.T, axis=1)
        assert np.mean((COLOURS * COLOURS[best]).sum(axis=1)) > 0.9  # two colours taken at random have 0.6
        assert np.abs(np.linalg.norm(carried, axis=1) - 1).max() < 1e-6
        assert carried.dtype == np.float32


@pytest.mark.parametrize("kind", [RidgeBridge, LabelBridge])
def test_a_bridge_is_the_same_after_it_was_kept(kind: type[Bridge]) -> None:
    source, target = texts()
    bridge = kind.fit(source, target)
    again = kind.from_arrays(bridge.arrays())
    np.testing.assert_array_equal(again.carry(source), bridge.carry(source))
    with pytest.raises(ValueError, match="these are not the arrays"):
        kind.from_arrays(bridge.arrays() | {"source_centre": np.zeros(3, np.float32)})
    assert bridge.carry(source[:0]).shape == (0, TARGET.space.dim)


def test_what_lies_at_the_centre_asks_for_nothing() -> None:
    source, target = texts()
    centre = source.mean(axis=0)
    assert not RidgeBridge.fit(source, target).carry(centre[None]).any()


def test_names_by_hand() -> None:
    """Four texts on four axes: two are named with cosines of 0.8 and 0.6 about a centre at 0."""
    source = np.array([[1, 0], [0, 1], [-1, 0], [0, -1]], np.float32)
    target = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, -1]], np.float32)
    bridge = LabelBridge(source, np.zeros(2, np.float32), target, np.array(0.2, np.float32), np.array(1, np.float32))
    powers = np.exp(np.array([0.8, 0.6, -0.8, -0.6]) / 0.2)
    shares = powers / powers.sum()
    vector = np.array([0.8, 0.6], np.float32)
    wanted = np.array([shares[0], shares[1], shares[2] - shares[3]])
    np.testing.assert_allclose(bridge.carry(vector[None])[0], wanted / np.linalg.norm(wanted), atol=1e-6)
    explained = bridge.explain(vector, ["east", "north", "west", "south"])
    assert [text for text, _ in explained] == ["east", "north", "south", "west"]
    assert [share for _, share in explained] == pytest.approx([shares[0], shares[1], shares[3], shares[2]])


def test_only_the_nearest_names_count_and_the_temperature_is_the_one_that_foretells_best() -> None:
    source, target = texts()
    bridge = LabelBridge.fit(source, target)
    assert len(bridge.explain(source[0], TEXTS)) == ENTRIES
    assert bridge.explain(source[0], TEXTS)[0][0] == TEXTS[0]
    differences, goals = unit_rows(source - source.mean(axis=0)), target - target.mean(axis=0)
    worth = []
    for temperature in TEMPERATURES:
        total = 0.0
        for row in range(len(source)):
            cosines = np.delete(differences @ differences[row], row)
            nearest = np.argsort(-cosines, kind="stable")[:ENTRIES]
            mean = np.exp(cosines[nearest].astype(np.float64) / temperature) @ np.delete(goals, row, axis=0)[nearest]
            total += float(mean / np.linalg.norm(mean) @ unit_rows(goals[row]))
        worth.append(total)
    assert float(bridge.temperature) == pytest.approx(TEMPERATURES[int(np.argmax(worth))])
