"""Promise 6: weights, pictures and prompts cannot run anything, in whatever file they lie and whatever asks for it."""
import base64
import io
import json
import os
import pickle
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import tiny_model
import torch
from PIL import Image, PngImagePlugin
from runtime_parts import running
from starlette.testclient import TestClient

from modules import scripts
from modules.api.app import build_api_app

REQUEST = {"prompt": "a cat", "steps": 2, "width": 64, "height": 64, "seed": 1, "sampler_name": "Euler"}


class Bomb:
    """Calls a function when it is unpickled."""

    def __init__(self, function: Any, argument: str):
        self.function, self.argument = function, argument

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return self.function, (self.argument,)


def archive(content: Any) -> bytes:
    """As torch saves it, the bomb in its table."""
    buffer = io.BytesIO()
    torch.save(content, buffer)
    return buffer.getvalue()


def compressed(content: bytes) -> bytes:
    """The same archive with its members compressed, which torch never does."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            target.writestr(name, source.read(name))
    return buffer.getvalue()


def bombs(marker: Path) -> dict[str, bytes]:
    """Files by kind that make `marker` when they are read without care."""
    touch, script = f"touch {marker}", f"open({str(marker)!r}, 'w')"
    system, evaluated, executed = Bomb(os.system, touch), Bomb(eval, script), Bomb(exec, script)
    table = {"state_dict": {"model.diffusion_model.input_blocks.0.0.weight": torch.zeros(1), "x": system}}
    return {"archive": archive(table), "eval": archive({"string_to_param": evaluated}), "compressed": compressed(archive(table)),
            "bare": pickle.dumps(executed), "script": script.encode()}


FOLDERS = {
    "Stable-diffusion": (".ckpt", ".safetensors"), "VAE": (".vae.pt", ".safetensors"), "Lora": (".pt", ".safetensors"),
    "hypernetworks": (".pt",), "ESRGAN": (".pth", ".pt"), "VAE-approx": (".pt",), "GFPGAN": (".pth",), "Codeformer": (".pth",),
}


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, TestClient, Path, list[str]]]:
    """A program among such files, the file that none of them may make, and the names of the files."""
    folder = tmp_path_factory.mktemp("foreign")
    data, marker = tiny_model.make_data_dir(folder / "data"), folder / "marker"
    names = []
    for kind, content in bombs(marker).items():
        for place, endings in FOLDERS.items():
            (data / "models" / place).mkdir(parents=True, exist_ok=True)
            for ending in endings:
                (data / "models" / place / f"{kind}{ending}").write_bytes(content)
                names.append(kind)
        for ending in (".pt", ".bin", ".safetensors"):
            (data / "embeddings" / f"{kind}{ending}").write_bytes(content)
    shutil.copy(data / "models" / "VAE" / "archive.vae.pt", data / "models" / "Stable-diffusion" / "tiny-sd1-s2.vae.pt")
    with running(data, "--api") as rt, TestClient(build_api_app(rt), base_url="http://127.0.0.1:7860") as client:
        rt.settings.set("sd_model_checkpoint", rt.checkpoints.find("tiny-sd1-s1").title)
        yield rt, client, marker, sorted(set(names))


def test_no_kind_of_file_runs_anything_and_pictures_are_made_all_the_same(program):
    rt, client, marker, names = program
    for name in names:
        tags = f"a cat <lora:{name}:1> <hypernet:{name}:1> {name}"
        assert client.post("/sdapi/v1/txt2img", json={**REQUEST, "prompt": tags}).status_code == 200, name
        for overrides in ({"sd_model_checkpoint": f"{name}.ckpt"}, {"sd_model_checkpoint": name}, {"sd_vae": f"{name}.vae.pt"}):
            answer = client.post("/sdapi/v1/txt2img", json={**REQUEST, "override_settings": overrides})
            assert answer.status_code < 500 and "Traceback" not in answer.text, (name, overrides)
        hires = {"enable_hr": True, "hr_upscaler": name, "hr_scale": 2, "denoising_strength": 0.5}
        assert client.post("/sdapi/v1/txt2img", json={**REQUEST, **hires}).status_code < 500
        assert not marker.exists(), name
    own_vae = client.post("/sdapi/v1/txt2img", json={**REQUEST, "override_settings": {"sd_model_checkpoint": "tiny-sd1-s2"}})
    assert own_vae.status_code == 200 and not marker.exists()


def test_listings_read_such_files_without_harm(program):
    _, client, marker, _ = program
    for path, methods in client.get("/openapi.json").json()["paths"].items():
        if path.startswith("/sdapi/") and "get" in methods and "{" not in path:
            assert client.get(path).status_code == 200, path
    for path in ("checkpoints", "vae", "embeddings", "loras"):
        assert client.post(f"/sdapi/v1/refresh-{path}").status_code == 200
    assert not marker.exists()


@pytest.mark.parametrize("text", ["{0.__class__.__mro__}", "{{7*7}}", "${7*7}", "`id`", "$(id)", "%n%n%n", "'; DROP TABLE jobs; --",
                                  "[__import__('os').system('id')]", "=cmd|' /C calc'!A0"])
def test_text_is_never_evaluated(program, text, monkeypatch):
    _, client, marker, _ = program
    monkeypatch.setattr(scripts, "scripts_txt2img", None)  # braces mean something to dynamic prompts, which other tests may have loaded
    answer = client.post("/sdapi/v1/txt2img", json={**REQUEST, "prompt": text, "save_images": True,
                                                    "override_settings": {"samples_filename_pattern": "[prompt_spaces]"}})
    assert answer.status_code == 200 and json.loads(answer.json()["info"])["prompt"] == text


def test_texts_in_pictures_are_only_read(program):
    _, client, marker, _ = program
    info = PngImagePlugin.PngInfo()
    for key in ("parameters", "Comment", "prompt", "workflow"):
        info.add_text(key, f"Steps: 1, Template: __import__('os').system('touch {marker}')")
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8)).save(buffer, "PNG", pnginfo=info)
    answer = client.post("/sdapi/v1/png-info", json={"image": base64.b64encode(buffer.getvalue()).decode()})
    assert answer.status_code == 200 and not marker.exists()
