"""The canvas in Chromium: python benchmarks/canvas.py [--sizes 512 2048 4096]

For a mask and a colour layer of each size: from a mouse event to the painted frame while a broad line is drawn (median and the slowest of
twenty), the part of it that is our own work, undo of that line until it is painted, inverting or clearing the whole layer, filling it,
and sending picture and layer (first time, and again after one more line, when only the layer is sent).
"""
import argparse
import shutil
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from canvas_page import CanvasPage
from canvas_user import CanvasUser
from PIL import Image

WATCH = """(id) => {
    const {view, stage} = canvasOf(id);
    window.seen = {latency: [], work: []};
    let first = null, spent = 0;
    const timed = (object, name) => {
        const original = object[name].bind(object);
        object[name] = (...args) => {
            const began = performance.now();
            const result = original(...args);
            spent += performance.now() - began;
            return result;
        };
    };
    timed(canvasOf(id), "drawSegment");
    stage.addEventListener("pointermove", (event) => { if (first === null) first = event.timeStamp; }, true);
    const paint = view.paint.bind(view);
    view.paint = () => {
        const began = performance.now();
        paint();
        spent += performance.now() - began;
        if (first !== null) { seen.latency.push(performance.now() - first); seen.work.push(spent); }
        first = null;
        spent = 0;
    };
}"""
TIMED = """async ([id, action, argument]) => {
    const canvas = canvasOf(id);
    const began = performance.now();
    await canvas[action](argument);
    canvas.view.paint();
    return performance.now() - began;
}"""
COLUMNS = ("event to frame ms", "slowest of 20", "own work ms", "undo ms", "whole layer ms", "fill ms", "send ms", "send again ms")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[512, 2048, 4096])
    sizes = parser.parse_args().sizes
    path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if path is None:
        sys.exit("There is no Chromium.")
    from playwright.sync_api import sync_playwright

    folder = Path(tempfile.mkdtemp())
    print(f"{'':20}" + "".join(f"{name:>19}" for name in COLUMNS))
    with CanvasPage(folder / "page") as page, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        for size in sizes:
            Image.effect_noise((size, size), 60).convert("RGB").save(folder / f"{size}.png", compress_level=1)
            for kind in ("mask", "sketch"):
                tab = browser.new_page(viewport={"width": 1280, "height": 900})
                numbers = measured(CanvasUser(tab, page, kind), folder / f"{size}.png")
                print(f"{kind + ' ' + str(size):20}" + "".join(f"{number:19.1f}" for number in numbers), flush=True)
        browser.close()
    shutil.rmtree(folder)


def measured(user: CanvasUser, picture: Path) -> list[float]:
    """The numbers of COLUMNS for one canvas with this picture."""
    user.open()
    user.load(picture)
    size = user.js("canvas.pictureSize().width")
    user.tab.evaluate(WATCH, user.id)
    user.draw((size * 0.1, size * 0.2))  # the layer is made with the first stroke
    user.tab.evaluate("seen.latency = [], seen.work = []")
    user.draw(*[(size * (0.2 + 0.03 * step), size * (0.3 + 0.02 * (step % 5))) for step in range(21)])
    latency, work = user.tab.evaluate("[seen.latency, seen.work]")
    undo = timed(user, "undo")
    user.js("canvas.redo()")
    whole = timed(user, "invert" if user.kind == "mask" else "clearDrawing")
    user.js("canvas.undo()")
    fill = timed(user, "fill", {"x": 1, "y": 1})
    user.js("canvas.undo()")
    send = timed(user, "exported")
    user.draw((size * 0.8, size * 0.8), (size * 0.9, size * 0.7))
    again = timed(user, "exported")
    user.tab.close()
    return [statistics.median(latency), max(latency), statistics.median(work), undo, whole, fill, send, again]


def timed(user: CanvasUser, action: str, argument: Any = None) -> float:
    """Milliseconds of one action of the canvas until its result is painted."""
    return user.tab.evaluate(TIMED, [user.id, action, argument])


if __name__ == "__main__":
    main()
