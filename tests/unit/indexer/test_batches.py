"""What waits for the encoders: in batches that suit them, and never so much that memory would show it."""

from __future__ import annotations

import numpy as np
from fakes import ColourEncoder, MovementEncoder

from anyseek.indexer.batches import BATCH_BYTES, Batches
from anyseek.indexer.lanes import Lane
from anyseek.indexer.messages import Alive, Piece, bytes_of
from anyseek.indexer.pool import QUEUED_MESSAGES, _Events
from anyseek.storage.catalog import SpaceRow
from anyseek.types import Clip, Kind, MediaInfo, Modality, Picture, Segment

SIDE = 512
FRAME_BYTES = SIDE * SIDE * 3


def clip(number: int, frames: int) -> Clip:
    pixels = np.zeros((frames, SIDE, SIDE, 3), np.uint8)
    pixels[-1] = number
    return Clip(Segment(Modality.VIDEO, number, number + 1), pixels, np.arange(frames))


def picture(number: int) -> Picture:
    return Picture(Segment(Modality.IMAGE, frame_ms=number), np.full((4, 4, 3), number, np.uint8))


def lane(encoder: ColourEncoder) -> Lane:
    return Lane(SpaceRow(1, encoder.space, "serving"), encoder)


class Filmgoer(MovementEncoder):
    max_frames = 100


def drained(batches: Batches[str], *, partial: bool = False) -> list[list[tuple[str, Segment]]]:
    """Encode batch by batch until no more is begun."""
    done: list[list[tuple[str, Segment]]] = []
    batches.start(partial=partial)
    while batches.is_encoding:
        done.append([(item.owner, item.segment) for item in batches.take(None)])
        batches.start(partial=partial)
    return done


def test_a_full_list_is_encoded_and_the_longest_first() -> None:
    batches = Batches[str]([lane(ColourEncoder("one")), lane(ColourEncoder("two"))], 3)
    for number in range(7):
        batches.add(1, "b", picture(number))
        if number < 4:
            batches.add(0, "a", picture(number))
    assert [[(owner, segment.frame_ms) for owner, segment in batch] for batch in drained(batches)] == [
        [("b", 0), ("b", 1), ("b", 2)],
        [("a", 0), ("a", 1), ("a", 2)],
        [("b", 3), ("b", 4), ("b", 5)],
    ]
    assert len(batches) == 2
    assert sorted(len(batch) for batch in drained(batches, partial=True)) == [1, 1]
    batches.close()


def test_large_segments_make_small_batches() -> None:
    frames = BATCH_BYTES // FRAME_BYTES // 2  # two such clips are a little less than a batch
    batches = Batches[str]([lane(Filmgoer())], None)
    for number in range(5):
        batches.add(0, "film", clip(number, frames))
    assert [len(batch) for batch in drained(batches)] == [2, 2]
    assert [len(batch) for batch in drained(batches, partial=True)] == [1]
    batches.add(0, "film", clip(9, 100))  # more than a batch by itself
    assert bytes_of(clip(9, 100)) > BATCH_BYTES
    assert [len(batch) for batch in drained(batches)] == [1]
    batches.close()


def test_it_is_crowded_only_when_a_batch_is_ready_whatever_is_encoded_meanwhile() -> None:
    lanes = [lane(ColourEncoder(str(number))) for number in range(3)]
    batches = Batches[str](lanes, 4)
    for number in range(3 * 3):
        batches.add(number % 3, "file", picture(number))
    batches.start(partial=True)
    assert batches.is_encoding
    while not batches.is_crowded:
        batches.add(0, "file", picture(0))
    batches.take(None)
    batches.start()  # without `partial`
    assert batches.is_encoding
    batches.take(None)
    assert not batches.is_crowded
    batches.close()


def test_what_is_dropped_is_counted_and_not_encoded() -> None:
    batches = Batches[str]([lane(ColourEncoder())], 2)
    for owner in ("bad", "good", "bad"):
        batches.add(0, owner, picture(1))
    assert (batches.drop("bad"), len(batches)) == (2, 1)
    assert [[owner for owner, _ in batch] for batch in drained(batches, partial=True)] == [["good"]]
    batches.close()


def test_a_few_large_messages_fill_the_queue_as_many_small_ones_do() -> None:
    info = MediaInfo(Kind.VIDEO, "mp4")
    large = Piece(0, info, clip(1, 32))
    events = _Events(QUEUED_MESSAGES)
    for _ in range(QUEUED_MESSAGES):
        assert not events.full()
        events.put((None, Alive()))  # type: ignore[arg-type]
    assert events.full()
    for _ in range(QUEUED_MESSAGES):
        events.get(block=False)
    assert events.empty()
    count = 0
    while not events.full():
        events.put((None, large), block=False)  # type: ignore[arg-type]
        count += 1
    assert count == QUEUED_MESSAGES * 1024**2 // bytes_of(large.decoded) == 2
