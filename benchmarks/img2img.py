"""The time of inpainting around the network: python benchmarks/img2img.py [--size 2048] [--repeat 5] [--checkpoint NAME]

A job reads the upload, works on the mask, crops, resizes, composites, saves, and proves that the rest is untouched. The time inside
the networks and that of encoding the result as PNG are taken within the same job and left out; encoding is printed beside it.
"""
import argparse
import io
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from overhead import Stopwatch, measured, watch_networks

from modules import cmd_args, engine, img2img
from modules.imaging import save

LIMIT_S = 0.6


def test_card(size: int) -> bytes:
    """A JPEG-like upload as PNG: soft colours with some grain."""
    coarse = np.random.default_rng(1).integers(0, 256, (size // 64, size // 64, 3), dtype=np.uint8)
    smooth = np.asarray(Image.fromarray(coarse).resize((size, size), Image.Resampling.BICUBIC), dtype=np.int16)
    grain = np.random.default_rng(2).integers(-3, 4, (size, size, 1), dtype=np.int16)
    file = io.BytesIO()
    Image.fromarray(np.clip(smooth + grain, 0, 255).astype(np.uint8)).filter(ImageFilter.SMOOTH).save(file, "PNG", compress_level=1)
    return file.getvalue()


def drawn_mask(size: int) -> bytes:
    """A blob in the middle, as from a brush: transparent around, opaque inside."""
    mask = Image.new("RGBA", (size, size))
    ImageDraw.Draw(mask).ellipse([size * 0.4, size * 0.35, size * 0.65, size * 0.6], fill=(255, 255, 255, 255))
    file = io.BytesIO()
    mask.save(file, "PNG", compress_level=1)
    return file.getvalue()


def varied(content: bytes, number: int) -> bytes:
    """The same picture as another file, so that nothing is known of it from before."""
    return content + number.to_bytes(4, "little")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=2048)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--data-dir")
    parser.add_argument("--checkpoint")
    arguments = parser.parse_args()
    rt = engine.start(cmd_args.parse(["--data-dir", arguments.data_dir or tempfile.mkdtemp()]))
    rt.settings.set("live_previews_enable", False)
    info = rt.chosen_checkpoint(arguments.checkpoint)
    picture, mask = test_card(arguments.size), drawn_mask(arguments.size)
    request: dict[str, Any] = {
        "prompt": "a cat", "steps": 2, "width": 512, "height": 512, "sampler_name": "Euler", "inpaint_full_res": True, "seed": 1,
        "override_settings": {"sd_model_checkpoint": info.title}}

    def job(number: int) -> None:
        made = img2img.submit(rt, {**request, "init_images": [varied(picture, number)], "mask": varied(mask, number)})
        made.wait()
        assert made.status == "done", made.error
        assert made.result["images"][0]["proof"] == {"applies": True, "changed": 0, "why": ""}

    encoding = Stopwatch()
    save.encode = encoding.wrapped(save.encode)
    request["width"] = request["height"] = 64
    job(0)  # loads the checkpoint
    request["width"] = request["height"] = 512
    networks = Stopwatch()
    watch_networks(rt.models.current, networks)
    vae = rt.models.current.first_stage_model
    vae.encode = networks.wrapped(vae.encode)
    rows = []
    for number in range(1, arguments.repeat + 1):
        encoding.seconds = 0.0
        whole, inside = measured(lambda number=number: job(number), networks)
        rows.append((whole, inside, encoding.seconds, whole - inside - encoding.seconds))
    whole, inside, encoded, rest = (statistics.median(column) for column in zip(*rows, strict=True))
    print(f"{'picture':>11} {'job s':>7} {'network s':>9} {'encoding s':>10} {'the rest s':>10}")
    print(f"{arguments.size:>6}x{arguments.size} {whole:7.3f} {inside:9.3f} {encoded:10.3f} {rest:10.3f}  (limit {LIMIT_S} s)")
    engine.stop(rt)
    sys.exit(rest > LIMIT_S)


if __name__ == "__main__":
    main()
