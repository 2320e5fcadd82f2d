"""The page in Chromium: python benchmarks/page.py [--pictures 200]

Prints how long the page takes until it can be used, how long each tab takes to be shown (first time, and again), and the size of the
JavaScript heap before and after many pictures were made.
"""
import argparse
import shutil
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

import tiny_model
from playwright.sync_api import sync_playwright
from server_process import ServerProcess

TABS = ("txt2img", "img2img", "gallery", "extras", "pnginfo", "modelmerger", "settings", "extensions")
USABLE = "() => typeof uiIsLoaded !== 'undefined' && uiIsLoaded && queueState.version >= 0"
SWITCH = """async (tab) => {
    const began = performance.now();
    document.getElementById("tab_" + tab + "-button").click();
    await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
    return performance.now() - began;
}"""
PICTURES_AT_ONCE = 20


def heap_mb(page) -> float:
    """The JavaScript heap after a collection."""
    session = page.context.new_cdp_session(page)
    session.send("HeapProfiler.collectGarbage")
    session.send("Performance.enable")
    metrics = {row["name"]: row["value"] for row in session.send("Performance.getMetrics")["metrics"]}
    return metrics["JSHeapUsedSize"] / 2**20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=int, default=200)
    count = parser.parse_args().pictures
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    with tempfile.TemporaryDirectory() as name, ServerProcess(tiny_model.make_data_dir(Path(name) / "data"), "--api") as server, \
            sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=browser, args=["--no-sandbox", "--disable-gpu"])
        page = running.new_page(viewport={"width": 1440, "height": 900})
        for attempt in ("first load", "second load"):
            began = time.perf_counter()
            page.goto(server.url)
            page.wait_for_function(USABLE)
            print(f"{attempt + ' until it can be used':<40}{time.perf_counter() - began:>8.2f} s", flush=True)
        for tab in TABS:
            first = page.evaluate(SWITCH, tab)
            page.wait_for_timeout(800)
            page.evaluate(SWITCH, "txt2img" if tab != "txt2img" else "img2img")
            page.wait_for_timeout(300)
            print(f"{'tab ' + tab:<40}{first:>8.0f} ms, again {page.evaluate(SWITCH, tab):.0f} ms", flush=True)
        page.evaluate(SWITCH, "txt2img")
        print(f"{'heap before pictures':<40}{heap_mb(page):>8.0f} MB", flush=True)
        make_pictures(page, count)
        print(f"{f'heap after {count} pictures':<40}{heap_mb(page):>8.0f} MB", flush=True)
        running.close()


def make_pictures(page, count: int) -> None:
    page.fill("#txt2img_prompt textarea", "a red circle")
    for element, value in (("steps", 1), ("width", 64), ("height", 64), ("batch_count", PICTURES_AT_ONCE)):
        box = page.locator(f"#txt2img_{element} input[type=number]")
        box.fill(str(value))
        box.press("Tab")
    for _ in range(max(1, count // PICTURES_AT_ONCE)):
        before = page.evaluate("shownTask('txt2img')")
        page.click("#txt2img_generate")
        page.wait_for_function("before => shownTask('txt2img') !== before && !tasksLeft()", arg=before, timeout=300_000)


if __name__ == "__main__":
    main()
