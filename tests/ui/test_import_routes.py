"""Using another program's models from the page: shown, applied, there at once, and refused to strangers."""
import pytest
from fastapi import FastAPI
from small_families import SMALL, write_small
from starlette.testclient import TestClient

from modules.api.answers import add_error_answers
from modules.ui.import_routes import import_router

ROUTE = "/internal/existing-installation"


@pytest.fixture
def client(runtime):
    app = FastAPI()
    add_error_answers(app)
    app.include_router(import_router(runtime))
    return TestClient(app, base_url="http://127.0.0.1")


@pytest.fixture
def other(tmp_path, runtime):
    """A folder of ComfyUI's with a checkpoint and a LoRA."""
    root = tmp_path / "ComfyUI"
    (root / "models" / "checkpoints").mkdir(parents=True)
    (root / "models" / "loras").mkdir()
    write_small(root / "models" / "checkpoints" / "theirs.safetensors", SMALL["sd1"])
    (root / "models" / "loras" / "their style.safetensors").write_bytes((runtime.folders.lora / "tinylora.safetensors").read_bytes())
    return root


def test_models_are_shown_and_then_used_where_they_are_without_a_restart(runtime, client, other):
    plan = client.post(f"{ROUTE}/look", json={"folder": str(other)}).json()
    assert plan["program"] == "ComfyUI" and [row["title"] for row in plan["folders"]] == ["Checkpoints", "LoRA files"]
    assert "theirs.safetensors" not in [info.name for info in runtime.checkpoints]
    assert client.post(f"{ROUTE}/apply", json={"folder": str(other)}).status_code == 200
    assert runtime.checkpoints.find("theirs").path == other / "models/checkpoints/theirs.safetensors"
    assert runtime.loras.path_of("their style").parent == other / "models/loras"
    assert client.post(f"{ROUTE}/look", json={"folder": str(other)}).json()["is_empty"]


def test_a_wrong_folder_is_answered_with_a_sentence(client, tmp_path):
    answer = client.post(f"{ROUTE}/look", json={"folder": str(tmp_path / "nothing")})
    assert answer.status_code == 400 and "no folder" in answer.json()["detail"]


@pytest.mark.parametrize("step", ["look", "apply"])
def test_people_on_the_network_are_refused_unless_they_are_administrators(runtime, client, other, step):
    runtime.args.listen = True
    assert client.post(f"{ROUTE}/{step}", json={"folder": str(other)}).status_code == 403
    runtime.args.gradio_auth = "someone:secret"

    async def as_user(scope, receive, send):
        await client.app(scope | {"easel_user": "someone", "easel_admin": False}, receive, send)
    user = TestClient(as_user, base_url="http://127.0.0.1")
    assert user.post(f"{ROUTE}/{step}", json={"folder": str(other)}).status_code == 403
    assert runtime.settings.folders_checkpoints == []
