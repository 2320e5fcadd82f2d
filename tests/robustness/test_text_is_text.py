"""Promise 7: nothing typed, loaded or downloaded is HTML in what the server writes. Browser tests look at what the page's scripts write."""
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import tiny_model
from runtime_parts import running
from starlette.testclient import TestClient

HARM = "</script><img src=x onerror=hit(1)>"
IN_A_FILE_NAME = "<img src=x onerror=hit(2)>"


def planted(data: Path) -> None:
    """Put both texts wherever a name or a description comes from."""
    (data / "styles.csv").write_text(f'name,prompt,negative_prompt\n"{HARM}","{HARM}",""\n')
    (data / "config.json").write_text(json.dumps({"samples_filename_pattern": HARM, "quicksettings_list": ["sd_model_checkpoint", HARM],
                                                  "gallery_folders": [HARM]}))
    models = data / "models"
    (models / "Stable-diffusion" / f"{IN_A_FILE_NAME}.safetensors").write_bytes(b"broken")
    (models / "Stable-diffusion" / "tiny-sd1-s1.safetensors").rename(models / "Stable-diffusion" / f"{IN_A_FILE_NAME} whole.safetensors")
    for folder, ending in (("Lora", ".safetensors"), ("VAE", ".pt"), ("ESRGAN", ".pth"), ("hypernetworks", ".pt")):
        (models / folder).mkdir(parents=True, exist_ok=True)
        (models / folder / f"{IN_A_FILE_NAME}{ending}").write_bytes(b"broken")
        (models / folder / f"{IN_A_FILE_NAME}.json").write_text(json.dumps({"description": HARM, "notes": HARM, "activation text": HARM}))
    script = data / "extensions" / IN_A_FILE_NAME / "scripts"
    script.mkdir(parents=True)
    (script / "main.py").write_text(f"raise ValueError({HARM!r})")
    (script.parent / "metadata.ini").write_text(f"[Extension]\nName = {IN_A_FILE_NAME}\n")


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    from modules.ui.server import build_app

    data = tiny_model.make_data_dir(tmp_path_factory.mktemp("text") / "data")
    planted(data)
    with running(data, "--api") as rt, TestClient(build_app(rt), base_url="http://127.0.0.1:7860", raise_server_exceptions=False) as client:
        yield client


def test_no_page_of_the_server_holds_the_text_as_a_tag(client):
    for path in ("/", "/docs", "/?__theme=dark"):
        page = client.get(path).text
        assert HARM not in page and IN_A_FILE_NAME not in page, path


def test_html_of_the_server_in_answers_holds_it_escaped(client):
    """Values named html are put into the page as they are; all others as text."""
    config = client.get("/config").json()
    for component in config["components"]:
        if component["type"] == "html":
            assert "<img src=x" not in str(component["props"].get("value")), component["props"].get("elem_id")
    request = {"prompt": HARM, "steps": 2, "width": 64, "height": 64, "styles": [HARM]}
    assert client.post("/sdapi/v1/txt2img", json=request).status_code == 200
    enlarged = client.post("/sdapi/v1/extra-single-image", json={"image": HARM, "upscaler_1": HARM})
    assert 400 <= enlarged.status_code < 500 and enlarged.headers["content-type"].startswith("application/json")


def test_every_other_answer_is_no_html(client):
    for path, methods in client.get("/openapi.json").json()["paths"].items():
        if "get" in methods and "{" not in path:
            answer = client.get(path)
            assert not answer.headers.get("content-type", "").startswith("text/html") and answer.status_code < 500, path
            assert answer.headers["x-content-type-options"] == "nosniff"
    for path in (f"/{HARM}", f"/sdapi/v1/{HARM}", f"/file={HARM}", f"/internal/result/{HARM}", f"/easel/{HARM}"):
        answer = client.get(path)
        assert answer.status_code >= 400 and not answer.headers["content-type"].startswith("text/html"), path
