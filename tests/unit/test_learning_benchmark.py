from __future__ import annotations

import csv
import hashlib
from pathlib import Path

import numpy as np
import pytest

from benchmarks.learning_media import kin_names, product_names, recorded
from benchmarks.learning_runs import Asked
from benchmarks.learning_tasks import Plan, general_queries, long_tail, make_archive

DATA = Path(__file__).parents[2] / "data"


def test_names_mean_nothing_are_all_different_and_the_same_every_time() -> None:
    names = product_names(500, 3)
    assert len(set(names)) == 500
    assert names == product_names(500, 3)
    assert names[:5] == product_names(5, 3)
    assert names != product_names(500, 4)
    assert all(name.isalpha() and name.istitle() for name in names)


def test_kin_share_the_first_word_and_no_two_share_both() -> None:
    names = kin_names(30, 3, 6)
    assert len(set(names)) == 30
    families = [name.split()[0] for name in names]
    assert sorted(map(families.count, set(families))) == [5] * 6
    assert names == kin_names(30, 3, 6) != kin_names(30, 4, 6)


def test_a_long_tail_is_one_to_a_hundred_and_falls_by_the_same_share() -> None:
    counts = long_tail(30)
    assert (counts[0], counts[-1]) == (100, 1)
    assert list(counts) == sorted(counts, reverse=True)
    assert long_tail(3) == (100, 10, 1)


def test_an_archive_is_made_alike_each_time_and_no_file_of_it_twice(tmp_path: Path) -> None:
    plan = Plan(photos=2, sounds=1, taught=(3, 1), held=2, seed=5)
    archive = make_archive(DATA / "demo", tmp_path / "one", plan)
    again = make_archive(DATA / "demo", tmp_path / "two", plan)
    files = sorted(path for path in archive.root.rglob("*.*"))
    digests = [hashlib.sha256(path.read_bytes()).hexdigest() for path in files]
    assert digests == [hashlib.sha256((again.root / path.relative_to(archive.root)).read_bytes()).hexdigest() for path in files]
    assert len(set(digests)) == len(files) == 3 * 2 + 3 + 1 + 3
    assert archive.products == again.products
    assert [product.kind for product in archive.products] == ["image", "image", "audio"]
    assert sorted(len(product.taught) for product in archive.products) == [1, 3, 3]


def test_pairs_and_queries_name_files_that_are_there_and_nothing_that_is_taught_judges(tmp_path: Path) -> None:
    archive = make_archive(DATA / "demo", tmp_path / "archive", Plan(photos=2, sounds=0, taught=(2,), held=1)).renamed(9)
    with archive.write_pairs(tmp_path / "pairs.csv").open(newline="", encoding="utf-8") as file:
        pairs = [(row["text"], Path(row["asset"])) for row in csv.DictReader(file)]
    names = product_names(2, 9)
    assert [text for text, _ in pairs] == [names[0], names[0], names[1], names[1]]
    assert all(path.is_file() for _, path in pairs)
    queries = archive.queries("source:held", "a photo of a {}")
    assert [query["query"] for query in queries] == [f"a photo of a {name}" for name in names]
    judging = {Path(right["path"]) for query in queries for right in query["relevant"]}
    assert len(judging) == 2
    assert all(path.is_file() for path in judging)
    assert judging.isdisjoint(path for _, path in pairs)


def test_unrelated_queries_are_asked_once_and_have_answers_in_the_demo() -> None:
    queries = general_queries()
    assert len({(query["query"], query["target"]) for query in queries}) == len(queries) >= 100
    assert all(query["relevant"] for query in queries)
    assert all((DATA / "demo" / right["path"]).is_file() for query in queries for right in query["relevant"])


def test_a_sound_recorded_again_is_another_one_of_sane_length_and_level() -> None:
    sound = np.sin(np.arange(3 * 32_000) / 20).astype(np.float32)
    one, other = (recorded(sound, [sound], np.random.default_rng(seed)) for seed in (1, 2))
    assert one.dtype == np.float32
    assert 32_000 * 0.8 < len(one) < 3 * 32_000 * 1.2
    assert 0.05 < np.abs(one).max() <= 1
    assert len(one) != len(other)


def test_the_worst_decile_is_the_mean_of_the_worst_tenth_of_classes() -> None:
    asked = Asked({f"image-{number}": {"recall@10": number / 20} for number in range(20)})
    assert asked.worst_decile("recall@10") == pytest.approx((0 + 1 / 20) / 2)
    assert asked.mean("recall@10", "image") == pytest.approx(sum(range(20)) / 400)
