"""A training from its pairs to what searches find by it, in a library whose vectors a person can compute."""

from __future__ import annotations

import json
import threading
import wave
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fakes import WORDS, ColourEncoder
from PIL import Image

from anyseek import Library
from anyseek.adapters.store import AdapterStore
from anyseek.calibrating import replace_captions
from anyseek.errors import AdapterMismatch, BadInput, LibraryLocked, MissingExtra
from anyseek.evaluation.formats import read_queries
from anyseek.search.references import Reference
from anyseek.storage.lock import WriterLock
from anyseek.training import Balancing, TrainOptions, course, train
from anyseek.training.judge import judge
from anyseek.training.lesson import lesson_of
from anyseek.training.pairs import Pair
from anyseek.types import Modality

CHANNELS = {"blick": 1, "toma": 2, "wug": 0}
"""Words of different lengths, which the encoder does not know, for pictures that are mostly red, green or blue."""
EACH = 16


def shade(word: str, number: int) -> tuple[int, int, int]:
    """Colours of a class that are not nearly the same: its own channel is full, the others vary."""
    chance = np.random.default_rng([CHANNELS[word], number])
    mixed = chance.integers(0, 170, 3)
    mixed[CHANNELS[word]] = 255
    return tuple(mixed.tolist())  # type: ignore[return-value]


@pytest.fixture(scope="module")
def media(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("media")
    rows = ["text,asset"]
    for word in CHANNELS:
        for number in range(EACH):
            Image.new("RGB", (32, 32), shade(word, number)).save(folder / f"{word[0]}{number:02}.png")
            rows.append(f"{word},{word[0]}{number:02}.png")
    (folder / "words.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return folder


@pytest.fixture
def library(tmp_path: Path, media: Path) -> Iterator[Library]:
    with Library.open(tmp_path / "library", encoder=ColourEncoder()) as library:
        library.index(media)
        replace_captions(library, [f"{one} {other}" for one in WORDS for other in WORDS])  # queries that are not to move
        yield library


QUICK = TrainOptions(method="linear", loss="ridge", take_from=())


def test_what_is_better_is_switched_on_found_by_searches_and_taken_away(library: Library, media: Path) -> None:
    report = train(library, media / "words.csv", options=QUICK)
    assert report.verdict is not None
    assert report.judgement is not None
    assert (report.switched_on, report.verdict.passed, report.name, report.loss) == (True, True, "linear", "ridge")
    assert report.judgement.overall.after.means["recall@10"] > report.judgement.overall.before.means["recall@10"]
    adapter = AdapterStore(library.folder).read("linear")
    assert report.path is not None
    assert report.path.is_file()
    assert adapter.card.metrics["held_out"]["after"] == round(report.judgement.overall.after.means[report.verdict.measure], 4)
    assert adapter.card.data["parts"] == dict(report.data.parts)
    assert adapter.card.seed == 0
    found = [hit.path.name[0] for hit in library.search("wug", min_relevance=0, limit=8)]
    assert found == ["w"] * 8
    assert library.rollback_adapter().before == "linear"
    assert [hit.path.name[0] for hit in library.search("wug", min_relevance=0, limit=8)] != found


def test_judgement_is_that_of_brute_force(library: Library, media: Path) -> None:
    """Places of the held-out pictures by plain loops over all pictures but those that the word was taught with."""
    report = train(library, media / "words.csv", options=QUICK)
    assert report.judgement is not None
    lesson = lesson_of(library, QUICK, [media / "words.csv"], (), lambda *told: None)
    adapter = library.adapter("linear")
    ids = library.catalog.live_embeddings(lesson.space.id)
    vectors, rows = library.catalog.vectors(ids), library.catalog.segments_of(ids)
    examples, parts = lesson.examples, lesson.parts
    for word in CHANNELS:
        query = adapter.maps["text"].apply(library.spaces.encoder(lesson.space.row).encode_text([word]))[0]  # type: ignore[index]
        (asked,) = [row for row, known in enumerate(examples.queries) if known.label == word]
        contents = {name: set() for name in ("learnt", "test")}
        for edge in np.flatnonzero(examples.query_of == asked).tolist():
            name = "test" if parts.test[edge] else "learnt"
            contents[name].add(examples.targets[int(examples.target_of[edge])].content_id)
        scores = {row.content_id: float(vector @ query) for row, vector in zip(rows, vectors, strict=True)}
        ranking = sorted((content for content in scores if content not in contents["learnt"]), key=lambda one: (-scores[one], one))
        share = np.mean([ranking.index(content) < 10 for content in contents["test"]])
        (judged,) = [each for each in report.judgement.classes if each.name == word]
        assert judged.after.means["recall@10"] == pytest.approx(share)
        assert judged.answers == len(contents["test"])


def test_nothing_that_judges_is_seen_in_training(library: Library, media: Path) -> None:
    lesson = lesson_of(library, QUICK, [media / "words.csv"], (), lambda *told: None)
    problem, examples, tested = lesson.subject().problem, lesson.examples, lesson.parts.test
    held = {examples.target_vectors[row].tobytes() for row in examples.target_of[tested].tolist()}
    seen = [problem.target_vectors] + ([problem.candidates.vectors] if problem.candidates is not None else [])
    assert held
    assert not held & {row.tobytes() for rows in seen for row in rows}
    groups = {name: set(examples.groups[examples.target_of[mask]].tolist()) for name, mask in (("test", tested), ("rest", ~tested))}
    assert not groups["test"] & groups["rest"]


def test_a_dry_run_writes_nothing(library: Library, media: Path) -> None:
    before = sorted(library.path.rglob("*"))
    report = train(library, media / "words.csv", Pair("wug", Reference(media / "gone.png")), options=replace(QUICK, dry_run=True))
    assert (report.dry_run, report.judgement, report.verdict) == (True, None, None)
    assert report.data.pairs == len(CHANNELS) * EACH
    assert report.data.classes == dict.fromkeys(sorted(CHANNELS), EACH)
    assert sum(report.data.parts.values()) == report.data.pairs
    assert report.data.left_out["of files that the library does not hold"] == 1
    assert sorted(library.path.rglob("*")) == before


def test_what_is_not_better_is_kept_and_not_switched_on(library: Library, media: Path, tmp_path: Path) -> None:
    """Words at random: there is nothing to be learnt."""
    chance = np.random.default_rng(1)
    names = [f"{word[0]}{number:02}.png" for word in CHANNELS for number in range(EACH)]
    pairs = [Pair(word, Reference(media / name)) for name, word in zip(names, chance.choice(["dax", "blick"], len(names)), strict=True)]
    report = train(library, *pairs, options=QUICK)
    assert report.verdict is not None
    assert not report.switched_on
    assert "not surely better" in report.verdict.reason
    assert [(known.name, known.state) for known in library.adapters()] == [("linear", "off")]
    again = train(library, *pairs, options=QUICK)
    assert again.name == "linear-2"
    with pytest.raises(BadInput, match="there is an adapter called 'linear' already"):
        train(library, *pairs, options=replace(QUICK, name="linear"))


def test_too_few_pairs_say_how_many_are_needed(library: Library, media: Path) -> None:
    few = [Pair("wug", Reference(media / f"w{number:02}.png")) for number in range(8)]
    with pytest.raises(BadInput, match=r"8 pairs are too few: .* give 40 pairs or more"):
        train(library, *few, options=QUICK)


def test_an_interrupted_training_goes_on_and_ends_as_if_it_had_not_been(library: Library, media: Path) -> None:
    options = TrainOptions(method="residual", loss="infonce", epochs=6, name="one")
    stop = threading.Event()
    stopped = train(
        library, media / "words.csv", options=options, on_epoch=lambda epoch: stop.set() if epoch.number == 2 else None, stop=stop
    )
    assert (stopped.interrupted, len(stopped.epochs), stopped.judgement) == (True, 2, None)
    assert library.adapters() == []
    checkpoint = library.folder.trainings / "one.safetensors"
    assert checkpoint.is_file()
    with pytest.raises(BadInput, match="is of other pairs or settings"):
        train(library, media / "words.csv", options=replace(options, seed=1, resume=True))
    went_on = train(library, media / "words.csv", options=replace(options, resume=True))
    assert went_on.resumed
    assert not checkpoint.exists()
    whole = train(library, media / "words.csv", options=replace(options, name="two"))
    assert [epoch.loss for epoch in went_on.epochs] == [epoch.loss for epoch in whole.epochs]
    one, two = (library.adapter(name) for name in ("one", "two"))
    assert one.digest == two.digest


def test_a_name_that_was_taken_meanwhile_costs_no_training(library: Library, media: Path) -> None:
    options = TrainOptions(method="linear", loss="infonce", epochs=1, name="one")
    first: list[str] = []

    def take_the_name(epoch: object) -> None:
        first.append(train(library, media / "words.csv", options=replace(options, seed=1)).name)

    second = train(library, media / "words.csv", options=options, on_epoch=take_the_name)
    assert (first, second.name) == (["one"], "one-2")
    assert second.path is not None
    assert second.path.name == "one-2.safetensors"
    assert any("has taken the name one meanwhile" in note for note in second.notes)
    assert {known.name for known in library.adapters()} == {"one", "one-2"}


def test_resuming_what_was_not_begun_says_so(library: Library, media: Path) -> None:
    stop = threading.Event()
    stop.set()
    options = TrainOptions(method="linear", loss="infonce", resume=True)
    report = train(library, media / "words.csv", options=options, stop=stop)
    assert (report.interrupted, report.resumed, report.epochs) == (True, False, ())
    assert report.notes == (course.NOTHING_TO_RESUME,)


def test_feedback_that_is_off_is_told_as_such(library: Library, media: Path) -> None:
    with pytest.raises(BadInput, match=r"0 pairs are too few \(no feedback was recorded, for it is off: switch it on"):
        train(library, options=TrainOptions(take_from=("feedback",)))
    library.enable_feedback()
    report = train(library, media / "words.csv", options=TrainOptions(take_from=("feedback",), dry_run=True))
    assert report.notes == ("no feedback was recorded",)


def test_a_seed_below_zero_is_refused() -> None:
    with pytest.raises(BadInput, match="a seed is a whole number from 0 on"):
        TrainOptions(seed=-1)


def test_unrelated_queries_count_where_they_are_given(library: Library, media: Path, tmp_path: Path) -> None:
    asked = [{"id": "red", "kind": "text", "target": "image", "query": "red", "relevant": [{"path": "w00.png"}]}]
    asked += [{"id": "wugs", "kind": "image", "target": "image", "query": "w00.png", "relevant": [{"path": "w01.png"}]}]
    (media / "general.json").write_text(json.dumps({"version": 1, "queries": asked}), encoding="utf-8")
    report = train(library, media / "words.csv", options=QUICK, general=read_queries(media / "general.json"))
    assert report.judgement is not None
    assert report.judgement.general is not None
    assert report.judgement.general.queries == 1
    assert report.verdict is not None
    assert "1 unrelated queries" in report.verdict.reason


def test_what_is_missing_or_taken_is_said_before_any_work(library: Library, media: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with WriterLock(library.folder, "indexing"), pytest.raises(LibraryLocked):
        train(library, media / "words.csv", options=QUICK)
    monkeypatch.setattr(course, "find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match="torch is not installed: run  pip install 'anyseek\\[train\\]'"):
        train(library, media / "words.csv")
    with pytest.raises(BadInput, match="no method is called 'magic'"):
        TrainOptions(method="magic")  # type: ignore[arg-type]
    with pytest.raises(BadInput, match="a bridge leads from one space to another"):
        TrainOptions(method="bridge")


def test_a_fusion_is_judged_by_questions_of_words_and_an_answer(library: Library, media: Path) -> None:
    report = train(library, media / "words.csv", options=TrainOptions(method="fusion", epochs=5, balancing=Balancing()))
    assert report.judgement is not None
    assert {each.name for each in report.judgement.pairs} == {"image alone → image", "text alone → image", "text+image → image"}
    lesson = lesson_of(library, TrainOptions(method="fusion"), [media / "words.csv"], (), lambda *told: None)
    subject = lesson.subject()
    questions, vectors = subject.alone()
    alone = judge(questions, vectors, subject.found(None))
    assert len(alone) == 2 * len(subject.questions)
    joined = subject.asked(None)
    expected = vectors[0::2] + vectors[1::2]
    np.testing.assert_allclose(joined, expected / np.linalg.norm(expected, axis=1, keepdims=True), atol=1e-6)
    assert all(not set(question.right) & question.passed_over for question in subject.questions)


def test_both_sides_make_a_space_of_their_own(library: Library, media: Path) -> None:
    report = train(library, media / "words.csv", options=TrainOptions(method="linear", side="both", epochs=5))
    assert report.name == "linear-both"
    library.use_adapter("linear-both")
    assert [row.space.spec for row in library.catalog.spaces("serving")] == ["adapted:linear-both"]
    with pytest.raises(BadInput, match="was made by an adapter itself"):
        train(library, media / "words.csv", options=QUICK)


def test_what_was_taught_to_one_model_does_not_fit_another(library: Library, media: Path) -> None:
    assert train(library, media / "words.csv", options=QUICK).switched_on
    library.index(media, model=ColourEncoder(version="2"))
    (known,) = library.adapters()
    assert (known.name, known.state) == ("linear", "does not fit")
    assert "train it again" in known.reason
    with pytest.raises(AdapterMismatch, match="the adapter 'linear' does not fit"):
        library.use_adapter("linear")
    again = train(library, media / "words.csv", options=QUICK)
    assert (again.name, again.switched_on) == ("linear-2", True)


def tones(path: Path, powers: np.ndarray) -> None:
    """A second of sound with these shares of power below 500 Hz, below 2 kHz and above."""
    times = np.arange(8000) / 8000
    waves = [np.sqrt(power) * np.sin(2 * np.pi * hertz * times) for power, hertz in zip(powers, (200, 1000, 3000), strict=True)]
    samples = np.sum(waves, axis=0)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes((samples / np.abs(samples).max() * 30000).astype("<i2").tobytes())


def test_a_bridge_learns_what_goes_together(tmp_path: Path) -> None:
    """Red pictures go with high tones here, and blue ones with low: the captions' bridge says the opposite."""
    folder = tmp_path / "media"
    folder.mkdir()
    pairs = []
    for word, channel in CHANNELS.items():
        for number in range(EACH):
            Image.new("RGB", (32, 32), shade(word, number)).save(folder / f"{word}{number}.png")
            powers = np.random.default_rng([channel, number, 1]).uniform(0, 0.45, 3)
            powers[2 - channel] = 1
            tones(folder / f"{word}{number}.wav", powers)
            pairs += [Pair(word, Reference(folder / f"{word}{number}{suffix}")) for suffix in (".png", ".wav")]
    eyes = ColourEncoder("eyes", modalities=frozenset({Modality.TEXT, Modality.IMAGE}))
    ears = ColourEncoder("ears", modalities=frozenset({Modality.TEXT, Modality.AUDIO}))
    with Library.open(tmp_path / "library", encoder=[eyes, ears]) as library:
        library.index(folder)
        report = train(library, *pairs, options=TrainOptions(method="bridge", space="eyes", to="ears"))
        assert report.judgement is not None
        assert (report.switched_on, report.space, report.target, report.name) == (True, "eyes", "ears", "bridge")
        assert {each.name for each in report.judgement.pairs} == {"image → audio"}
        assert report.judgement.overall.after.means["mAP"] > report.judgement.overall.before.means["mAP"] + 0.3
        card = library.adapter("bridge").card
        assert card.target is not None
        assert (card.modalities, card.target.spec) == ((Modality.IMAGE,), "ears")
        answer = library.search(like=folder / "wug0.png", kinds="audio", min_relevance=0, limit=5)
        assert [hit.path.name[:3] for hit in answer] == ["wug"] * 5
        with pytest.raises(BadInput, match="and both must serve"):
            train(library, *pairs, options=TrainOptions(method="bridge", space="eyes", to="eyes"))
        with pytest.raises(BadInput, match="several models serve: say with --space"):
            train(library, *pairs)
