"""Reads the weights that ship with the package: which files there are, their fingerprint, and sessions made from them.

`manifest.json` is written by `scripts/build_starter.py` and holds the SHA-256 of every file, so that the fingerprint of the space costs
one small read and never a hash over 45 MB.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["FOLDER", "fingerprint", "label_vectors", "session"]

FOLDER = Path(__file__).parent / "weights"


def fingerprint(version: str) -> str:
    """Digest everything that shapes a vector: the files' hashes and the version of the code around them."""
    files: dict[str, str] = json.loads((FOLDER / "manifest.json").read_text("utf-8"))["sha256"]
    lines = [f"{name} {digest}" for name, digest in sorted(files.items())]
    return hashlib.sha256("\n".join([version, *lines]).encode()).hexdigest()


def label_vectors(name: str) -> np.ndarray:
    """Load the sentence embeddings of a tower's labels, (labels, 384) float32; a row's length is how much the label counts."""
    return np.asarray(np.load(FOLDER / f"{name}_labels.npy", allow_pickle=False), np.float32)


def session(name: str) -> Any:
    """Make an ONNX Runtime session of one network, named as its file without the suffix; it computes on the CPU, in the caller's thread."""
    # From 1.29 on, ONNX Runtime writes a device id into the user's home and sends events to its maker unless this is set before its import.
    # Nothing leaves the machine here (tests/e2e/test_demo.py).
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    import onnxruntime

    onnxruntime.disable_telemetry_events()  # what Windows builds listen to
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    # int8 weights become fp32 when the session is made. Left to itself, ONNX Runtime would round the activations to int8 as well.
    options.add_session_config_entry("session.disable_quant_qdq", "1")
    return onnxruntime.InferenceSession(str(FOLDER / f"{name}.onnx"), options, providers=["CPUExecutionProvider"])
