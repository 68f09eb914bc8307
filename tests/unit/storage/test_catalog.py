"""What is written is what is read, by the numbers."""

import os
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pytest

from anyseek.errors import FailureCode, LibraryDamaged, LibraryError, LibraryNotFound
from anyseek.storage.catalog import Catalog, EmbeddingState, Purged
from anyseek.storage.layout import LibraryFolder
from anyseek.types import Capture, Kind, MediaInfo, Modality, Segment, Space

from .conftest import IMAGE, PICTURE, SPACE, axis, digest

FILM = MediaInfo(Kind.VIDEO, "mp4", 1920, 1080, 60_000, has_audio=True)
SHOTS = [Segment(Modality.IMAGE, start, start + 10_000, start + 5_000) for start in range(0, 60_000, 10_000)]
WINDOWS = [Segment(Modality.AUDIO, start, start + 20_000) for start in range(0, 60_000, 20_000)]


def test_there_is_none(folder):
    with pytest.raises(LibraryNotFound, match="anyseek index"):
        Catalog.open(folder)


def test_a_new_catalog_is_empty_and_stays(folder):
    with Catalog.create(folder) as catalog:
        assert catalog.spaces() == []
        assert catalog.sources() == []
        assert (catalog.counts().assets, catalog.counts().contents, catalog.counts().embeddings) == ({}, 0, 0)
        space = catalog.add_space(SPACE, "serving")
    with Catalog.create(folder) as catalog:
        assert catalog.spaces() == [space] == [(1, SPACE, "serving")]


OTHER = Space("starter", 384, "beef", "abc123")
OTHER_COLOURS = Space("other colours", 8, "0ther")


def test_spaces_lie_side_by_side(catalog):
    first, second = catalog.add_space(SPACE, "serving"), catalog.add_space(OTHER, "building")
    assert catalog.spaces() == [first, second] == [(1, SPACE, "serving"), (2, OTHER, "building")]
    assert catalog.spaces("serving") == [first]
    assert catalog.spaces("building", "kept") == [second]
    assert catalog.spaces("kept") == []


def test_a_space_is_added_once_and_what_serves_goes_on_serving(catalog):
    first = catalog.add_space(SPACE, "serving")
    assert catalog.add_space(SPACE, "building") == first
    assert catalog.add_space(OTHER, "building").state == "building"
    assert catalog.add_space(OTHER, "kept").state == "kept"
    assert catalog.add_space(OTHER, "building").state == "building"


def test_serving_changes_over_at_once(catalog):
    first, second = catalog.add_space(SPACE, "serving"), catalog.add_space(OTHER, "building")
    with catalog.transaction() as writer:
        writer.serve_spaces([second.id])
    assert [row.state for row in catalog.spaces()] == ["kept", "serving"]
    with catalog.transaction() as writer:
        writer.serve_spaces([first.id, second.id])
    assert [row.state for row in catalog.spaces()] == ["serving", "serving"]


def test_settings(catalog):
    assert catalog.setting("background") is None
    for value in ("1", "ü%_'"):
        with catalog.transaction() as writer:
            writer.put_setting("background", value)
        assert catalog.setting("background") == value


# Sources


def test_a_root_inside_moves_with_its_library(tmp_path):
    (tmp_path / "old" / "photos").mkdir(parents=True)
    with Catalog.create(LibraryFolder(tmp_path / "old" / ".anyseek")) as catalog:
        whole = catalog.source_for(tmp_path / "old")
        part = catalog.source_for(tmp_path / "old" / "photos")
        assert catalog.source_for(tmp_path / "old" / "photos") == part
    (tmp_path / "old").rename(tmp_path / "new")
    with Catalog.open(LibraryFolder(tmp_path / "new" / ".anyseek")) as catalog:
        assert [(row.id, row.root) for row in catalog.sources()] == [
            (whole.id, tmp_path / "new"),
            (part.id, tmp_path / "new" / "photos"),
        ]
        assert catalog.source_for(tmp_path / "new").id == whole.id


def test_a_library_deep_inside_its_root(tmp_path):
    (tmp_path / "a" / "b").mkdir(parents=True)
    with Catalog.create(LibraryFolder(tmp_path / "a" / "b" / "x.anyseek")) as catalog:
        catalog.source_for(tmp_path / "a")
    (tmp_path / "a").rename(tmp_path / "c")
    with Catalog.open(LibraryFolder(tmp_path / "c" / "b" / "x.anyseek")) as catalog:
        assert catalog.sources()[0].root == tmp_path / "c"


def test_a_root_elsewhere_stays_where_it_is(tmp_path):
    (tmp_path / "media").mkdir()
    (tmp_path / "here").mkdir()
    with Catalog.create(LibraryFolder(tmp_path / "here" / "library")) as catalog:
        first = catalog.source_for(tmp_path / "media")
    (tmp_path / "here").rename(tmp_path / "there")
    with Catalog.open(LibraryFolder(tmp_path / "there" / "library")) as catalog:
        assert catalog.sources() == [first]
    (tmp_path / "there" / "library").rename(tmp_path / "media" / ".anyseek")  # now inside, though it was stored as absolute
    with Catalog.open(LibraryFolder(tmp_path / "media" / ".anyseek")) as catalog:
        assert catalog.source_for(tmp_path / "media") == first


def test_a_root_reached_by_a_link_is_the_same_source(tmp_path, catalog):
    (tmp_path / "link").symlink_to(tmp_path / "media")
    assert catalog.source_for(tmp_path / "link") == catalog.source_for(tmp_path / "media")


def test_a_source_remembers_whether_it_is_whole_and_what_it_excludes(filled):
    before = filled.catalog.sources()[0]
    assert (before.whole, before.exclude) == (False, ())
    with filled.catalog.transaction() as writer:
        writer.describe_source(before.id, whole=True)
        writer.describe_source(before.id, exclude=["*.gif", "private/"])
    assert filled.catalog.sources()[0] == before._replace(whole=True, exclude=("*.gif", "private/"))
    with filled.catalog.transaction() as writer:
        writer.describe_source(before.id, exclude=[])
    assert filled.catalog.sources()[0] == before._replace(whole=True)


def test_a_source_takes_over_what_lies_below_its_root(tmp_path, catalog):
    outer, inner, beside = (catalog.source_for(tmp_path / name) for name in ("m", "m/a", "n"))
    with catalog.transaction() as writer:
        ids = {
            (owner.id, path): writer.fail_asset(owner.id, path, 1, 1, "empty", "")
            for owner, path in ((outer, "x"), (outer, "a/y"), (inner, "z"), (beside, "w"))
        }
        writer.hand_over(outer, inner)
    assert {path: row.id for path, row in catalog.assets(inner.id).items()} == {"y": ids[outer.id, "a/y"], "z": ids[inner.id, "z"]}
    with catalog.transaction() as writer:
        for giver in (inner, beside):
            writer.hand_over(giver, outer)
    assert set(catalog.assets(outer.id)) == {"x", "a/y", "a/z"}
    assert set(catalog.assets(beside.id)) == {"w"}
    assert [row.id for row in catalog.sources()] == [outer.id, beside.id]


def test_dropped_embeddings_leave_a_content_as_if_it_were_new(filled):
    filled.put("a.jpg", "b.jpg")
    catalog, space = filled.catalog, filled.space
    ids, contents, _ = catalog.embeddings_of(range(1, 100), space.id)
    victim = int(contents[0])
    with catalog.transaction() as writer:
        writer.drop_embeddings(victim, space.id)
    assert catalog.embedding_ids(space.id).tolist() == [int(id_) for id_, owner in zip(ids, contents, strict=True) if owner != victim]
    assert catalog.segments_in(victim, space.id) == set()


# Assets

ODD_NAMES = [
    "plain.jpg",
    "100%_of_[it]?*.jpg",
    "100%Xof.jpg",
    "quote'\";--.jpg",
    "new\nline\ttab.jpg",
    "😀/ünï.jpg",
    "u\u0308.jpg",  # decomposed, not the same as
    "\u00fc.jpg",
    "x" * 251 + ".jpg",
    " leading and trailing ",
    "back\\slash.jpg",
    "A.jpg",
    "a.jpg",
]
if os.name != "nt":
    ODD_NAMES += [os.fsdecode(b"latin1-\xe9\xff.jpg"), os.fsdecode(b"\x80/\xfe")]


def test_names_of_any_kind(filled):
    ids = filled.put(*ODD_NAMES)
    assert {path: row.id for path, row in filled.catalog.assets(filled.source.id).items()} == dict(zip(ODD_NAMES, ids, strict=True))
    for name, id_ in zip(ODD_NAMES, ids, strict=True):
        assert filled.catalog.find_asset(filled.source.root / name).id == id_
        assert filled.catalog.find_asset(filled.source.root / name).path == filled.source.root / name
    assert filled.catalog.find_asset(filled.source.root / "100%_of_.jpg") is None


def test_an_asset_and_its_content(filled):
    (asset_id,) = filled.put("sub/a.jpg")
    assert filled.catalog.assets(filled.source.id) == {"sub/a.jpg": (asset_id, 9, 1_000, "indexed", 1, None)}
    located = filled.catalog.assets_of([1, 99])
    assert located == {1: [(asset_id, filled.source.root / "sub" / "a.jpg", "sub/a.jpg", filled.source.id, 1, 9, 1_000)]}
    assert filled.catalog.assets_of([]) == {}


def test_the_same_path_keeps_its_id_through_everything(filled):
    (asset_id,) = filled.put("a.jpg")
    with filled.catalog.transaction() as writer:
        assert writer.fail_asset(filled.source.id, "a.jpg", 7, 8, FailureCode.DAMAGED, "cut short") == asset_id
    assert filled.catalog.assets(filled.source.id)["a.jpg"] == (asset_id, 7, 8, "failed", None, "damaged")
    with filled.catalog.transaction() as writer:
        writer.delete_assets([asset_id, 999])
    assert filled.catalog.assets(filled.source.id)["a.jpg"].state == "deleted"
    assert filled.put("a.jpg") == [asset_id]
    assert filled.catalog.assets(filled.source.id)["a.jpg"] == (asset_id, 5, 1_000, "indexed", 1, None)


def test_failures_are_listed_with_their_time(filled):
    now = datetime.now(UTC)
    other = filled.catalog.source_for(filled.source.root.parent)
    with filled.catalog.transaction() as writer:
        writer.fail_asset(filled.source.id, "z.jpg", 0, 1, FailureCode.EMPTY, "the file is empty")
        writer.fail_asset(filled.source.id, "b\n.jpg", 5, 1, FailureCode.DAMAGED, "cut short")
        writer.fail_asset(other.id, "c.jpg", 5, 1, FailureCode.TIMEOUT, "took too long")
    rows = filled.catalog.failures()
    assert [(row.path, row.code, row.reason) for row in rows] == [
        (filled.source.root / "b\n.jpg", "damaged", "cut short"),
        (filled.source.root / "z.jpg", "empty", "the file is empty"),
        (other.root / "c.jpg", "timeout", "took too long"),
    ]
    assert all(abs(row.since - now) < timedelta(seconds=60) for row in rows)
    assert [row.code for row in filled.catalog.failures(source_id=other.id)] == ["timeout"]


def test_a_failure_that_persists_keeps_its_time(filled):
    def fail(reason):
        with filled.catalog.transaction() as writer:
            writer.fail_asset(filled.source.id, "a.jpg", 1, 1, FailureCode.EMPTY, reason)

    fail("empty")
    with filled.catalog.database.writing() as connection:
        connection.exec_driver_sql("UPDATE asset SET state_since = '2020-01-01T00:00:00+00:00'")
    fail("still empty")
    assert (filled.catalog.failures()[0].reason, filled.catalog.failures()[0].since.year) == ("still empty", 2020)
    filled.put("a.jpg")
    fail("empty again")
    assert filled.catalog.failures()[0].since.year > 2020


def user_metadata(catalog, asset_id):
    with catalog.database.reading() as connection:
        return connection.exec_driver_sql("SELECT user_metadata FROM asset WHERE id = ?", (asset_id,)).scalar()


def test_a_moved_asset_keeps_its_id_content_and_metadata(filled):
    (asset_id,) = filled.put("a.jpg")
    with filled.catalog.database.writing() as connection:
        connection.exec_driver_sql("UPDATE asset SET user_metadata = '{\"stars\": 5}'")
    with filled.catalog.transaction() as writer:
        writer.move_asset(asset_id, filled.source.id, "new/b.jpg", 5, 2_000)
    assert filled.catalog.assets(filled.source.id) == {"new/b.jpg": (asset_id, 5, 2_000, "indexed", 1, None)}
    assert user_metadata(filled.catalog, asset_id) == '{"stars": 5}'


def test_moving_revives_a_deleted_asset(filled):
    (asset_id,) = filled.put("a.jpg")
    with filled.catalog.transaction() as writer:
        writer.delete_assets([asset_id])
        writer.move_asset(asset_id, filled.source.id, "b.jpg", 5, 2_000)
    assert filled.catalog.assets(filled.source.id) == {"b.jpg": (asset_id, 5, 2_000, "indexed", 1, None)}


def test_moving_over_another_asset_loses_neither(filled):
    one, two = filled.put("a.jpg", "b.jpg")
    with filled.catalog.transaction() as writer:
        writer.move_asset(one, filled.source.id, "b.jpg", 5, 2_000)
    assets = filled.catalog.assets(filled.source.id)
    assert assets == {"b.jpg": (one, 5, 2_000, "indexed", 1, None), "a.jpg": (two, 5, 1_000, "deleted", 2, None)}


def test_two_files_that_swap_their_names(filled):
    one, two = filled.put("a.jpg", "b.jpg")
    with filled.catalog.transaction() as writer:
        writer.move_asset(one, filled.source.id, "b.jpg", 5, 1_000)
        writer.move_asset(two, filled.source.id, "a.jpg", 5, 1_000)
    assets = filled.catalog.assets(filled.source.id)
    assert assets == {"b.jpg": (one, 5, 1_000, "indexed", 1, None), "a.jpg": (two, 5, 1_000, "indexed", 2, None)}


def test_assets_are_found_through_links(filled, tmp_path):
    root = filled.source.root
    (root / "deep").mkdir()
    (root / "deep" / "a.jpg").touch()
    (root / "shortcut").symlink_to("deep")
    (tmp_path / "elsewhere").symlink_to(root)
    deep, through = filled.put("deep/a.jpg", "shortcut/a.jpg")
    assert filled.catalog.find_asset(root / "deep" / "a.jpg").id == deep
    assert filled.catalog.find_asset(root / "shortcut" / "a.jpg").id == through
    assert filled.catalog.find_asset(tmp_path / "elsewhere" / "deep" / "a.jpg").id == deep
    assert filled.catalog.find_asset(tmp_path / "elsewhere" / "x" / ".." / "deep" / "a.jpg").id == deep
    assert filled.catalog.find_asset(tmp_path / "a.jpg") is None
    assert filled.catalog.find_asset(Path("/")) is None


def test_a_link_to_an_asset_finds_it(filled, tmp_path):
    (filled.source.root / "a.jpg").touch()
    (tmp_path / "link.jpg").symlink_to(filled.source.root / "a.jpg")
    (asset_id,) = filled.put("a.jpg")
    assert filled.catalog.find_asset(tmp_path / "link.jpg").id == asset_id


def test_a_deleted_asset_is_not_found(filled):
    (asset_id,) = filled.put("a.jpg")
    with filled.catalog.transaction() as writer:
        writer.delete_assets([asset_id])
    assert filled.catalog.find_asset(filled.source.root / "a.jpg") is None
    assert filled.catalog.assets_of([1]) == {}


# Contents and segments


def test_a_film_that_is_interrupted_and_resumed(filled):
    catalog, space = filled.catalog, filled.space.id
    assert catalog.content_by_hash(digest("film")) is None
    with catalog.transaction() as writer:
        content = writer.begin_content(digest("film"), 10**10, FILM)
    assert catalog.content_by_hash(digest("film")) == (content, Kind.VIDEO, {}, None, None)
    with catalog.transaction() as writer:
        writer.add_embeddings(content, space, [(segment, axis(0)) for segment in SHOTS[:3] + WINDOWS[:1]])
    assert catalog.content_by_hash(digest("film")).coverage == {space: "partial"}
    assert catalog.segments_in(content, space) == {*SHOTS[:3], WINDOWS[0]}
    with catalog.transaction() as writer:  # the next run begins anew and finds them
        assert writer.begin_content(digest("film"), 10**10, FILM) == content
        writer.add_embeddings(content, space, [(segment, axis(1)) for segment in SHOTS + WINDOWS])
        writer.finish_content(content, space, FILM, SHOTS + WINDOWS)
    assert catalog.content_by_hash(digest("film")).coverage == {space: "complete"}
    assert catalog.segments_in(content, space) == {*SHOTS, *WINDOWS}
    assert catalog.embedding_state(space).count == 9
    ids, contents, segments = catalog.embeddings_of([content], space)
    assert (contents == content).all()
    assert segments == [*SHOTS[:3], WINDOWS[0], *SHOTS[3:], *WINDOWS[1:]]
    vectors = catalog.vectors(ids)  # what was stored first stays
    np.testing.assert_array_equal(vectors, np.stack([axis(0)] * 4 + [axis(1)] * 5))


def test_finishing_drops_the_segments_of_another_cut(filled):
    catalog, space = filled.catalog, filled.space.id
    with catalog.transaction() as writer:
        content = writer.begin_content(digest("film"), 1, FILM)
        writer.add_embeddings(content, space, [(segment, axis(0)) for segment in SHOTS])
        writer.finish_content(content, space, FILM, SHOTS[1:3])
    assert catalog.segments_in(content, space) == set(SHOTS[1:3])
    assert catalog.counts().segments == {Modality.IMAGE: 2}
    assert catalog.embedding_state(space) == EmbeddingState(2, 3)


def test_finishing_leaves_another_space_alone(filled):
    catalog = filled.catalog
    with catalog.database.writing() as connection:
        connection.exec_driver_sql("INSERT INTO space (id, spec, dim, fingerprint) VALUES (2, 'other', 8, 'beef')")
    with catalog.transaction() as writer:
        content = writer.begin_content(digest("film"), 1, FILM)
        writer.add_embeddings(content, 2, [(SHOTS[0], axis(3))])
        writer.add_embeddings(content, filled.space.id, [(SHOTS[0], axis(0)), (SHOTS[1], axis(1))])
        writer.finish_content(content, filled.space.id, FILM, SHOTS[1:2])
    assert catalog.segments_in(content, 2) == {SHOTS[0]}
    assert catalog.segments_in(content, filled.space.id) == {SHOTS[1]}


def test_a_content_cannot_be_finished_without_its_vectors(filled):
    def finish():
        with filled.catalog.transaction() as writer:
            content = writer.begin_content(digest("film"), 1, FILM)
            writer.add_embeddings(content, filled.space.id, [(SHOTS[0], axis(0))])
            writer.finish_content(content, filled.space.id, FILM, SHOTS)

    with pytest.raises(ValueError, match="5 of 6 segments"):
        finish()
    assert filled.catalog.counts().contents == 0  # the transaction was undone


def test_a_content_may_have_no_segments(filled):
    with filled.catalog.transaction() as writer:
        content = writer.begin_content(digest("silence"), 1, FILM)
        writer.add_embeddings(content, filled.space.id, [])
        writer.finish_content(content, filled.space.id, FILM, [])
    assert filled.catalog.content_by_hash(digest("silence")).coverage == {filled.space.id: "complete"}


@pytest.mark.parametrize("vector", [np.ones(7, np.float32), np.ones((1, 8), np.float32), np.full(8, np.nan, np.float32)])
def test_vectors_that_do_not_belong_are_refused(filled, vector):
    with filled.catalog.transaction() as writer:
        content = writer.begin_content(digest("x"), 1, IMAGE)
        with pytest.raises(ValueError, match="vector"):
            writer.add_embeddings(content, filled.space.id, [(PICTURE, vector)])


def test_sound_segments_are_not_doubled(filled):
    """NULLs are never equal in a unique constraint; a sound has no frame."""
    with filled.catalog.transaction() as writer:
        content = writer.begin_content(digest("x"), 1, FILM)
        for _ in range(2):
            writer.add_embeddings(content, filled.space.id, [(WINDOWS[0], axis(0)), (WINDOWS[0], axis(0))])
    assert filled.catalog.counts().segments == {Modality.AUDIO: 1}


def test_bytes_that_cannot_be_used(filled):
    catalog = filled.catalog
    with catalog.transaction() as writer:
        one = writer.fail_content(digest("bomb"), 5, Kind.IMAGE, FailureCode.TOO_LARGE, "too many pixels")
        writer.fail_content(digest("unknown"), 6, None, FailureCode.NOT_MEDIA, "is no media")
        three = writer.fail_content(digest("film"), 7, FILM, FailureCode.TIMEOUT, "took too long")
        writer.fail_asset(filled.source.id, "bomb.png", 5, 1, FailureCode.TOO_LARGE, "too many pixels", one)
    space = filled.space.id
    assert catalog.content_by_hash(digest("bomb")) == (one, Kind.IMAGE, {}, "too_large", "too many pixels")
    assert catalog.content_by_hash(digest("unknown")).kind is None
    assert catalog.assets(filled.source.id)["bomb.png"].content_id == one
    assert catalog.unfinished_contents(space) == set()
    with catalog.transaction() as writer:  # a retry that works
        assert writer.begin_content(digest("film"), 7, FILM) == three
    assert catalog.content_by_hash(digest("film")).failure_code is None


def test_contents_that_wait_for_vectors(filled):
    filled.put("done.jpg")
    with filled.catalog.transaction() as writer:
        half = writer.begin_content(digest("half"), 1, FILM)
        writer.add_embeddings(half, filled.space.id, [(SHOTS[0], axis(0))])
        none = writer.begin_content(digest("none"), 1, FILM)
        writer.begin_content(digest("placeless"), 1, FILM)
        writer.put_asset(filled.source.id, "half.mp4", 1, 1, half)
        writer.put_asset(filled.source.id, "none.mp4", 1, 1, none)
    assert filled.catalog.unfinished_contents(filled.space.id) == {half, none}


def test_what_a_result_shows(filled):
    zone = timezone(timedelta(hours=2))
    info = MediaInfo(
        Kind.IMAGE,
        "heic",
        4032,
        3024,
        frames=1,
        capture=Capture(datetime(2024, 6, 1, 12, 30, tzinfo=zone), "exif"),
        camera="Pixel 8",
        latitude=52.5,
        longitude=-13.400001,
        title="Ünter den Linden",
        artist="me",
        rating=4,
        keywords=("b", "a", "ß"),
    )
    with filled.catalog.transaction() as writer:
        content = writer.begin_content(digest("x"), 77, info)
    (row,) = filled.catalog.content_info([content, 99]).values()
    assert (row.id, row.kind, row.format, row.size, row.width, row.height) == (content, Kind.IMAGE, "heic", 77, 4032, 3024)
    assert (row.captured_at, row.captured_at.utcoffset(), row.captured_origin) == (info.capture.at, timedelta(hours=2), "exif")
    assert (row.latitude, row.longitude, row.title, row.artist, row.rating) == (52.5, -13.400001, "Ünter den Linden", "me", 4)
    assert (row.keywords, row.has_audio, row.duration_ms, row.frames) == (("b", "a", "ß"), False, None, 1)


def test_final_metadata_replaces_the_first(filled):
    naive = datetime(2020, 2, 29, 1, 2, 3)
    with filled.catalog.transaction() as writer:
        content = writer.begin_content(digest("x"), 77, FILM)
        writer.finish_content(
            content, filled.space.id, MediaInfo(Kind.VIDEO, "mp4", duration_ms=59_000, capture=Capture(naive, "container")), []
        )
    info = filled.catalog.content_info([content])[content]
    assert (info.duration_ms, info.width, info.captured_at) == (59_000, None, naive)


# Embeddings


def test_copies_are_two_assets_and_one_content(filled):
    filled.put("a.jpg")
    with filled.catalog.transaction() as writer:
        writer.put_asset(filled.source.id, "copy of a.jpg", 5, 1, 1)
    assert [asset.relative for asset in filled.catalog.assets_of([1])[1]] == ["a.jpg", "copy of a.jpg"]
    assert filled.catalog.live_embeddings(filled.space.id).tolist() == [1]
    with filled.catalog.transaction() as writer:
        writer.delete_assets([1])
    assert filled.catalog.live_embeddings(filled.space.id).tolist() == [1]
    with filled.catalog.transaction() as writer:
        writer.delete_assets([2])
    assert filled.catalog.live_embeddings(filled.space.id).tolist() == []


def test_live_embeddings_by_kind_and_modality(filled):
    catalog, space = filled.catalog, filled.space.id
    filled.put("a.jpg", "b.jpg")
    with catalog.transaction() as writer:
        film = writer.begin_content(digest("film"), 1, FILM)
        writer.add_embeddings(film, space, [(SHOTS[0], axis(0)), (WINDOWS[0], axis(1))])
        writer.put_asset(filled.source.id, "film.mp4", 1, 1, film)
    assert catalog.live_embeddings(space).tolist() == [1, 2, 3, 4]
    assert catalog.live_embeddings(space, kinds=[Kind.VIDEO]).tolist() == [3, 4]
    assert catalog.live_embeddings(space, kinds={Kind.IMAGE, Kind.AUDIO}).tolist() == [1, 2]
    assert catalog.live_embeddings(space, modalities=[Modality.AUDIO]).tolist() == [4]
    assert catalog.live_embeddings(space, kinds=[Kind.IMAGE], modalities=[Modality.AUDIO]).tolist() == []
    assert catalog.live_embeddings(space, kinds=[]).tolist() == []
    assert catalog.live_embeddings(space, modalities=[]).tolist() == []
    assert catalog.live_embeddings(99).tolist() == []


def test_live_embeddings_are_remembered_until_anything_changes(filled, folder):
    filled.put("a.jpg")
    first = filled.catalog.live_embeddings(filled.space.id)
    assert filled.catalog.live_embeddings(filled.space.id) is first
    with pytest.raises(ValueError, match="read-only"):
        first[0] = 7
    with Catalog.open(folder) as other, other.transaction() as writer:
        writer.delete_assets([1])
    assert filled.catalog.live_embeddings(filled.space.id).tolist() == []


def test_segments_in_the_order_asked_for(filled):
    filled.put("a.jpg", "b.jpg", "c.jpg")
    rows = filled.catalog.segments_of(np.array([3, 99, 1, 3]))
    assert [(row.embedding_id, row.content_id) for row in rows] == [(3, 3), (1, 1), (3, 3)]
    assert (rows[0].kind, rows[0].segment) == (Kind.IMAGE, PICTURE)
    assert filled.catalog.segments_of([]) == []


def test_more_ids_than_a_statement_takes_variables(filled):
    filled.put_many(3)
    assert len(filled.catalog.segments_of(range(100_000))) == 3
    assert len(filled.catalog.content_info(range(100_000))) == 3


def test_vectors_in_the_order_asked_for(filled):
    filled.put("a.jpg", vector=axis(2))
    filled.put("b.jpg", vector=axis(5))
    vectors = filled.catalog.vectors(np.array([2, 1, 2]))
    np.testing.assert_array_equal(vectors, np.stack([axis(5), axis(2), axis(5)]))
    assert vectors.dtype == np.float32
    assert filled.catalog.vectors([]).shape[0] == 0
    with pytest.raises(LookupError, match="no embedding 3"):
        filled.catalog.vectors([1, 3])


@pytest.mark.parametrize("chunk", [1, 3, 7, 100])
def test_reading_all_vectors_in_chunks(filled, chunk):
    filled.put_many(7)
    parts = list(filled.catalog.iter_vectors(filled.space.id, after_id=2, chunk=chunk))
    assert np.concatenate([ids for ids, _ in parts]).tolist() == [3, 4, 5, 6, 7]
    np.testing.assert_array_equal(np.concatenate([v for _, v in parts]).astype(np.float32), filled.catalog.vectors(range(3, 8)))
    assert all(v.dtype == np.float16 and v.shape[1] == SPACE.dim for _, v in parts)
    assert list(filled.catalog.iter_vectors(filled.space.id, after_id=7)) == []


def test_damaged_vectors_are_passed_over(filled):
    filled.put_many(5)
    nan = np.full(8, np.nan, np.float16).tobytes()
    with filled.catalog.database.writing() as connection:
        connection.exec_driver_sql("UPDATE embedding SET vector = x'00' WHERE id IN (1, 4)")
        connection.exec_driver_sql("UPDATE embedding SET vector = ? WHERE id = 2", (nan,))
    ids = [id_ for ids, _ in filled.catalog.iter_vectors(filled.space.id, chunk=1) for id_ in ids.tolist()]
    assert ids == [3, 5]


def test_ids_of_embeddings_are_never_used_again(filled):
    filled.put("a.jpg", "b.jpg")
    assert filled.catalog.embedding_state(filled.space.id) == EmbeddingState(2, 2)
    with filled.catalog.transaction() as writer:
        writer.delete_assets([2])
        assert writer.purge() == Purged(1, 1)
    assert filled.catalog.embedding_state(filled.space.id) == EmbeddingState(1, 1)
    filled.put("c.jpg")
    assert filled.catalog.embedding_state(filled.space.id) == EmbeddingState(2, 3)


def test_purging_removes_only_what_lies_nowhere(filled):
    filled.put("a.jpg", "b.jpg", "c.jpg")
    with filled.catalog.transaction() as writer:
        writer.delete_assets([1])
        writer.fail_asset(filled.source.id, "b.jpg", 5, 2, FailureCode.PERMISSION, "may not be read", content_id=2)
        writer.begin_content(digest("nowhere"), 1, IMAGE)
        assert writer.purge() == Purged(1, 2)
        assert writer.purge() == Purged(0, 0)
    counts = filled.catalog.counts()
    assert (counts.assets, counts.contents, counts.embeddings) == ({"indexed": 1, "failed": 1}, 2, 2)


def test_counts(filled):
    filled.put("a.jpg", "b.jpg")
    with filled.catalog.transaction() as writer:
        film = writer.begin_content(digest("film"), 1, FILM)
        writer.add_embeddings(film, filled.space.id, [(SHOTS[0], axis(0)), (SHOTS[1], axis(0)), (WINDOWS[0], axis(1))])
        writer.put_asset(filled.source.id, "film.mp4", 1, 1, film)
        writer.put_asset(filled.source.id, "film copy.mp4", 1, 1, film)
        writer.fail_asset(filled.source.id, "x", 1, 1, FailureCode.EMPTY, "empty")
        writer.delete_assets([1])
    counts = filled.catalog.counts()
    assert counts.assets == {"indexed": 3, "failed": 1, "deleted": 1}
    assert counts.kinds == {Kind.IMAGE: 1, Kind.VIDEO: 2}
    assert (counts.contents, counts.embeddings, counts.sources) == (3, 5, 1)
    assert counts.segments == {Modality.IMAGE: 4, Modality.AUDIO: 1}


# Opening


def test_transactions_are_all_or_nothing(filled):
    def fail_halfway():
        with filled.catalog.transaction() as writer:
            writer.put_asset(filled.source.id, "a.jpg", 1, 1, writer.begin_content(digest("x"), 1, IMAGE))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_halfway()
    assert filled.catalog.counts().contents == 0


def test_a_file_that_is_no_database(folder):
    folder.path.mkdir()
    folder.catalog.write_bytes(b"my precious notes " * 1000)
    for _ in range(2):
        with pytest.raises(LibraryDamaged, match="anyseek doctor"):
            Catalog.open(folder)
    assert folder.catalog.read_bytes() == b"my precious notes " * 1000


def test_a_database_of_somebody_else(folder, filled):
    with filled.catalog.database.writing() as connection:
        connection.exec_driver_sql("DROP TABLE alembic_version")
    with pytest.raises(LibraryDamaged, match="not a catalog of anyseek"):
        Catalog.open(folder)


def test_an_empty_file_becomes_a_catalog(folder):
    """Creation was interrupted before the first commit."""
    folder.path.mkdir()
    folder.catalog.touch()
    with Catalog.open(folder) as catalog:
        assert catalog.counts().contents == 0


def test_a_reader_does_not_write(filled, folder):
    filled.put("a.jpg")
    with Catalog.open(folder, readonly=True) as catalog:
        assert catalog.counts().contents == 1
        with pytest.raises(LibraryError, match="reading only"), catalog.transaction():
            pass
        filled.put("b.jpg")  # and sees what others write
        assert catalog.counts().contents == 2


def test_a_library_on_a_read_only_medium(unprivileged):
    folder = LibraryFolder(unprivileged / "l.anyseek")
    with Catalog.create(folder) as catalog:
        space = catalog.add_space(SPACE, "serving")
    assert sorted(path.name for path in folder.path.iterdir()) == ["catalog.db"]  # the log was merged when it was closed
    folder.catalog.chmod(0o400)
    folder.path.chmod(0o500)
    with Catalog.open(folder, readonly=True) as catalog:
        assert catalog.spaces() == [space]
        assert catalog.version() == catalog.version()
    with pytest.raises(LibraryError, match=r"cannot be (written|opened)"):
        Catalog.open(folder).close()


def test_a_log_that_was_never_merged_on_a_read_only_medium(unprivileged):
    folder = LibraryFolder(unprivileged / "l.anyseek")
    with Catalog.create(folder):
        pass
    (folder.path / "catalog.db-wal").write_bytes(b"x" * 100)
    folder.path.chmod(0o500)
    with pytest.raises(LibraryError, match="cannot be merged"):
        Catalog.open(folder, readonly=True)


def test_a_library_in_a_folder_with_an_odd_name(tmp_path):
    name = "100% ü?#\n.anyseek" if os.name == "nt" else os.fsdecode(b"100% \xff?#&mode=ro\n.anyseek")
    with Catalog.create(LibraryFolder(tmp_path / name)) as catalog:
        catalog.source_for(tmp_path)
    with Catalog.open(LibraryFolder(tmp_path / name), readonly=True) as catalog:
        assert catalog.sources()[0].root == tmp_path


# Several spaces


def unit(*values):
    row = np.array(values, np.float32)
    return row / np.linalg.norm(row)


def test_each_space_is_filled_by_itself(filled):
    filled.put("a.jpg", "b.jpg")
    other = filled.catalog.add_space(OTHER_COLOURS, "building")
    assert filled.catalog.space_counts(filled.space.id) == (2, 0, 0)
    assert filled.catalog.space_counts(other.id) == (0, 2, 0)
    content = filled.catalog.content_by_hash(digest(os.fsencode("a.jpg").hex()))
    assert content.coverage == {filled.space.id: "complete"}
    with filled.catalog.transaction() as writer:
        writer.add_embeddings(content.id, other.id, [(PICTURE, axis(1))])
        writer.finish_content(content.id, other.id, IMAGE, [PICTURE])
    assert filled.catalog.content_by_hash(digest(os.fsencode("a.jpg").hex())).coverage == {
        filled.space.id: "complete",
        other.id: "complete",
    }
    assert filled.catalog.space_counts(other.id) == (1, 1, 0)


def test_what_an_encoder_refuses_lacks_nothing_and_loses_what_it_had_in_that_space(filled):
    filled.put("a.jpg")
    content = filled.catalog.content_by_hash(digest(os.fsencode("a.jpg").hex())).id
    other = filled.catalog.add_space(OTHER_COLOURS, "building")
    with filled.catalog.transaction() as writer:
        writer.add_embeddings(content, other.id, [(PICTURE, axis(1))])
        writer.refuse_content(content, other.id, "too green")
    assert filled.catalog.space_counts(other.id) == (0, 0, 1)
    assert filled.catalog.space_counts(filled.space.id) == (1, 0, 0)
    assert filled.catalog.unfinished_contents(other.id) == set()


def test_a_dropped_space_takes_along_only_what_is_its_own(filled):
    filled.put("a.jpg")
    content = filled.catalog.content_by_hash(digest(os.fsencode("a.jpg").hex())).id
    other = filled.catalog.add_space(OTHER_COLOURS, "kept")
    own = Segment(Modality.AUDIO, 0, 3000)
    with filled.catalog.transaction() as writer:
        writer.add_embeddings(content, other.id, [(PICTURE, axis(1)), (own, axis(2))])
        writer.finish_content(content, other.id, IMAGE, [PICTURE, own])
        writer.drop_space(other.id)
    assert filled.catalog.spaces() == [filled.space]
    assert filled.catalog.counts().segments == {Modality.IMAGE: 1}
    assert filled.catalog.counts().embeddings == 1
    with filled.catalog.database.reading() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM segment").scalar() == 1


def test_a_space_is_derived_from_another_one_without_embedding_anything(filled):
    def halved(vectors, modality):
        assert modality is Modality.IMAGE
        return np.stack([unit(*row) for row in vectors[:, :4]])

    filled.put("a.jpg", vector=unit(3, 0, 0, 4, 12, 0, 0, 0))
    filled.put("b.jpg", vector=unit(0, 1, 0, 0, 0, 0, 0, 1))
    cut = filled.catalog.add_space(Space("colour", 4, "cut"), "building")
    with filled.catalog.transaction() as writer:
        writer.derive_space(filled.space.id, cut.id, halved)
        writer.derive_space(filled.space.id, cut.id, halved)  # an interrupted one is taken up again
    assert filled.catalog.space_counts(cut.id) == (2, 0, 0)
    np.testing.assert_allclose(filled.catalog.vectors(filled.catalog.embedding_ids(cut.id)), [[0.6, 0, 0, 0.8], [0, 1, 0, 0]], atol=1e-3)
