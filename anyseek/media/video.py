"""Films and sounds as the indexer sees them: what they say about themselves, their pictures in order of time, then their sound."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

from ..errors import BadInput, FailureCode, MediaError
from ..types import Clip, Decoded, Kind, MediaInfo, Modality, Picture, Sound
from .audio import is_silent, windows
from .clips import pictures_and_clips
from .containers import Summary, summarize
from .frames_decord import DecordFrames
from .frames_pyav import PyavFrames
from .metadata import av_metadata
from .protocol import DecodeOptions, Frame, FrameReader, Tick

__all__ = ["AudioFile", "VideoFile", "frame_reader", "open_av"]

_ONE_TRACK_ONLY = {FailureCode.DAMAGED, FailureCode.UNSUPPORTED, FailureCode.NO_CONTENT}


def open_av(path: Path, options: DecodeOptions) -> VideoFile | AudioFile:
    """Open a film or a sound. A file whose only pictures are its cover is a sound.

    Raises:
        MediaError: It cannot be opened, or lies beyond ``options.limits``.
        MissingExtra: The video backend that `options` name is not installed.
        BadInput: There is no such video backend.
    """
    summary = summarize(path, options.limits)
    return VideoFile(path, options, summary) if summary.has_picture else AudioFile(path, options, summary)


def frame_reader(backend: str) -> FrameReader:
    """The reader called ``pyav`` or ``decord``.

    Raises:
        MissingExtra: It is not installed.
        BadInput: There is none of that name.
    """
    if backend == PyavFrames.name:
        return PyavFrames()
    if backend == DecordFrames.name:
        return DecordFrames()
    raise BadInput(f"no video backend is called {backend!r}: use {PyavFrames.name!r} or {DecordFrames.name!r}")


class _AvFile:
    """What films and sounds have in common. Nothing stays open between calls."""

    kind: Kind

    def __init__(self, path: Path, options: DecodeOptions, summary: Summary) -> None:
        self._path = path
        self._options = options
        self._summary = summary
        tags = av_metadata(path, summary.tags, mutagen_tags=self.kind is Kind.AUDIO)
        self.info = MediaInfo(
            kind=self.kind,
            format=summary.format,
            width=summary.width,
            height=summary.height,
            duration_ms=summary.duration_ms,
            has_audio=summary.has_sound,
            **tags.as_fields(),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        return None

    def _windows(self, tick: Tick, zero_ms: float | None) -> Iterator[Sound]:
        options = self._options
        return windows(
            self._path,
            sample_rate=options.sample_rate,
            window_ms=options.window_ms,
            limits=options.limits,
            tick=tick,
            zero_ms=zero_ms,
        )

    def _is_silent(self, sound: Sound) -> bool:
        return is_silent(sound.samples, self._options.silence_db)


class AudioFile(_AvFile):
    """One opened file of sound: a `MediaFile`."""

    kind = Kind.AUDIO

    def segments(self, tick: Tick = lambda: None) -> Iterator[Decoded]:
        """Decode its windows; nothing when the options take no sound.

        Args:
            tick: Called at least once a second of work.

        Raises:
            MediaError: DAMAGED when nothing can be decoded, NO_CONTENT when there is nothing but silence.
        """
        if Modality.AUDIO not in self._options.modalities:
            return
        heard, end_ms = False, 0
        for sound in self._windows(tick, None):
            end_ms = sound.segment.end_ms
            if not self._is_silent(sound):
                heard = True
                yield sound
        self.info = replace(self.info, duration_ms=end_ms)
        if not heard:
            raise MediaError(FailureCode.NO_CONTENT, "nothing but silence", self._path)


class VideoFile(_AvFile):
    """One opened film: a `MediaFile`."""

    kind = Kind.VIDEO

    def __init__(self, path: Path, options: DecodeOptions, summary: Summary) -> None:
        super().__init__(path, options, summary)
        self._reader = frame_reader(options.video_backend)

    def segments(self, tick: Tick = lambda: None) -> Iterator[Decoded]:
        """Decode its pictures, one or more for each shot, and each shot as a whole, then its sound without the silence.

        A film of which one track is damaged is read as far as the other goes.

        Args:
            tick: Called at least once a second of work.

        Raises:
            MediaError: Nothing at all can be decoded.
        """
        ends: list[int] = []
        failures: list[MediaError] = []
        if self._options.modalities & {Modality.IMAGE, Modality.VIDEO}:
            try:
                yield from self._seen(tick)
                ends.append(self._reader.end_ms)
            except MediaError as error:
                failures.append(_only_of_one_track(error))
        if Modality.AUDIO in self._options.modalities and self._summary.has_sound:
            try:
                for sound in self._windows(tick, self._summary.starts_at_ms):
                    ends.append(sound.segment.end_ms)
                    if not self._is_silent(sound):
                        yield sound
            except MediaError as error:
                failures.append(_only_of_one_track(error))
        if failures and not ends:
            raise failures[0]
        if ends:
            self.info = replace(self.info, duration_ms=max(ends))

    def _seen(self, tick: Tick) -> Iterator[Picture | Clip]:
        options, reader = self._options, self._reader
        sampled = reader.frames(
            self._path, interval_ms=options.frame_interval_ms, image_size=options.image_size, limits=options.limits, tick=tick
        )
        both = pictures_and_clips(
            _as_far_as_it_goes(sampled),
            end_ms=lambda: reader.end_ms,
            min_shot_ms=options.min_shot_ms,
            max_shot_ms=options.max_shot_ms,
            max_clip_frames=options.max_clip_frames if Modality.VIDEO in options.modalities else 0,
        )
        return (item for item in both if item.segment.modality in options.modalities)


def _as_far_as_it_goes(frames: Iterator[Frame]) -> Iterator[Frame]:
    """What was read before a film turned out to be damaged stands."""
    begun = False
    try:
        for frame in frames:
            begun = True
            yield frame
    except MediaError as error:
        if not begun:
            raise
        _only_of_one_track(error)


def _only_of_one_track(error: MediaError) -> MediaError:
    """Hand the error back when the file's other track may be better; else raise it."""
    if error.code not in _ONE_TRACK_ONLY:
        raise error
    return error
