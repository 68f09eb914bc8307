"""Tagging runs over contents with known vectors, scored by bare cosines: a relevance is (1 + cosine) / 2."""

import threading
from pathlib import Path

import numpy as np
import pytest
from fakes import ColourEncoder, MovementEncoder
from shelf import Shelf, unit

from anyseek.errors import BadInput, UnsupportedModality
from anyseek.filters import parse
from anyseek.search.relevance import PlainCosine
from anyseek.search.vocabulary import Vocabulary
from anyseek.tagging import selection
from anyseek.tagging.removal import remove_tags
from anyseek.tagging.report import Stretch, Tag, TagOptions
from anyseek.tagging.tagger import Tagger
from anyseek.tagging.vocabulary import TagVocabulary
from anyseek.types import AnnotationType, Kind, Modality, Segment

RED, GREEN, BLUE, DARK, *_ = np.eye(8, dtype=np.float32)
COLOURS = TagVocabulary.parse("colours.txt", "[seen: seen]\nrose = red\nleaf = green\nsky = blue\n[heard: heard]\nhum = low\nhiss = high\n")
PICTURE = Segment(Modality.IMAGE)


def seen(start_ms, end_ms):
    return Segment(Modality.IMAGE, start_ms, end_ms, start_ms)


def heard(start_ms, end_ms):
    return Segment(Modality.AUDIO, start_ms, end_ms)


@pytest.fixture
def shelf(tmp_path):
    shelf = Shelf(tmp_path / "library")
    yield shelf
    shelf.catalog.close()


def tagger(shelf, vocabulary=COLOURS, **options):
    return Tagger(shelf.catalog, shelf.search_spaces(), PlainCosine(), vocabulary, TagOptions(**{"min_relevance": 0.8} | options))


def told(report):
    """Names and tags with their confidences, to two places."""
    return {asset.path.name: {tag.text: round(tag.confidence, 2) for tag in asset.tags} for asset in report.assets}


def stored(shelf, content_id):
    found = shelf.catalog.annotations([content_id], of=AnnotationType.TAG).get(content_id, [])
    return [(one.origin, one.text, one.start_ms, one.end_ms, one.confidence) for one in found]


def test_pictures_are_tagged_by_their_relevance_and_by_nothing_that_is_only_heard(shelf):
    leaning = unit(np.array([0.8, 0.6, 0, 0, 0, 0, 0, 0]))
    red, both, dark = (
        shelf.put(name, Kind.IMAGE, (PICTURE, vector)) for name, vector in (("red.png", RED), ("both.png", leaning), ("dark.png", DARK))
    )
    report = tagger(shelf).run()
    assert told(report) == {"red.png": {"rose": 1.0}, "both.png": {"rose": 0.9}, "dark.png": {}}
    assert stored(shelf, red) == [("colours.txt/colour", "rose", 0, 0, pytest.approx(1.0, abs=1e-3))]
    assert [row[1:4] for row in stored(shelf, both)] == [("rose", 0, 0)]
    assert stored(shelf, both)[0][4] == pytest.approx(0.9, abs=1e-3)
    assert stored(shelf, dark) == []
    assert report.counts == {"rose": 2}


def test_near_rivals_hold_together_until_there_are_too_many_tags(shelf):
    shelf.put("both.png", Kind.IMAGE, (PICTURE, unit(RED + 0.95 * GREEN)))
    assert told(tagger(shelf, dry_run=True).run()) == {"both.png": {"rose": 0.86, "leaf": 0.84}}
    assert told(tagger(shelf, dry_run=True, max_tags=1).run()) == {"both.png": {"rose": 0.86}}


def test_a_film_has_its_tags_where_they_hold(shelf):
    film = shelf.put(
        "film.mp4",
        Kind.VIDEO,
        (seen(0, 2000), RED),
        (seen(2000, 4000), RED),
        (seen(4000, 6000), DARK),
        (seen(6000, 9000), unit(np.array([0.9, 0, 0, 0.4359, 0, 0, 0, 0]))),
        (heard(0, 3000), DARK),
        (heard(3000, 6000), BLUE),
    )
    (asset,) = tagger(shelf).run().assets
    assert [tag.text for tag in asset.tags] == ["hiss", "rose"]
    hiss, rose = asset.tags
    assert hiss == Tag("hiss", pytest.approx(1.0, abs=1e-3), (Stretch(3000, 6000, pytest.approx(1.0, abs=1e-3)),))
    assert [(at.start_ms, at.end_ms, round(at.confidence, 2)) for at in rose.stretches] == [(0, 4000, 1.0), (6000, 9000, 0.95)]
    assert [row[1:4] for row in stored(shelf, film)] == [("hiss", 3000, 6000), ("rose", 0, 4000), ("rose", 6000, 9000)]


def test_a_label_that_is_seen_and_heard_is_one_tag(shelf):
    vocabulary = TagVocabulary.parse("v.txt", "[a: seen]\nrain = red\n[b: heard]\nrain = high\n")
    shelf.put("film.mp4", Kind.VIDEO, (seen(0, 2000), RED), (heard(5000, 8000), BLUE))
    (asset,) = tagger(shelf, vocabulary).run().assets
    assert [(tag.text, [(at.start_ms, at.end_ms) for at in tag.stretches]) for tag in asset.tags] == [("rain", [(0, 2000), (5000, 8000)])]


def test_nothing_is_done_twice_until_something_changes(shelf):
    red = shelf.put("red.png", Kind.IMAGE, (PICTURE, RED))
    (encoder,) = shelf.encoders
    assert [asset.unchanged for asset in tagger(shelf).run().assets] == [False]
    asked = encoder.encoded[Modality.TEXT]
    again = tagger(shelf).run()
    assert ([asset.unchanged for asset in again.assets], told(again)) == ([True], {"red.png": {"rose": 1.0}})
    assert encoder.encoded[Modality.TEXT] == asked
    shelf.put("green.png", Kind.IMAGE, (PICTURE, GREEN))
    assert {asset.path.name: asset.unchanged for asset in tagger(shelf).run().assets} == {"green.png": False, "red.png": True}
    assert [asset.unchanged for asset in tagger(shelf, redo=True).run().assets] == [False, False]
    assert [asset.unchanged for asset in tagger(shelf, max_tags=2).run().assets] == [False, False]
    other = TagVocabulary.parse("colours.txt", "[seen: seen]\ncherry = red\n")
    assert told(tagger(shelf, other).run()) == {"green.png": {}, "red.png": {"cherry": 1.0}}
    assert [row[1] for row in stored(shelf, red)] == ["cherry"]


def test_a_content_with_new_vectors_is_tagged_again(shelf):
    shelf.put("film.mp4", Kind.VIDEO, (seen(0, 2000), RED))
    assert told(tagger(shelf).run()) == {"film.mp4": {"rose": 1.0}}
    shelf.put("film.mp4", Kind.VIDEO, (seen(0, 2000), RED), (seen(2000, 4000), GREEN))
    assert told(tagger(shelf).run()) == {"film.mp4": {"leaf": 1.0, "rose": 1.0}}


def test_what_was_joined_of_other_vectors_is_no_new_vector_and_has_no_tags(shelf):
    film = shelf.put("film.mp4", Kind.VIDEO, (seen(0, 2000), RED))
    assert told(tagger(shelf).run()) == {"film.mp4": {"rose": 1.0}}
    with shelf.catalog.transaction() as writer:
        writer.add_embeddings(film, shelf.space.id, [(Segment(Modality.WHOLE, 0, 2000, 1000), GREEN)])
    again = tagger(shelf).run()
    assert ([asset.unchanged for asset in again.assets], told(again)) == ([True], {"film.mp4": {"rose": 1.0}})
    assert told(tagger(shelf, redo=True).run()) == {"film.mp4": {"rose": 1.0}}


def test_only_tags_of_the_same_vocabulary_are_replaced_and_removed(shelf):
    red = shelf.put("red.png", Kind.IMAGE, (PICTURE, RED))
    other = TagVocabulary.parse("fruit.txt", "[seen: seen]\ncherry = red\n")
    tagger(shelf, other).run()
    tagger(shelf).run()
    assert [row[:2] for row in stored(shelf, red)] == [("fruit.txt/colour", "cherry"), ("colours.txt/colour", "rose")]
    report = remove_tags(shelf.catalog, "fruit.txt", [], TagOptions(dry_run=True))
    assert (report.removed, told(report), len(stored(shelf, red))) == (1, {"red.png": {"cherry": 1.0}}, 2)
    assert remove_tags(shelf.catalog, "fruit.txt", [], TagOptions()).removed == 1
    assert [row[1] for row in stored(shelf, red)] == ["rose"]
    assert [asset.unchanged for asset in tagger(shelf, other).run().assets] == [False]
    assert [asset.unchanged for asset in tagger(shelf).run().assets] == [True]


def test_a_dry_run_writes_nothing(shelf):
    red = shelf.put("red.png", Kind.IMAGE, (PICTURE, RED))
    version = shelf.catalog.version()
    report = tagger(shelf, dry_run=True).run()
    assert (report.dry_run, told(report)) == (True, {"red.png": {"rose": 1.0}})
    assert (stored(shelf, red), shelf.catalog.version()) == ([], version)
    tagger(shelf).run()
    assert [asset.unchanged for asset in tagger(shelf, dry_run=True).run().assets] == [True]
    assert [asset.unchanged for asset in tagger(shelf, dry_run=True, redo=True).run().assets] == [False]


def test_paths_and_conditions_choose_the_files(shelf):
    for name in ("a/red.png", "a/b/red.png", "ab/red.jpg"):
        shelf.put(name, Kind.IMAGE, (PICTURE, RED))
    shelf.copy(shelf.put("green.png", Kind.IMAGE, (PICTURE, GREEN)), "a/copy.png")
    root = shelf.source.root

    def chosen(*paths, **options):
        run = tagger(shelf, dry_run=True, **options).run([root / path for path in paths])
        return [asset.path.relative_to(root).as_posix() for asset in run.assets]

    assert chosen("a") == ["a/b/red.png", "a/copy.png", "a/red.png"]
    assert chosen("a/b", "green.png") == ["a/b/red.png", "green.png"]
    assert chosen(where=parse("ext:jpg")) == ["ab/red.jpg"]
    assert chosen("a", where=parse("ext:jpg")) == []
    assert len(chosen(".")) == 5
    with pytest.raises(BadInput, match=r"nothing in the library lies at .*/a/red: run  anyseek index"):
        chosen("a", "a/red")


def test_pieces_are_written_one_by_one_and_a_stopped_run_is_gone_on_with(shelf, monkeypatch):
    monkeypatch.setattr(selection, "CHUNK_ROWS", 2)
    for number in range(6):
        shelf.put(f"{number}.png", Kind.IMAGE, (PICTURE, RED))
    stop, heard_of = threading.Event(), []

    def on_tagging(done, total):
        heard_of.append((done, total))
        stop.set()

    report = tagger(shelf).run(stop=stop, on_tagging=on_tagging)
    done = len(report.assets)
    assert report.interrupted
    assert heard_of == [(done, 6)]
    assert 0 < done < 6
    assert len(shelf.catalog.tags_of(range(1, 7))) == done
    rest = tagger(shelf).run()
    assert not rest.interrupted
    assert sum(asset.unchanged for asset in rest.assets) == done
    assert len(shelf.catalog.tags_of(range(1, 7))) == 6


def test_scores_in_blocks_are_the_same_as_at_once(shelf, monkeypatch):
    from anyseek.tagging import tagger as module

    rows = np.random.default_rng(0).normal(size=(60, 8))
    shelf.put("film.mp4", Kind.VIDEO, *((seen(1000 * i, 1000 * (i + 1)), unit(row)) for i, row in enumerate(rows)))
    whole = tagger(shelf, dry_run=True, min_relevance=0.6).run().assets
    monkeypatch.setattr(module, "MOST_SCORES", 7 * len(COLOURS.labels))
    assert tagger(shelf, dry_run=True, min_relevance=0.6).run().assets == whole
    assert whole[0].tags


def test_every_space_is_asked_and_the_best_of_all_are_kept(tmp_path):
    shelf = Shelf(tmp_path / "library", ColourEncoder("eye"), ColourEncoder("ear"))
    with shelf.catalog:
        film = shelf.put("film.mp4", Kind.VIDEO, (seen(0, 2000), unit(RED + 0.2 * DARK)))
        shelf.put("film.mp4", Kind.VIDEO, (heard(0, 3000), BLUE), space=1)
        assert told(tagger(shelf).run()) == {"film.mp4": {"hiss": 1.0, "rose": 0.99}}
        assert [row[:2] for row in stored(shelf, film)] == [("colours.txt/ear", "hiss"), ("colours.txt/eye", "rose")]
        assert told(tagger(shelf, max_tags=1).run()) == {"film.mp4": {"hiss": 1.0}}
        assert [row[:2] for row in stored(shelf, film)] == [("colours.txt/ear", "hiss")]
        eye, ear = shelf.encoders
        assert (eye.encoded[Modality.TEXT], ear.encoded[Modality.TEXT]) == (2 * 3, 2 * 2)  # labels for what they hold alone


def test_a_space_without_text_is_named_and_none_at_all_is_refused(tmp_path):
    blind = MovementEncoder(modalities=frozenset({Modality.VIDEO}))
    shelf = Shelf(tmp_path / "library", ColourEncoder(), blind)
    with shelf.catalog:
        shelf.put("red.png", Kind.IMAGE, (PICTURE, RED))
        report = tagger(shelf).run()
        assert report.notes == ["movement was not asked, for it understands no text"]
        assert report.spaces == ("colour",)
        with pytest.raises(UnsupportedModality, match="'movement' does not understand text"):
            Tagger(shelf.catalog, shelf.search_spaces()[1:], PlainCosine(), COLOURS, TagOptions())


def test_tags_by_a_model_that_serves_no_more_are_told_of(shelf):
    shelf.put("red.png", Kind.IMAGE, (PICTURE, RED))
    tagger(shelf).run()
    shelf.encoders = (ColourEncoder("newer"),)
    shelf.spaces = [shelf.catalog.add_space(shelf.encoders[0].space, "serving")]
    shelf.put("red.png", Kind.IMAGE, (PICTURE, RED))
    assert tagger(shelf).run().notes == ["there are tags by colour, too: anyseek tag --remove  removes all of colours.txt"]


def test_a_label_that_an_encoder_does_not_take_is_refused_before_anything_is_written(shelf):
    red = shelf.put("red.png", Kind.IMAGE, (PICTURE, RED))
    wordy = TagVocabulary.parse("wordy.txt", "rose = red\nlong = " + "so " * 40)
    with pytest.raises(BadInput, match=r"colour does not take what wordy\.txt asks: the text has 40 words"):
        tagger(shelf, wordy).run()
    assert stored(shelf, red) == []


def test_options_that_make_no_sense():
    for options, complaint in (({"min_relevance": 0.0}, "relevance of 0.0"), ({"min_relevance": 1.0}, "1.0"), ({"max_tags": 0}, "0 tags")):
        with pytest.raises(BadInput, match=complaint):
            TagOptions(**options)


def test_the_name_of_a_file_alone_says_whose_tags_are_removed(shelf, tmp_path):
    shelf.put("red.png", Kind.IMAGE, (PICTURE, RED))
    tagger(shelf).run()
    assert remove_tags(shelf.catalog, Path("elsewhere/colours.txt").name, [tmp_path / "red.png"], TagOptions()).removed == 1


def test_where_nothing_is_chosen_nothing_is_tagged_or_removed(shelf):
    assert tagger(shelf).run().assets == []
    shelf.put("red.png", Kind.IMAGE, (PICTURE, RED))
    assert tagger(shelf, where=parse("path:nowhere")).run().assets == []
    assert remove_tags(shelf.catalog, "nobody's.txt", [], TagOptions()).removed == 0


def test_what_was_tagged_by_other_scores_is_tagged_again(shelf):
    shelf.put("red.png", Kind.IMAGE, (PICTURE, RED))
    tagger(shelf).run()
    with shelf.catalog.transaction() as writer:
        writer.put_setting("captions", Vocabulary.of([f"caption {number}" for number in range(30)]).to_setting())
    assert [asset.unchanged for asset in tagger(shelf).run().assets] == [False]
    assert [asset.unchanged for asset in tagger(shelf).run().assets] == [True]
