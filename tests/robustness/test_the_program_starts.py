"""Promise 5: the page is up whatever the state of settings, styles, models, extensions, packages and network, and says what is wrong."""
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import tiny_model
from server_process import GUARD, ROOT, ServerProcess

pytestmark = pytest.mark.timeout(600)

# Folder below extensions/ -> the script in it. All of them are broken.
USUAL = "from modules import script_callbacks, scripts\n"
CLASS = USUAL + "class S(scripts.Script):\n    def title(self): {title}\n    def ui(self, is_img2img): {ui}\n"
CALLBACK = USUAL + "def fail(*_): raise ValueError('fails')\nscript_callbacks.on_{event}(fail)\n"
BROKEN_EXTENSIONS = {
    "e01-syntax": "def (", "e02-import": "import no_such_package_anywhere", "e03-old-import": "from modules.sd_hijack import no_such_name",
    "e04-raises": "raise RuntimeError('at once')", "e05-exits": "import sys; sys.exit(5)",
    "e06-slow": "import time; time.sleep(2); raise OSError('late')",
    "e07-no-controls": CLASS.format(title="return 'E7'", ui="raise ValueError('no controls')"),
    "e08-no-title": CLASS.format(title="raise ValueError('no title')", ui="return []"),
    "e09-tabs": CALLBACK.format(event="ui_tabs"), "e10-settings": CALLBACK.format(event="ui_settings"),
    "e11-app": CALLBACK.format(event="app_started"), "e12-<b>name": "\x00 not python",
}
# Packages that only some tasks need, and what a module of that name does here.
OPTIONAL = ("spandrel", "facexlib", "gfpgan", "realesrgan", "cv2", "diffusers", "transformers", "scipy", "torchvision", "xformers")


def damage_everything(data: Path, missing: Path) -> None:
    """A data folder in which nothing is as it should be, and a folder of modules that hide the optional packages."""
    (data / "config.json").write_text('{"samples_format": "webp", "jpeg_quality": 8')
    (data / "ui-config.json").write_bytes(b"\xff\xfe\x00garbage")
    (data / "styles.csv").write_bytes(b"\x89PNG\r\n\x00\x00 no table")
    (data / "cache").mkdir(exist_ok=True)
    for name in ("hashes.json", "gallery.sqlite"):
        (data / "cache" / name).write_bytes(b"SQLite format 3\x00" + b"\x01" * 5000)
    (data / "queue").mkdir(exist_ok=True)
    (data / "queue" / "queue.sqlite").write_bytes(b"not a database at all")
    for folder, names in (("Stable-diffusion", ("broken.safetensors", "<img src=x>.ckpt")), ("VAE", ("broken.vae.pt",)),
                          ("Lora", ("broken.safetensors",)), ("hypernetworks", ("broken.pt",)), ("ESRGAN", ("broken.pth",))):
        (data / "models" / folder).mkdir(parents=True, exist_ok=True)
        for name in names:
            (data / "models" / folder / name).write_bytes(b"\x10\x00\x00\x00\x00\x00\x00\x00{truncated")
    (data / "embeddings" / "broken.pt").write_bytes(b"PK\x03\x04broken")
    for name, script in BROKEN_EXTENSIONS.items():
        (data / "extensions" / name / "scripts").mkdir(parents=True)
        (data / "extensions" / name / "scripts" / "main.py").write_text(script)
    missing.mkdir()
    for name in OPTIONAL:
        (missing / f"{name}.py").write_text(f"raise ModuleNotFoundError('No module named {name!r}', name={name!r})\n")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server on such a folder, its only checkpoint broken; the network is out of reach, as in all tests."""
    folder = tmp_path_factory.mktemp("start")
    data = tiny_model.make_data_dir(folder / "data", seeds=())
    damage_everything(data, folder / "missing")
    with ServerProcess(data, "--api", "--ckpt", str(data / "models" / "Stable-diffusion" / "broken.safetensors"),
                       env={"PYTHONPATH": os.pathsep.join((str(GUARD), str(folder / "missing")))}) as process:
        yield process


def test_the_page_is_complete(server):
    status, page = server.get("/")
    text = page.decode()
    assert status == 200 and all(f'"{name}"' in text for name in ("txt2img_prompt", "img2img_prompt", "setting_jpeg_quality"))
    assert "<img src=x>" not in text and "e12-<b>name" not in text


def test_what_is_wrong_is_said_by_name(server):
    said = "\n".join(server.get("/internal/queue")[1]["notices"])
    for name in BROKEN_EXTENSIONS:
        assert name in said, name
    assert "config.json" in said and "styles.csv" in said and "broken.safetensors" in said
    assert "Traceback" not in said


def test_settings_that_could_be_read_hold(server):
    options = server.get("/sdapi/v1/options")[1]
    assert options["samples_format"] == "webp"


def test_pictures_are_made_with_another_model(server):
    status, answer = server.post("/sdapi/v1/txt2img", {"prompt": "a red circle", "steps": 2, "width": 64, "height": 64})
    assert status == 200, (answer, server.log()[-3000:])
    assert "easel-demo" in answer["info"]


def test_what_a_missing_package_would_do_is_refused_with_a_sentence(server):
    answer = server.post("/sdapi/v1/txt2img", {"prompt": "x", "steps": 2, "width": 64, "height": 64, "restore_faces": True})
    assert answer[0] in (200, 400, 404, 422) and "Traceback" not in str(answer[1])


def test_the_broken_files_are_still_there(server):
    kept = {path.read_bytes()[:9] for path in server.data_dir.rglob("*broken*")}
    assert kept <= {b"\x10" + b"\0" * 7 + b"{", b"PK\x03\x04broke"}
    originals = [path for path in server.data_dir.glob("config.json*") if b'"jpeg_quality": 8' in path.read_bytes()]
    assert originals or json.loads((server.data_dir / "config.json").read_text())


def test_without_any_model_the_page_is_up_and_says_what_to_do(tmp_path):
    program = tmp_path / "program"
    shutil.copytree(ROOT, program, ignore=shutil.ignore_patterns(".*", "tests", "outputs", "demo", "*.safetensors", "__pycache__"))
    data = tiny_model.make_data_dir(tmp_path / "data", seeds=())
    process = ServerProcess(data, "--api")
    process.command[1] = str(program / "webui.py")
    with process as server:
        assert server.get("/")[0] == 200
        status, answer = server.post("/sdapi/v1/txt2img", {"prompt": "x", "steps": 2, "width": 64, "height": 64})
        assert 400 <= status < 500 and "Stable-diffusion" in str(answer)
        assert any("checkpoint" in notice for notice in server.get("/internal/queue")[1]["notices"])
