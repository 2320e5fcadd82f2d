"""Promise 10: the same request gives the same picture, whatever ran before or beside it."""
import base64
import hashlib
import io
import random
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import tiny_model
from PIL import Image
from runtime_parts import running
from starlette.testclient import TestClient

from modules.api.app import build_api_app

# Two clients: each has its own checkpoint and its own settings.
CLIENTS = {
    "ann": {"sd_model_checkpoint": "tiny-sd1-s1", "CLIP_stop_at_last_layers": 1, "eta_noise_seed_delta": 0},
    "bob": {"sd_model_checkpoint": "tiny-sd1-s2", "CLIP_stop_at_last_layers": 2, "eta_noise_seed_delta": 31337},
}
PROMPTS = ("a cube", "a ball <lora:tinylora:0.8>", "tinyemb AND a cone:0.5", "[a|b] cat", "(a:1.4) dog")
SAMPLERS = ("Euler a", "DPM++ 2M", "DDIM", "Heun")


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, TestClient]]:
    data_dir = tiny_model.make_data_dir(tmp_path_factory.mktemp("same") / "data")
    with running(data_dir, "--api") as rt, TestClient(build_api_app(rt), base_url="http://127.0.0.1:7860") as client:
        rt.settings.set("sd_model_checkpoint", rt.checkpoints.find("tiny-sd1-s1").title)
        yield rt, client


def request_of(name: str, number: int) -> dict[str, Any]:
    dice = random.Random(number)
    return {"prompt": dice.choice(PROMPTS), "sampler_name": dice.choice(SAMPLERS), "seed": dice.randrange(1000), "steps": 2, "width": 64,
            "height": 64, "batch_size": dice.choice((1, 2)), "cfg_scale": dice.choice((1, 7)), "override_settings": CLIENTS[name],
            **({"enable_hr": True, "hr_scale": 1.5, "denoising_strength": 0.5} if dice.random() < 0.2 else {})}


def digest(client: TestClient, request: dict[str, Any]) -> str:
    answer = client.post("/sdapi/v1/txt2img", json=request)
    assert answer.status_code == 200, answer.text
    pictures = [Image.open(io.BytesIO(base64.b64decode(image))) for image in answer.json()["images"]]
    return hashlib.sha256(b"".join(picture.convert("RGB").tobytes() for picture in pictures)).hexdigest()


def work_side_by_side(program: tuple[Any, TestClient], jobs: int, kinds: int) -> None:
    """Two clients ask for `jobs` pictures in all, of `kinds` kinds each, so that every one is asked for again in other company."""
    rt, client = program
    settings = rt.settings.snapshot()
    alone = {(name, number): digest(client, request_of(name, number)) for name in CLIENTS for number in range(kinds)}
    assert len(set(alone.values())) > len(alone) * 0.7
    mixed_up: list[Any] = []

    def ask(name: str) -> None:
        for number in random.Random(name).choices(range(kinds), k=jobs // 2):
            if digest(client, request_of(name, number)) != alone[name, number]:
                mixed_up.append((name, number))

    threads = [threading.Thread(target=ask, args=(name,)) for name in CLIENTS]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert mixed_up == [] and rt.settings.snapshot() == settings


@pytest.mark.timeout(600)
def test_two_clients_with_models_and_settings_of_their_own_get_their_pictures_in_40_jobs(program):
    rt, _ = program
    rt.settings.set("sd_checkpoints_limit", 2)
    work_side_by_side(program, 40, 4)


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_two_clients_with_models_and_settings_of_their_own_get_their_pictures_in_400_jobs(program):
    work_side_by_side(program, 400, 10)
