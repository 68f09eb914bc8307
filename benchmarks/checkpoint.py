"""Full-size models of OpenCLIP with weights at random: as slow as trained ones, and made on the spot."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from .measure import ROOT

__all__ = ["make_checkpoint", "write_onnx"]

EXPORTERS = ("onnx==1.23.2", "onnxscript==0.7.2", "onnx-ir==1.1.0", "ml_dtypes==0.6.0")
"""Only to write the file that rclip reads; kept out of the project's environment."""

EXPORT = """
import sys, open_clip, torch
model = open_clip.create_model(f"local-dir:{sys.argv[1]}").eval()
height, width = model.visual.image_size
example = torch.zeros(2, 3, height, width)
torch.onnx.export(model.visual, (example,), sys.argv[2], input_names=["input"], output_names=["output"],
                  dynamic_shapes={"x": {0: torch.export.Dim("batch")}}, dynamo=True, external_data=False)
"""


def make_checkpoint(name: str, folder: Path) -> Path:
    """Save a model of OpenCLIP's, initialised at random, as a folder that OpenCLIP can load.

    Args:
        name: As OpenCLIP lists it.
        folder: Made; 600 MB for a ViT-B/32.
    """
    import open_clip
    import torch
    from safetensors.torch import save_file

    folder.mkdir(parents=True)
    torch.manual_seed(0)
    model = open_clip.create_model(name)
    config = {"model_cfg": open_clip.get_model_config(name), "preprocess_cfg": model.visual.preprocess_cfg}
    (folder / "open_clip_config.json").write_text(json.dumps(config), encoding="utf-8")
    (folder / "name.json").write_text(json.dumps(name), encoding="utf-8")
    save_file({key: value.contiguous() for key, value in model.state_dict().items()}, folder / "open_clip_model.safetensors")
    return folder


def write_onnx(checkpoint: Path, cache: Path) -> None:
    """Write the image tower as ``visual.onnx``, in single precision, beside the weights.

    Raises:
        CalledProcessError: What that needs could not be installed, or failed.
    """
    tools = cache / "onnx"
    if not tools.exists():
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(tools), *EXPORTERS]
        subprocess.run(pip, check=True, capture_output=True, text=True)
    arguments = [sys.executable, "-c", EXPORT, str(checkpoint), str(checkpoint / "visual.onnx")]
    subprocess.run(arguments, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(tools)}, check=True, capture_output=True, text=True)
