"""rclip 3: its own indexing, with our weights where it keeps the model that it downloads."""

import json
import os
import sys
import time
from pathlib import Path


def main(checkpoint: Path, photos: Path, folder: Path) -> None:
    os.environ["RCLIP_DATADIR"] = str(folder)
    from PIL import Image
    from rclip import db, model, model_download
    from rclip.main import RClip
    from rclip.utils import helpers

    place = folder / model_download.MODEL_SUBDIR
    place.mkdir()
    (place / model_download.VISUAL_ONNX).symlink_to(checkpoint / "visual.onnx")
    batch_size = helpers.init_arg_parser().parse_args(["nothing"]).indexing_batch_size
    clip = model.Model()
    clip.compute_image_features([Image.new("RGB", (256, 256))] * batch_size, for_indexing=True)
    with_database = db.DB(folder / "db.sqlite3")
    rclip = RClip(clip, with_database, batch_size, None)
    before, started = os.times(), time.perf_counter()
    rclip.ensure_index(str(photos))
    seconds, after = time.perf_counter() - started, os.times()
    paths, vectors = rclip._get_features(str(photos))
    first = paths.index(str(min(photos.iterdir())))
    rclip.close()
    cpu = after.user + after.system - before.user - before.system
    print(json.dumps({"count": len(paths), "seconds": seconds, "cpu": cpu, "vector": vectors[first].tolist()}))


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:4]))
