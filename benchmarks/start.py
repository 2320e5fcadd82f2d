"""Start and memory of the whole program: python benchmarks/start.py [--repeat 3]

Seconds from the start of the process until the page is served (the first run warms the disk cache and is not counted), seconds until
the page can be used in a browser where there is one, and memory with the demo model loaded, the page open and one picture made.
"""
import argparse
import os
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from server_process import ServerProcess

REQUEST = {"prompt": "a red circle on a blue background", "steps": 20, "seed": 1, "width": 128, "height": 128}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeat", type=int, default=3)
    repeat = parser.parse_args().repeat
    folder = Path(tempfile.mkdtemp())
    starts = []
    for _ in range(repeat + 1):
        began = time.perf_counter()
        with ServerProcess(folder, "--api"):
            starts.append(time.perf_counter() - began)
    with ServerProcess(folder, "--api") as server:
        interactive = seconds_until_interactive(server.url)
        status, _ = server.post("/sdapi/v1/txt2img", REQUEST)
        assert status == 200, server.log()
        began = time.perf_counter()
        server.post("/sdapi/v1/txt2img", REQUEST)
        picture = time.perf_counter() - began
        anonymous = anonymous_bytes(server.process.pid) if server.process else None
    shutil.rmtree(folder)
    print(f"{'start to page, s':34} {statistics.median(starts[1:]):8.2f}   at most 8")
    whole, after_load = interactive or (None, None)
    print(f"{'page interactive after request, s':34} {shown(whole)}")
    print(f"{'page interactive after load, s':34} {shown(after_load)}   at most 2")
    print(f"{'demo picture, 20 steps, s':34} {picture:8.2f}   at most 3")
    print(f"{'anonymous memory, MB':34} {shown(anonymous and anonymous / 1e6)}   at most 600")


def shown(number: float | None) -> str:
    return "     n/a" if number is None else f"{number:8.2f}"


def seconds_until_interactive(url: str) -> tuple[float, float] | None:
    """Until the prompt box takes text: from the request for the page, and from the browser's load event. None without a Chromium."""
    path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if path is None:
        return None
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        times = []
        for _ in range(6):  # the first fills the server's caches
            page = browser.new_context().new_page()
            began = time.perf_counter()
            page.goto(url, wait_until="commit")
            page.fill("#txt2img_prompt textarea", "a red circle")
            whole = time.perf_counter() - began
            load = page.evaluate("performance.getEntriesByType('navigation')[0].loadEventEnd") / 1000
            times.append((whole, whole - load))
        browser.close()
    whole, after_load = (statistics.median(column) for column in zip(*times[1:], strict=True))
    return whole, after_load


def anonymous_bytes(pid: int) -> int | None:
    """Memory that belongs to this process alone and is not a file; None where the system does not tell."""
    file = Path(f"/proc/{pid}/smaps_rollup")
    if not os.path.exists(file):
        return None
    line = next(line for line in file.read_text().splitlines() if line.startswith("Anonymous:"))
    return int(line.split()[1]) * 1024


if __name__ == "__main__":
    main()
