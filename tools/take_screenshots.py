"""Makes the pictures of the documentation with the real page: python tools/take_screenshots.py [--out docs]

Needs the system's Chromium and what the tests need (./webui.sh test installs it).
"""
import argparse
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

PROGRAM = Path(__file__).resolve().parent.parent
PROMPT = "mountains at sunset with a red balloon"
WIDTH_PX, HEIGHT_PX = 1280, 1000
START_S, PICTURE_S = 120, 120


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=PROGRAM / "docs")
    parser.add_argument("--prompt", default=PROMPT)
    parser.add_argument("--seed", default="9")
    args = parser.parse_args()
    browser = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        print("There is no Chromium. Install it with the system's packages, or name it in CHROMIUM.", file=sys.stderr)
        return 1
    args.out.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="easel-") as data_dir, socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        command = [sys.executable, str(PROGRAM / "webui.py"), "--port", str(port), "--data-dir", data_dir, "--theme", "light"]
        server = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        try:
            wait_for(f"http://127.0.0.1:{port}/", server)
            first_picture(f"http://127.0.0.1:{port}/", browser, args)
        finally:
            server.terminate()
            server.wait()
    return 0


def wait_for(url: str, server: subprocess.Popen) -> None:
    end = time.monotonic() + START_S
    while server.poll() is None and time.monotonic() < end:
        try:
            urllib.request.urlopen(url, timeout=30).close()
            return
        except OSError:
            time.sleep(0.2)
    raise SystemExit("The server did not start.")


def first_picture(url: str, browser: str, args: argparse.Namespace) -> None:
    """What a new user sees after the first Generate."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=browser, args=["--no-sandbox", "--disable-gpu"])
        page = running.new_context(viewport={"width": WIDTH_PX, "height": HEIGHT_PX}, color_scheme="light").new_page()
        page.goto(url)
        page.fill("#txt2img_prompt textarea", args.prompt)
        page.fill("#txt2img_seed input", args.seed)
        page.click("#txt2img_generate")
        page.wait_for_selector("#txt2img_gallery img", timeout=PICTURE_S * 1000)
        page.wait_for_load_state("networkidle")
        path = args.out / "first-picture.png"
        page.screenshot(path=str(path))
        running.close()
    print(path)


if __name__ == "__main__":
    sys.exit(main())
