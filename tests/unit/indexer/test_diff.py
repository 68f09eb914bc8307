"""Compare, then mark and sweep: every case by hand."""

from __future__ import annotations

from anyseek.indexer.diff import compare
from anyseek.indexer.scan import Found, Scan
from anyseek.storage.rows import AssetRow


def known(id_: int, size: int = 1, mtime_ns: int = 1, state: str = "indexed", content_id: int | None = None) -> AssetRow:
    return AssetRow(id_, size, mtime_ns, state, content_id, None)  # type: ignore[arg-type]


def seen(**found: tuple[int, int]) -> Scan:
    return Scan(found={name: Found(*stat) for name, stat in found.items()})


def test_new_changed_unchanged_and_gone_fall_out_of_one_walk() -> None:
    diff = compare(
        seen(new=(1, 1), same=(1, 1), bigger=(2, 1), later=(1, 2)),
        {"same": known(1), "bigger": known(2), "later": known(3), "gone": known(4)},
    )
    assert set(diff.new) == {"new"}
    assert set(diff.changed) == {"bigger", "later"}
    assert diff.unchanged == 1
    assert diff.gone == {"gone": 4}


def test_a_deleted_asset_that_is_back_is_new_and_one_that_is_not_is_no_news() -> None:
    diff = compare(seen(back=(1, 1)), {"back": known(1, state="deleted"), "still": known(2, state="deleted")})
    assert set(diff.new) == {"back"}
    assert not diff.gone


def test_a_file_that_failed_and_did_not_change_is_counted_apart() -> None:
    diff = compare(seen(bad=(1, 1), good=(1, 1)), {"bad": known(1, state="failed"), "good": known(2)})
    assert (diff.unchanged, diff.still_failed, diff.changed) == (1, 1, {})


def test_what_the_walk_could_not_see_is_kept() -> None:
    scan = Scan(unreadable={"shut": PermissionError(), "x/broken.jpg": OSError()}, other_kinds={"song.mp3"})
    assets = {"shut/a": known(1), "shut/b/c": known(2), "shutter": known(3), "x/broken.jpg": known(4), "song.mp3": known(5)}
    diff = compare(scan, assets)
    assert diff.gone == {"shutter": 3}
    assert diff.kept == 3  # the broken one is a failure, not kept


def test_an_unreadable_root_removes_nothing() -> None:
    assert not compare(Scan(unreadable={"": PermissionError()}), {"a": known(1)}).gone


def test_assets_outside_the_part_that_was_walked_are_left_alone() -> None:
    assets = {"a/x": known(1), "ab/y": known(2), "a": known(3)}
    assert compare(Scan(), assets, below="a").gone == {"a/x": 1, "a": 3}


def test_failures_to_retry_and_unfinished_contents_are_read_again() -> None:
    diff = compare(
        seen(bad=(1, 1), half=(1, 1), good=(1, 1)),
        {"bad": known(1), "half": known(2, content_id=9), "good": known(3)},
        reread={"bad"},
        unfinished={9},
    )
    assert set(diff.changed) == {"bad", "half"}
    assert diff.unchanged == 1
