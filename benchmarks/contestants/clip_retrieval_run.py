"""clip-retrieval 2: its own inference over a folder, as ``clip-retrieval inference`` runs it, with our weights."""

import inspect
import json
import os
import sys
import time
from pathlib import Path


def main(checkpoint: Path, photos: Path, folder: Path) -> None:
    import numpy as np
    from all_clip import load_clip
    from clip_retrieval.clip_inference.main import main as inference
    from clip_retrieval.clip_inference.worker import worker

    name = json.loads((checkpoint / "name.json").read_text())
    standard = {name: parameter.default for name, parameter in inspect.signature(inference).parameters.items()}
    model = {"clip_model": f"open_clip:{name}/{checkpoint / 'open_clip_model.safetensors'}", "use_jit": standard["use_jit"]}
    batch = standard["batch_size"]
    load_clip(**model, warmup_batch_size=batch, clip_cache_path=None)  # kept: the worker asks for the same
    (folder / "stats").mkdir()
    before, started = os.times(), time.perf_counter()
    worker(
        tasks=[0],
        input_dataset=str(photos),
        output_folder=str(folder),
        output_partition_count=1,
        batch_size=batch,
        num_prepro_workers=standard["num_prepro_workers"],
        enable_text=False,
        enable_metadata=False,
        **model,
    )
    seconds, after = time.perf_counter() - started, os.times()
    vectors = np.load(next(folder.rglob("img_emb*.npy")))
    cpu = sum(after[:4]) - sum(before[:4])
    print(json.dumps({"count": len(vectors), "seconds": seconds, "cpu": cpu, "vector": vectors[0].astype(float).tolist()}))


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:4]))
