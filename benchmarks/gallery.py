"""The gallery over very many pictures: python benchmarks/gallery.py [--pictures 50000]

Makes small pictures with parameters in a temporary folder, then prints how long these take: listing them for the first time until the
first page is there, reading all of them, listing them again, the first page, and searches over prompts and parameters.
"""
import argparse
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from modules.gallery.gallery import Gallery

WORDS = ("red", "fox", "night", "forest", "castle", "river", "oil", "painting", "portrait", "mountain", "cat", "robot", "glass", "city")
SEARCHES = ("", "castle", '"red fox" -night', "cfg>7 steps:20..30", "seed:100..2000000000", "sampler:euler is:starred")
PAGE = 100


def write_pictures(folder: Path, count: int) -> None:
    """Pictures of ten minutes' distance, in a folder for each 150."""
    drawn = random.Random(1)
    image = Image.new("RGB", (8, 8))
    for number in range(count):
        place = folder / f"{number // 150:05d}"
        place.mkdir(parents=True, exist_ok=True)
        info = PngInfo()
        info.add_text("parameters", f"{' '.join(drawn.choices(WORDS, k=40))}\nNegative prompt: {' '.join(drawn.choices(WORDS, k=20))}\n"
                      f"Steps: {drawn.randint(10, 60)}, Sampler: Euler, CFG scale: {drawn.randint(1, 15)}, Seed: {drawn.getrandbits(32)}, "
                      "Size: 512x512, Model hash: abcdef0123, Model: dream")
        path = place / f"{number:06d}.png"
        image.save(path, pnginfo=info, compress_level=1)
        os.utime(path, (1.7e9 + number * 600,) * 2)


def timed(name: str, work: Callable[[], object]) -> None:
    began = time.perf_counter()
    work()
    print(f"{name:<44}{(time.perf_counter() - began) * 1000:>10.0f} ms", flush=True)


def first_page(gallery: Gallery, query: str) -> None:
    found = gallery.find(query, "newest", "")
    gallery.index.rows(found.numbers[:PAGE])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=int, default=50_000)
    count = parser.parse_args().pictures
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_pictures(folder / "pictures", count)
        gallery = Gallery(folder / "gallery.sqlite", lambda: [folder / "pictures"])
        print(f"{count:,} pictures")
        timed("first page of a folder never seen before", lambda: (gallery.look(30), first_page(gallery, "")))
        timed("until all are listed and read", gallery.read_all)
        timed("listing them again", gallery.list_files)
        for query in SEARCHES:
            gallery.star((), True)  # a change: nothing found before is kept
            timed(f"search: {query or '(everything)'}", lambda query=query: first_page(gallery, query))
        gallery.close()


if __name__ == "__main__":
    main()
