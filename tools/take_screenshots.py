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
SETTLE_MS = 1500
INPAINT_PROMPT = "mountains at sunset with a yellow balloon"
BRUSH_PX = "36"
TABS = ("txt2img", "img2img", "gallery", "extras", "pnginfo", "modelmerger", "settings", "extensions")
VIEWS = (("light", WIDTH_PX), ("dark", WIDTH_PX), ("dark", 390))
GAP_PX = 24
STROKE = ((0.45, 0.25), (0.5, 0.25), (0.52, 0.4), (0.44, 0.4), (0.48, 0.25))  # over the picture, as shares of its edge


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=PROGRAM / "docs")
    parser.add_argument("--prompt", default=PROMPT)
    parser.add_argument("--seed", default="9")
    parser.add_argument("--inpaint-seed", default="21")
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
            take_pictures(f"http://127.0.0.1:{port}/", data_dir, browser, args)
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


def take_pictures(url: str, data_dir: str, browser: str, args: argparse.Namespace) -> None:
    """The page after the first Generate, and an inpainting."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=browser, args=["--no-sandbox", "--disable-gpu"])
        page = running.new_context(viewport={"width": WIDTH_PX, "height": HEIGHT_PX}, color_scheme="light").new_page()
        page.goto(url)
        first_picture(page, args)
        save(page, args.out / "first-picture.png", data_dir)
        inpainting(page, args)
        save(page, args.out / "inpaint.png", data_dir)
        for tab in TABS:
            every_view(page, tab, args.out / "tabs" / f"{tab}.jpg", data_dir)
        running.close()


def every_view(page, tab: str, path: Path, data_dir: str) -> None:
    """One picture of a tab: in light, in dark, and as wide as a phone, beside each other."""
    from io import BytesIO

    from PIL import Image

    shots = []
    for theme, width in VIEWS:
        page.set_viewport_size({"width": width, "height": HEIGHT_PX})
        page.evaluate("theme => { localSet('theme', theme); applyTheme(); }", theme)
        page.click(f"#tab_{tab}-button")
        page.wait_for_timeout(SETTLE_MS)
        without_folder(page, data_dir)
        page.evaluate("window.scrollTo(0, 0)")
        shots.append(Image.open(BytesIO(page.screenshot())).convert("RGB"))
    page.set_viewport_size({"width": WIDTH_PX, "height": HEIGHT_PX})
    page.evaluate("localSet('theme', 'light'); applyTheme()")
    sheet = Image.new("RGB", (sum(shot.width for shot in shots) + GAP_PX * (len(shots) - 1), HEIGHT_PX), "white")
    left = 0
    for shot in shots:
        sheet.paste(shot, (left, 0))
        left += shot.width + GAP_PX
    path.parent.mkdir(exist_ok=True)
    sheet.resize((sheet.width // 2, sheet.height // 2), Image.Resampling.LANCZOS).save(path, quality=82)


def first_picture(page, args: argparse.Namespace) -> None:
    """What a new user sees after the first Generate."""
    page.fill("#txt2img_prompt textarea", args.prompt)
    page.fill("#txt2img_seed input", args.seed)
    page.click("#txt2img_generate")
    page.wait_for_function("() => shownTask('txt2img')", timeout=PICTURE_S * 1000)


def inpainting(page, args: argparse.Namespace) -> None:
    """Send the picture to inpaint, draw over the sky, and let something else be there."""
    page.click("#txt2img_send_to_inpaint")
    canvas = page.locator("#img2maskimg canvas").first
    canvas.wait_for()
    page.wait_for_function("() => canvasOf('img2maskimg').hasPicture()")
    page.wait_for_function("prompt => textareaOf('img2img_prompt').value === prompt", arg=args.prompt)  # its parameters have come
    page.wait_for_timeout(SETTLE_MS)
    page.fill("#img2img_prompt textarea", INPAINT_PROMPT)
    for name, value in (("mask_blur", "2"), ("denoising_strength", "0.95"), ("seed", args.inpaint_seed)):
        page.locator(f"#img2img_{name} input[type=number]").fill(value)
    page.locator("#img2img_inpainting_fill label", has_text="fill").first.click()
    page.locator("#img2maskimg [aria-label='Brush size in pixels']").fill(BRUSH_PX)
    page.evaluate("window.scrollTo(0, 0)")
    page.wait_for_timeout(SETTLE_MS)
    box = canvas.bounding_box()
    left, top, edge = box["x"], box["y"], min(box["width"], box["height"])
    page.mouse.move(left + edge * STROKE[0][0], top + edge * STROKE[0][1])
    page.mouse.down()
    for x, y in STROKE[1:]:
        page.mouse.move(left + edge * x, top + edge * y, steps=8)
    page.mouse.up()
    page.click("#img2img_generate")
    page.wait_for_function("() => shownTask('img2img')", timeout=PICTURE_S * 1000)


def without_folder(page, data_dir: str) -> None:
    """The temporary folder stands for the one of a user."""
    page.evaluate("([folder, shown]) => byId('models_note') && (byId('models_note').innerHTML = "
                  "byId('models_note').innerHTML.replaceAll(folder, shown))", [data_dir, "easel"])


def save(page, path: Path, data_dir: str) -> None:
    """Write what is seen."""
    without_folder(page, data_dir)
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(SETTLE_MS)
    page.evaluate("window.scrollTo(0, 0)")
    page.screenshot(path=str(path))
    print(path)


if __name__ == "__main__":
    sys.exit(main())
