"""The loaded model: pixels and words to tensors, and these through the network. The one module here that imports torch and OpenCLIP."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from ..inputs import check_word_pieces
from ..torch_runtime import loading, pick_device, side_by_side
from .recipe import Recipe

__all__ = ["Network", "load_network"]

LONGEST = 64
"""Times that a picture may be as long as wide; see `_with_middle`."""


@dataclass(frozen=True, slots=True)
class Network:
    """A model on its device.

    Attributes:
        device: As torch names it.
        model: OpenCLIP's, in evaluation mode.
        transform: A picture of Pillow → (3, height, width) tensor.
        words: Texts → tensor.
        squashes: Whether a picture of any shape becomes a square as a whole.
    """

    device: str
    model: Any
    transform: Any
    words: Words
    squashes: bool

    def images(self, pictures: Sequence[np.ndarray]) -> Any:
        """Encode pictures, each (height, width, 3) uint8, to a tensor of (n, dim)."""
        import torch

        batch = torch.stack(side_by_side(self._pixels, pictures))
        return self.model.encode_image(batch.to(self.device))

    def texts(self, tokens: Sequence[Any]) -> Any:
        """Encode what `Words` made of texts to a tensor of (n, dim)."""
        import torch

        return self.model.encode_text(torch.stack(list(tokens)).to(self.device))

    def _pixels(self, pixels: np.ndarray) -> Any:
        from PIL import Image

        return self.transform(Image.fromarray(np.ascontiguousarray(pixels if self.squashes else _with_middle(pixels))))


class Words:
    """The tokenizer of a model. Those of transformers keep settings between calls, so that one thread at a time may use them."""

    def __init__(self, spec: str, tokenizer: Any, limit: int) -> None:
        self._spec = spec
        self._tokenizer = tokenizer
        self._limit = limit
        self._lock = threading.Lock()
        self._none = len(self._pieces(""))

    def __call__(self, texts: Sequence[str]) -> list[Any]:
        """Make a tensor of (context length,) of each text.

        Raises:
            BadQuery: A text has more word pieces than the model takes, or none.
        """
        with self._lock:
            for text in texts:
                check_word_pieces(len(self._pieces(text)), self._limit, self._spec, empty=self._none)
            return list(self._tokenizer(list(texts)))

    def _pieces(self, text: str) -> Sequence[int]:
        """The word pieces of a whole text, with those that mark its ends; OpenCLIP's own call would cut it."""
        whole = getattr(self._tokenizer, "tokenizer", None)
        if whole is None:
            return [0, *self._tokenizer.encode(text), 0]
        pieces: Sequence[int] = whole(self._tokenizer.clean_fn(text), truncation=False, verbose=False).input_ids
        return [*pieces, 0] if self._tokenizer.tokenizer_mode == "clips" else pieces  # that mode puts one more behind the end


def load_network(spec: str, recipe: Recipe, device: str) -> Network:
    """Build the model and load its weights.

    Raises:
        ModelUnavailable: Its files are damaged, or do not go with each other.
        BadInput: There is no such device.
        EncoderFailed: There is not enough memory for it.
    """
    device = pick_device(device)
    with loading(spec, recipe.weights):
        import open_clip
        from open_clip.transform import PreprocessCfg, image_transform_v2

        model = _empty_model(recipe)
        open_clip.load_checkpoint(model, str(recipe.weights), strict=True, weights_only=True)
        preprocess = PreprocessCfg(**model.visual.preprocess_cfg)
        transform = image_transform_v2(preprocess, is_train=False)
        model.eval().requires_grad_(requires_grad=False).to(device)
    with loading(spec, recipe.tokenizer or recipe.weights):
        words = Words(spec, _tokenizer(recipe), recipe.context_length)
    return Network(device, model, transform, words, preprocess.resize_mode == "squash")


def _empty_model(recipe: Recipe) -> Any:
    """Build the model as OpenCLIP would from a folder, which only has the configuration: so nothing is looked for elsewhere."""
    import open_clip

    text = dict(recipe.model["text_cfg"])
    if recipe.text_tower is not None:
        text["hf_model_name"] = str(recipe.text_tower)
    config = {"model_cfg": {**recipe.model, "text_cfg": text}, "preprocess_cfg": dict(recipe.preprocess)}
    with TemporaryDirectory(prefix="anyseek-") as folder:
        (Path(folder) / "open_clip_config.json").write_text(json.dumps(config), encoding="utf-8")
        return open_clip.create_model(f"local-dir:{folder}", load_weights=False, pretrained_image=False, pretrained_text=False)


def _tokenizer(recipe: Recipe) -> Any:
    from open_clip.tokenizer import HFTokenizer, SimpleTokenizer

    text = recipe.model["text_cfg"]
    # Reductions drop words of texts that are too long, which are refused here; one of them fetches its own files.
    options = {name: value for name, value in text.get("tokenizer_kwargs", {}).items() if name != "reduction_mask"}
    if recipe.tokenizer is None:
        return SimpleTokenizer(context_length=recipe.context_length, **options)
    return HFTokenizer(
        str(recipe.tokenizer),
        context_length=recipe.context_length,
        tokenizer_mode=text.get("tokenizer_mode"),
        **{**options, "local_files_only": True, "trust_remote_code": False},
    )


def _with_middle(pixels: np.ndarray) -> np.ndarray:
    """Cut a picture down to its middle if it is longer than `LONGEST` times its width.

    Only the middle square is looked at, but first the whole picture is enlarged until its short side fits: a line of 65,000 pixels would
    take 10 GB.
    """
    for axis in (0, 1):
        length, longest = pixels.shape[axis], LONGEST * pixels.shape[1 - axis]
        if length > longest:
            start = (length - longest) // 2
            pixels = pixels[start : start + longest] if axis == 0 else pixels[:, start : start + longest]
    return pixels
