"""Whole trainings: they learn, hold still what is to stay, give the same bits again, and go on from where they were."""

from __future__ import annotations

import errno
import importlib.util
import subprocess
import sys
import threading
from dataclasses import replace

import numpy as np
import pytest
import torch
from learnable import AUDIO, IMAGE, TEXT, parts_that_complete_each_other, shifted_vocabulary, unit

from anyseek.adapters.maps import map_from
from anyseek.errors import BadInput, LibraryError, MissingExtra, StorageFull
from anyseek.fusion.early import Pieces
from anyseek.fusion.fitted import FittedWeights, FusionWeights
from anyseek.fusion.network import FusionNetwork, NetworkFusion
from anyseek.training import checkpoint
from anyseek.training.fitting import FitOptions, fit
from anyseek.training.problem import Edges
from anyseek.training.validation import Validation
from anyseek.types import Modality

QUICK = FitOptions(batch=16, rank=8, epochs=40)


def part(arrays, name):
    return {key.removeprefix(f"{name}."): array for key, array in arrays.items() if key.startswith(f"{name}.")}


def same(one, other):
    assert one.keys() == other.keys()
    for name in one:
        assert one[name].tobytes() == other[name].tobytes(), name


@pytest.mark.parametrize("loss", ["infonce", "sigmoid", "triplet"])
@pytest.mark.parametrize("method", ["linear", "residual"])
def test_words_are_learnt_and_captions_stay(method, loss):
    problem = shifted_vocabulary()
    fitted = fit(problem, replace(QUICK, method=method, loss=loss, anchor_weight=1.0))
    learnt = map_from(part(fitted.arrays, "map.text"))
    validation = Validation(problem, 10)
    score = validation.score(learnt.apply(problem.query_vectors), problem.target_vectors, problem.candidates.vectors)
    assert fitted.before < 0.2
    assert score.recall > 0.7
    # what numpy applies is what was validated
    assert score.recall == pytest.approx(fitted.history[fitted.best_epoch - 1].recall)
    captions = problem.anchors[TEXT]
    assert (learnt.apply(captions) * captions).sum(axis=1).mean() > {"linear": 0.75, "residual": 0.9}[method]


@pytest.mark.parametrize("anchoring", ["vectors", "ranking"])
def test_anchors_hold(anchoring):
    problem = shifted_vocabulary()
    kept = []
    for weight in (0.0, 3.0):
        fitted = fit(problem, replace(QUICK, method="linear", anchoring=anchoring, anchor_weight=weight))
        captions = problem.anchors[TEXT]
        after = map_from(part(fitted.arrays, "map.text")).apply(captions)
        stored = problem.candidates.vectors.T
        kept.append(float(((captions @ stored).argmax(axis=1) == (after @ stored).argmax(axis=1)).mean()))
    assert kept[1] > kept[0] + 0.1


def test_the_same_bits_again_whatever_the_number_of_threads():
    problem, before = shifted_vocabulary(), torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        first = fit(problem, replace(QUICK, epochs=5))
        assert torch.get_num_threads() == 2
        torch.set_num_threads(1)
        again = fit(problem, replace(QUICK, epochs=5))
    finally:
        torch.set_num_threads(before)
    same(first.arrays, again.arrays)
    assert first.history == again.history
    other = fit(problem, replace(QUICK, epochs=5, seed=1))
    assert other.arrays["map.text.up"].tobytes() != first.arrays["map.text.up"].tobytes()


@pytest.mark.parametrize("method", ["residual", "fusion"])
def test_resumed_is_uninterrupted(tmp_path, method):
    problem = parts_that_complete_each_other() if method == "fusion" else shifted_vocabulary()
    options = replace(QUICK, method=method, loss="sigmoid", epochs=7)
    whole = fit(problem, options)
    stop, path = threading.Event(), tmp_path / "a" / "training.safetensors"
    told = []

    def on_epoch(epoch):
        told.append(epoch)
        if epoch.number == 3:
            stop.set()

    half = fit(problem, options, on_epoch=on_epoch, stop=stop, checkpoint=path)
    assert half.stopped
    assert [epoch.number for epoch in half.history] == [1, 2, 3]
    rest = fit(problem, options, on_epoch=told.append, checkpoint=path, resume=True)
    assert rest.resumed
    assert not rest.stopped
    assert rest.history == whole.history == tuple(told)
    assert (rest.before, rest.best_epoch) == (whole.before, whole.best_epoch)
    same(rest.arrays, whole.arrays)
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_more_epochs_go_on_from_the_end(tmp_path):
    problem, path = shifted_vocabulary(), tmp_path / "training.safetensors"
    fit(problem, replace(QUICK, epochs=2), checkpoint=path)
    longer = fit(problem, replace(QUICK, epochs=4), checkpoint=path, resume=True)
    same(longer.arrays, fit(problem, replace(QUICK, epochs=4)).arrays)


def test_a_checkpoint_of_something_else_is_refused(tmp_path):
    problem, path = shifted_vocabulary(), tmp_path / "training.safetensors"
    options = replace(QUICK, epochs=1)
    fit(problem, options, checkpoint=path)
    with pytest.raises(BadInput, match="other pairs or settings"):
        fit(shifted_vocabulary(seed=1), options, checkpoint=path, resume=True)
    with pytest.raises(BadInput, match="other pairs or settings"):
        fit(problem, replace(options, learning_rate=0.01), checkpoint=path, resume=True)
    with pytest.raises(BadInput, match="other pairs or settings"):
        fit(problem, replace(options, drawing="by class"), checkpoint=path, resume=True)
    whole = path.read_bytes()
    for damaged in (whole[:-9] + bytes([whole[-9] ^ 1]) + whole[-8:], whole[:200], b""):
        path.write_bytes(damaged)
        with pytest.raises(BadInput, match="is damaged"):
            fit(problem, options, checkpoint=path, resume=True)
    assert not fit(problem, options, checkpoint=path).resumed  # it begins anew where it is not told to resume


def test_where_no_checkpoint_can_be_written(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(LibraryError, match="cannot be written"):
        fit(shifted_vocabulary(), replace(QUICK, epochs=1), checkpoint=tmp_path / "file" / "training.safetensors")


def test_it_ends_early_and_gives_the_best(monkeypatch):
    problem = shifted_vocabulary()
    fitted = fit(problem, replace(QUICK, epochs=200, patience=3, learning_rate=0.05))
    assert len(fitted.history) == fitted.best_epoch + 3
    assert fitted.history[fitted.best_epoch - 1].recall == max(epoch.recall for epoch in fitted.history)


def test_what_makes_nothing_better_changes_nothing():
    problem = shifted_vocabulary()
    centres = np.stack([problem.target_vectors[problem.train.target[problem.train.query == query]].mean(axis=0) for query in range(6)])
    known = replace(problem, query_vectors=unit(centres))
    fitted = fit(known, replace(QUICK, learning_rate=1.0, patience=2))
    assert fitted.best_epoch == 0
    assert (fitted.arrays["map.text.up"] == 0).all()


def test_known_wrong_answers_go_down():
    problem = replace(shifted_vocabulary(train=3), validation=Edges.none())
    train, like_its_own = problem.train, 5
    said = replace(problem, train=Edges.of([*train.query, 0], [*train.target, like_its_own], [True] * 18 + [False]))
    cosines = []
    for each in (problem, said):
        learnt = map_from(part(fit(each, replace(QUICK, epochs=20, anchor_weight=0.0, learning_rate=0.02)).arrays, "map.text"))
        cosines.append(float(learnt.apply(each.query_vectors)[0] @ each.target_vectors[like_its_own]))
    assert cosines[1] < cosines[0] - 0.05


def test_a_map_of_what_is_stored_too():
    problem = replace(shifted_vocabulary(), mapped=(TEXT, IMAGE))
    fitted = fit(problem, replace(QUICK, side="both", anchor_weight=0.1, anchoring="ranking"))
    maps = {of: map_from(part(fitted.arrays, f"map.{of.value}")) for of in (TEXT, IMAGE)}
    score = Validation(problem, 10).score(
        maps[TEXT].apply(problem.query_vectors),
        maps[IMAGE].apply(problem.target_vectors),
        maps[IMAGE].apply(problem.candidates.vectors),
    )
    assert score.recall == pytest.approx(fitted.history[fitted.best_epoch - 1].recall)
    assert score.recall > 0.7
    assert np.abs(fitted.arrays["map.image.up"]).max() > 0


def test_a_modality_of_which_there_are_no_pairs_has_no_map():
    problem = replace(shifted_vocabulary(), mapped=(TEXT, AUDIO))
    assert {name.split(".")[1] for name in fit(problem, replace(QUICK, epochs=1)).arrays} == {"text"}
    with pytest.raises(BadInput, match="of a kind that is mapped"):
        fit(replace(problem, mapped=(AUDIO,)), QUICK)


def test_a_fusion_learns_what_completes_what():
    problem = parts_that_complete_each_other()
    fitted = fit(problem, FitOptions(method="fusion", rank=16, batch=64, recall_at=12))
    parts, asked = problem.query_parts, Validation(problem, 12)
    network = NetworkFusion({"": FusionNetwork.from_arrays(part(fitted.arrays, "network"))})
    weights = FittedWeights({"": FusionWeights({Modality(of): float(share) for of, share in part(fitted.arrays, "weights").items()})})
    joined = {}
    for method in (network, weights):
        rows = [np.flatnonzero(parts.owner == query) for query in asked.queries]
        pieces = [Pieces(parts.vectors[mine], (1.0, 1.0), tuple(parts.modalities[each] for each in mine)) for mine in rows]
        joined[method.name] = asked.score(np.stack([method.fuse(each).vector for each in pieces]), problem.target_vectors, None).recall
    texts = asked.score(parts.vectors[parts.owner * 2 == np.arange(len(parts.owner))][asked.queries], problem.target_vectors, None).recall
    assert joined["network"] == pytest.approx(fitted.history[fitted.best_epoch - 1].recall)
    assert joined["network"] > max(fitted.before, joined["weighted"]) + 0.05
    assert joined["weighted"] > fitted.before + 0.02
    assert joined["network"] > texts
    assert fitted.arrays["weights.text"] > 0.7
    assert sum(float(share) for share in part(fitted.arrays, "weights").values()) == pytest.approx(1, abs=1e-6)


def test_what_draws_and_changes_batches():
    problem, seen = shifted_vocabulary(), []

    def draw(chance):
        yield chance.permutation(len(problem.train))[:5]

    def augment(queries, targets, positives, chance):
        seen.append((queries.shape[1], targets.shape, positives.shape))
        return queries, unit(targets + 0.01 * chance.standard_normal(targets.shape))

    fitted = fit(problem, replace(QUICK, epochs=3), draw=draw, augment=augment)
    again = fit(problem, replace(QUICK, epochs=3), draw=draw, augment=augment)
    same(fitted.arrays, again.arrays)
    assert [(dim, targets[0], positives[1]) for dim, targets, positives in seen] == [(24, 5, 5)] * 6


def test_options_that_do_not_go_together():
    with pytest.raises(BadInput, match="ridge"):
        FitOptions(method="residual", loss="ridge")
    with pytest.raises(BadInput, match="ridge"):
        FitOptions(method="linear", loss="ridge", side="both")
    with pytest.raises(BadInput, match="several parts"):
        fit(shifted_vocabulary(), FitOptions(method="fusion"))


def test_without_torch_only_ridge_can_be_learnt(monkeypatch):
    monkeypatch.setattr("anyseek.training.fitting.find_spec", lambda name: None if name == "torch" else importlib.util.find_spec(name))
    assert fit(shifted_vocabulary(), FitOptions(method="linear", loss="ridge")).arrays
    with pytest.raises(MissingExtra, match=r"anyseek\[train\]"):
        fit(shifted_vocabulary(), QUICK)


def test_importing_loads_no_torch():
    code = "import sys, anyseek.training.fitting; assert not {'torch', 'safetensors'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_full_disk_is_called_one(tmp_path, monkeypatch):
    def full(path, content):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(checkpoint, "_write", full)
    with pytest.raises(StorageFull, match="no room left on the disk"):
        fit(shifted_vocabulary(), replace(QUICK, epochs=1), checkpoint=tmp_path / "training.safetensors")
