"""The routes that list things: what lies in the folders is there, and looked for again when asked."""
import shutil

from modules.api.listings import LISTINGS


def test_every_listing_is_served_and_described(client):
    paths = client.get("/openapi.json").json()["paths"]
    for listing in LISTINGS:
        assert client.get(f"/sdapi/v1{listing.path}").status_code == 200
        assert paths[f"/sdapi/v1{listing.path}"]["get"]["description"]


def test_files_in_the_folder_for_vaes_are_listed(rt, client):
    assert client.get("/sdapi/v1/sd-vae").json() == []
    path = rt.folders.vae / "mine.safetensors"
    path.write_bytes(b"")
    assert client.post("/sdapi/v1/refresh-vae").json() is None
    assert client.get("/sdapi/v1/sd-vae").json() == [{"model_name": "mine.safetensors", "filename": str(path)}]
    path.unlink()


def test_a_new_lora_is_known_after_refreshing(rt, client):
    shutil.copy(rt.folders.lora / "tinylora.safetensors", rt.folders.lora / "second.safetensors")
    assert client.post("/sdapi/v1/refresh-loras").status_code == 200
    assert {row["name"] for row in client.get("/sdapi/v1/loras").json()} == {"tinylora", "second"}
    assert rt.loras.path_of("second").is_file()


def test_scripts_are_listed_with_their_arguments(client):
    names, infos = client.get("/sdapi/v1/scripts").json(), client.get("/sdapi/v1/script-info").json()
    assert {info["name"] for info in infos} == {*names["txt2img"], *names["img2img"]}
    assert all(info["args"] == [] or {"label", "value", "choices"} <= info["args"][0].keys() for info in infos)
