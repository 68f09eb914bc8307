"""What looking at a film costs: our frames and shots against decoding all of it, and against key frames alone.

    python benchmarks/film_sampling.py [FILM ...]

Without arguments two films of 1080p30 are made first: one as a camera writes it (a key frame each second, about 20 Mb/s) and one with
x264's long groups (a key frame every 250 frames, about 4 Mb/s), each with a cut every 7 seconds. Seconds are CPU seconds.
"""

from __future__ import annotations

import argparse
import multiprocessing
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from PIL import Image

SECONDS, RATE, CUT_EVERY = 60, 30, 7
WIDTH, HEIGHT = 1920, 1080


def make_film(path: Path, gop: int, bit_rate: int) -> None:
    """Pans over coloured patches with grain, another one every `CUT_EVERY` seconds."""
    rng = np.random.default_rng(1)
    grain = rng.integers(-12, 13, (8, HEIGHT, WIDTH, 1), np.int16)
    with av.open(str(path), "w") as container:
        track = container.add_stream("libx264", rate=RATE, options={"preset": "veryfast"})
        track.width, track.height, track.pix_fmt, track.bit_rate, track.gop_size = WIDTH, HEIGHT, "yuv420p", bit_rate, gop
        scene = np.zeros(0)
        for number in range(SECONDS * RATE):
            if number % (CUT_EVERY * RATE) == 0:
                patches = rng.integers(0, 256, (5, 9, 3)) * 0.6 + rng.integers(0, 256, 3) * 0.4
                scene = np.asarray(Image.fromarray(patches.astype(np.uint8)).resize((2400, 1350), Image.Resampling.BICUBIC), np.int16)
            x, y = 2 * (number % (CUT_EVERY * RATE)), number % (CUT_EVERY * RATE)
            pixels = np.clip(scene[y : y + HEIGHT, x : x + WIDTH] + grain[number % 8], 0, 255).astype(np.uint8)
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, RATE)
            for packet in track.encode(frame):
                container.mux(packet)
        for packet in track.encode(None):
            container.mux(packet)


def decode_all(path: Path) -> int:
    with av.open(str(path)) as container:
        track = container.streams.video[0]
        track.thread_type = "AUTO"
        return sum(1 for _ in container.decode(track))


def decode_key_frames(path: Path) -> int:
    with av.open(str(path)) as container:
        track = container.streams.video[0]
        track.thread_type = "AUTO"
        track.codec_context.skip_frame = "NONKEY"
        return sum(1 for frame in container.decode(track) if frame.to_ndarray(format="rgb24", width=568, height=320) is not None)


def look(interval_ms: int, backend: str = "pyav") -> Callable[[Path], str]:
    def looked(path: Path) -> str:
        from anyseek.media.open import open_media
        from anyseek.media.protocol import DecodeOptions
        from anyseek.types import Modality

        options = DecodeOptions(frame_interval_ms=interval_ms, video_backend=backend, modalities=frozenset({Modality.IMAGE}))
        with open_media(path, options) as film:
            starts = [picture.segment.start_ms / 1000 for picture in film.segments()]
        return f"{len(starts)} segments; {_accuracy(starts)}"

    return looked


def _accuracy(starts: list[float]) -> str:
    true = [float(second) for second in range(CUT_EVERY, SECONDS, CUT_EVERY)]
    errors = [min(abs(start - cut) for start in starts) for cut in true]
    return f"{sum(error <= 1 for error in errors)} of {len(true)} cuts within 1 s, off by {np.mean(errors):.2f} s"


WAYS: dict[str, Callable[[Path], object]] = {
    "decode all (PyAV)": decode_all,
    "key frames alone": decode_key_frames,
    "anyseek, a frame / 1 s": look(1000),
    "anyseek, a frame / 2 s": look(2000),
    "anyseek, decord, 1 s": look(1000, "decord"),
}


def measure(path: Path, runs: int) -> Iterator[tuple[str, float, int, str]]:
    """Each way in a process of its own: the least CPU seconds of `runs`, peak memory in MB, and what it found."""
    for name in WAYS:
        costs = []
        for _ in range(runs):
            command = [sys.executable, __file__, "--way", name, str(path)]
            cpu, memory, found = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip().split("\t")
            costs.append((float(cpu), int(memory), found))
        yield (name, *min(costs))


def run_one_way(name: str, path: Path) -> None:
    import resource
    import time

    before = time.process_time()
    found = WAYS[name](path)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"{time.process_time() - before:.3f}\t{memory}\t{found}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("films", nargs="*", type=Path)
    parser.add_argument("--runs", type=int, default=2)
    parser.add_argument("--way", choices=WAYS, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.way:
        run_one_way(arguments.way, arguments.films[0])
        return
    with tempfile.TemporaryDirectory() as folder:
        films = arguments.films
        if not films:
            films = [Path(folder) / "camera-like.mp4", Path(folder) / "long groups.mp4"]
            for film, gop, bit_rate in zip(films, (30, 250), (20_000_000, 4_000_000), strict=True):
                # in another process: the peak memory of this one would be inherited by all that it starts
                maker = multiprocessing.get_context("spawn").Process(target=make_film, args=(film, gop, bit_rate))
                maker.start()
                maker.join()
        for film in films:
            print(f"\n{film.name}, {film.stat().st_size / 1e6:.0f} MB")
            print(f"{'way':26} {'CPU s':>7} {'of all':>7} {'MB':>5}  found")
            whole = 0.0
            for name, cpu, memory, found in measure(film, arguments.runs):
                whole = whole or cpu
                print(f"{name:26} {cpu:7.2f} {cpu / whole:7.2f} {memory:5}  {found}")


if __name__ == "__main__":
    main()
