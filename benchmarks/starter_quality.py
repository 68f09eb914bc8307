"""Measures how well the starter encoder finds labelled photos and sounds.

    python benchmarks/starter_quality.py FOLDER

FOLDER holds `photos/labels.csv` and `sounds/labels.csv` (columns file, label; the files lie beside the table), such as one photo for
each ImageNet class and clips of ESC-10. Either may be missing. Nothing of it comes with the project.
"""

from __future__ import annotations

import argparse
import csv
import sys
import time
from pathlib import Path

import av
import numpy as np
from PIL import Image, ImageOps

from anyseek.encoders.protocol import Encoder, EncoderSettings
from anyseek.encoders.registry import load

PHOTO_QUERIES = {"class name": "{}", "a photo of a …": "a photo of a {}"}
SOUND_QUERIES = {"class name": "{}", "the sound of …": "the sound of {}"}

BOTH = {
    "a dog": (
        {"dog bark"},
        "spaniel terrier bluetick wolfhound saluki retriever setter groenendael sheepdog doberman boxer dog pug poodle",
    ),
    "a chicken": ({"rooster"}, "hen cock"),
    "a clock": ({"clock tick"}, "clock"),
    "rain": ({"rain"}, ""),
    "a musical instrument": (set(), "brass horn sax drumstick chime"),
    "an insect": (set(), "beetle fly cockroach damselfly lycaenid"),
    "sports": (set(), "volleyball ping-pong racket puck barbell"),
    "a baby": ({"baby cry"}, ""),
}
"""Query → (labels of the sounds, words in the labels of the photos) that answer it, for one list of photos and sounds."""


def labelled(folder: Path) -> list[tuple[Path, str]]:
    """Read the table of a folder; empty when there is none."""
    table = folder / "labels.csv"
    if not table.is_file():
        return []
    with table.open(newline="", encoding="utf-8") as file:
        return [(folder / row["file"], row["label"]) for row in csv.DictReader(file)]


def pixels(path: Path) -> np.ndarray:
    with Image.open(path) as picture:
        return np.asarray(ImageOps.exif_transpose(picture).convert("RGB"))


def samples(path: Path, encoder: Encoder) -> np.ndarray:
    """Decode to mono at the encoder's rate and keep the first window."""
    resampler = av.AudioResampler("flt", "mono", encoder.sample_rate)
    with av.open(str(path)) as container:
        frames = [part for frame in container.decode(audio=0) for part in resampler.resample(frame)]
    frames += resampler.resample(None)
    longest = encoder.sample_rate * encoder.max_audio_ms // 1000
    return np.concatenate([frame.to_ndarray()[0] for frame in frames])[:longest].astype(np.float32)


def recalls(scores: np.ndarray, relevant: np.ndarray) -> dict[str, float]:
    """R@k: the share of queries with a relevant item among the first k of (queries, items) scores."""
    best = np.where(relevant, scores, -np.inf).max(axis=1)
    rank = (np.where(relevant, -np.inf, scores) > best[:, None]).sum(axis=1)
    return {f"R@{k}": float((rank < k).mean()) for k in (1, 5, 10)}


def mean_average_precision(scores: np.ndarray, relevant: np.ndarray) -> float:
    """Precision at each relevant item, averaged over the items and then over the queries."""
    order = np.argsort(-scores, axis=1, kind="stable")
    hits = np.take_along_axis(relevant, order, axis=1)
    precision = hits.cumsum(axis=1) / np.arange(1, hits.shape[1] + 1)
    return float(((precision * hits).sum(axis=1) / hits.sum(axis=1)).mean())


def report(what: str, setting: str, scores: np.ndarray, relevant: np.ndarray) -> None:
    figures = {**recalls(scores, relevant), "mAP": mean_average_precision(scores, relevant)}
    own = float(scores[relevant].mean())
    print(
        f"{what:16}{setting:24}"
        + "".join(f"{name} {value:.3f}   " for name, value in figures.items())
        + f"score of a right answer {own:.2f}"
    )


def by_label(what: str, queries: dict[str, str], labels: list[str], rows: np.ndarray, encoder: Encoder) -> None:
    """Ask for every label in every form."""
    names = sorted(set(labels))
    relevant = np.array([[label == name for label in labels] for name in names])
    for setting, form in queries.items():
        report(what, setting, encoder.encode_text([form.format(name) for name in names]) @ rows.T, relevant)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    photos, sounds = labelled(arguments.folder / "photos"), labelled(arguments.folder / "sounds")
    if not photos and not sounds:
        sys.exit(f"neither photos/labels.csv nor sounds/labels.csv is in {arguments.folder}: name the folder that holds them")
    encoder = load("starter", EncoderSettings(threads=arguments.threads))

    pictures, windows = [pixels(path) for path, _ in photos], [samples(path, encoder) for path, _ in sounds]
    encoder.encode_images(pictures[:1])
    encoder.encode_audio(windows[:1])
    start = time.perf_counter()
    picture_rows = encoder.encode_images(pictures)
    middle = time.perf_counter()
    sound_rows = encoder.encode_audio(windows)
    end = time.perf_counter()

    photo_labels, sound_labels = [label for _, label in photos], [label for _, label in sounds]
    if photos:
        by_label("text → photo", PHOTO_QUERIES, photo_labels, picture_rows, encoder)
    if sounds:
        by_label("text → sound", SOUND_QUERIES, sound_labels, sound_rows, encoder)
    if photos and sounds:
        answers = {
            query: np.array(
                [any(w in label.lower().split() for w in words.split()) for label in photo_labels]
                + [label in heard for label in sound_labels]
            )
            for query, (heard, words) in BOTH.items()
        }
        answers = {query: relevant for query, relevant in answers.items() if relevant.any()}
        scores = encoder.encode_text(list(answers)) @ np.concatenate([picture_rows, sound_rows]).T
        report("text → both", "one list", scores, np.array(list(answers.values())))
        shown = [i for i, label in enumerate(photo_labels) if {"hen", "cock"} & set(label.split())]
        if shown and "rooster" in sound_labels:
            relevant = np.array([[label == "rooster" for label in sound_labels]] * len(shown))
            report("photo → sound", "hen, cock → rooster", picture_rows[shown] @ sound_rows.T, relevant)
    rates = len(photos) / max(middle - start, 1e-9), len(sounds) / max(end - middle, 1e-9)
    print(f"{rates[0]:.0f} photos/s, {rates[1]:.0f} sounds/s with {arguments.threads} thread(s)")


if __name__ == "__main__":
    main()
