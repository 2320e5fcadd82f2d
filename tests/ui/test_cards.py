"""The routes behind the cards: lists, thumbnails, the editor, and who may change files."""
import io
import json

import pytest
from fastapi import FastAPI
from PIL import Image
from runtime_parts import running
from starlette.testclient import TestClient

from modules import txt2img
from modules.api.answers import add_error_answers
from modules.ui.card_routes import cards_router
from modules.ui.networks import NetworkCards


@pytest.fixture
def lora(runtime):
    return runtime.folders.lora / "tinylora.safetensors"


@pytest.fixture
def client(runtime):
    app = FastAPI()
    add_error_answers(app)
    app.include_router(cards_router(runtime))
    return TestClient(app, base_url="http://127.0.0.1")


def cards(client, kind, **query):
    return {card["key"]: card for card in client.get(f"/internal/cards/list/{kind}", params=query).json()["cards"]}


def picture(size, colour="red", kind="PNG"):
    stream = io.BytesIO()
    Image.new("RGB", size, colour).save(stream, kind)
    return stream.getvalue()


def test_checkpoints_are_called_as_they_are_chosen_with_the_demo_model_among_them(runtime, client):
    (runtime.folders.checkpoints / "page.safetensors").write_bytes(b"<html>")
    found = cards(client, "checkpoints", refresh=True)
    assert found["tiny-sd1-s1.safetensors"]["choose"] == "tiny-sd1-s1.safetensors" and found["easel-demo"]["choose"] == "easel-demo"
    assert "web page" in found["page.safetensors"]["problem"] and "choose" not in found["page.safetensors"]


def test_embeddings_say_why_they_do_not_go_with_the_loaded_model(runtime, client):
    runtime.models.ensure(runtime.chosen_checkpoint())
    found = cards(client, "textual_inversion")
    assert found["tinyemb.safetensors"]["problem"] == "" and "numbers" in found["wrongdim.safetensors"]["problem"]


def test_a_refresh_lets_prompts_find_what_came(runtime, client, lora):
    (lora.parent / "sub").mkdir()
    (lora.parent / "sub" / "new.safetensors").write_bytes(lora.read_bytes())
    assert "sub/new.safetensors" in cards(client, "lora", refresh=True)
    assert runtime.loras.path_of("new").name == "new.safetensors"


def test_every_folder_flag_counts_and_may_be_repeated(tiny_data_dir, tmp_path):
    given = {"lora": "tinylora.safetensors", "embeddings": "tinyemb.safetensors"}
    flags: list[str] = []
    for kind in ("ckpt", "vae", "lora", "embeddings", "hypernetwork"):
        for number in (1, 2):
            folder = tmp_path / f"{kind}{number}"
            (folder / "sub").mkdir(parents=True)
            source = next(path for path in tiny_data_dir.rglob(given.get(kind, "tiny-sd1-s1.safetensors")))
            ending = ".pt" if kind == "hypernetwork" else ".safetensors"
            (folder / "sub" / f"{kind}-{number}{ending}").write_bytes(source.read_bytes())
            flags += [f"--{kind}-dir", str(folder)]
    with running(tiny_data_dir, *flags, "--vae-path", str(tmp_path / "vae1/sub/vae-1.safetensors")) as rt:
        for kind in ("ckpt", "lora", "embeddings", "hypernetwork"):
            page = {"ckpt": "checkpoints", "embeddings": "textual_inversion", "hypernetwork": "hypernetworks"}.get(kind, kind)
            assert {f"{kind}-1", f"{kind}-2"} <= {row["name"] for row in NetworkCards(rt).rows(page)}
        assert rt.checkpoints.find("ckpt-2") and {"vae-1.safetensors", "vae-2.safetensors"} <= set(rt.vae_files())
        assert rt.chosen_vae(rt.chosen_checkpoint()) == tmp_path / "vae1/sub/vae-1.safetensors"
        assert rt.loras.path_of("lora-2").parent.parent == tmp_path / "lora2"
        rt.models.ensure(rt.chosen_checkpoint())
        assert {"embeddings-1", "embeddings-2"} <= set(rt.embeddings.loaded)


def test_unknown_kinds_and_keys_are_answered_with_a_sentence(client):
    for path in ("list/nothing", "preview?kind=lora&key=../../config.json", "details?kind=lora&key=/etc/passwd", "metadata?kind=x&key=y"):
        answer = client.get(f"/internal/cards/{path}")
        assert answer.status_code == 404 and "no " in answer.json()["detail"]


def test_a_preview_is_served_as_a_small_jpeg_and_renewed_with_its_file(client, lora):
    preview = lora.with_name("tinylora.preview.png")
    for colour, size in (("red", (1000, 2000)), ("blue", (2000, 1000))):
        preview.write_bytes(picture(size, colour))
        answer = client.get("/internal/cards/preview", params={"kind": "lora", "key": "tinylora.safetensors"})
        shown = Image.open(io.BytesIO(answer.content))
        assert answer.headers["content-type"] == "image/jpeg" and max(shown.size) <= 960 and min(shown.size) <= 480
        assert shown.convert("RGB").getpixel((5, 5))[0 if colour == "red" else 2] > 200


def test_a_preview_that_is_no_picture_is_refused(client, lora):
    lora.with_name("tinylora.png").write_bytes(b"<svg onload='alert(1)'>")
    answer = client.get("/internal/cards/preview", params={"kind": "lora", "key": "tinylora.safetensors"})
    assert answer.status_code == 422 and "picture" in answer.json()["detail"]


def test_notes_are_stored_beside_the_file_and_come_back(client, lora):
    notes = {"description": "<b>soft</b>", "activation text": "tiny word", "preferred weight": "0.6", "notes": "  "}
    assert client.post("/internal/cards/notes", json={"kind": "lora", "key": "tinylora.safetensors", "notes": notes}).status_code == 200
    assert json.loads(lora.with_suffix(".json").read_text()) == {
        "description": "<b>soft</b>", "activation text": "tiny word", "preferred weight": 0.6}
    card = cards(client, "lora")["tinylora.safetensors"]
    assert (card["activation"], card["weight"], card["description"]) == ("tiny word", "0.6", "<b>soft</b>")
    details = client.get("/internal/cards/details", params={"kind": "lora", "key": "tinylora.safetensors"}).json()
    assert details["notes"]["preferred weight"] == "0.6" and ["Base model", "sd_v1"] in details["facts"]


@pytest.mark.parametrize("notes", [{"preferred weight": "much"}, {"preferred weight": "nan"}, {"path": "x"}, {"notes": "x" * 20_001}])
def test_notes_that_cannot_be_are_refused(client, lora, notes):
    answer = client.post("/internal/cards/notes", json={"kind": "lora", "key": "tinylora.safetensors", "notes": notes})
    assert answer.status_code == 422 and not lora.with_suffix(".json").exists()


def test_a_vae_is_preferred_for_one_checkpoint(runtime, client):
    (runtime.folders.vae / "own.safetensors").write_bytes(b"x" * 100)
    key = "tiny-sd1-s1.safetensors"
    assert "own.safetensors" in client.get("/internal/cards/details", params={"kind": "checkpoints", "key": key}).json()["choices"]["vae"]
    client.post("/internal/cards/notes", json={"kind": "checkpoints", "key": key, "notes": {"vae": "own.safetensors"}})
    assert runtime.chosen_vae(runtime.checkpoints.find(key)).name == "own.safetensors"


def test_the_picture_of_a_job_becomes_the_preview_with_its_parameters(runtime, client, lora):
    job = txt2img.submit(runtime, {"prompt": "for the card", "steps": 1, "width": 64, "height": 64})
    assert job.wait(60)
    asked = {"kind": "lora", "key": "tinylora.safetensors", "id": job.id, "index": 0}
    assert client.post("/internal/cards/preview", json=asked).status_code == 200
    assert Image.open(lora.with_name("tinylora.preview.png")).info["parameters"].startswith("for the card")
    assert cards(client, "lora")["tinylora.safetensors"]["preview"]
    assert client.post("/internal/cards/preview", json={**asked, "index": 7}).status_code == 404


def test_nobody_changes_files_on_a_server_that_is_open_to_all(runtime, client, lora):
    asked = {"kind": "lora", "key": "tinylora.safetensors", "notes": {"notes": "x"}}
    runtime.args.listen = True
    assert client.post("/internal/cards/notes", json=asked).status_code == 403 and not lora.with_suffix(".json").exists()
    runtime.args.gradio_auth = "a:b"  # then administrators may, and the request comes without the login in this test
    assert client.post("/internal/cards/notes", json=asked).status_code == 200
