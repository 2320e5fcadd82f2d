"""Extras through the API: lists as recorded, networks from files, batches, and what cannot be done."""
import base64
import io
import json

import pytest
from imaging.test_upscaler_table import pixel_doubler
from PIL import Image
from server_process import ServerProcess

from modules.imaging.encode import png_bytes

INFOTEXT = "a cat\nSteps: 1, Sampler: Euler, Seed: 1"
PICTURE = base64.b64encode(png_bytes(Image.linear_gradient("L").resize((40, 24)).convert("RGB"), INFOTEXT)).decode()


@pytest.fixture(scope="module")
def api(tmp_path_factory):
    """A server with an upscaler in a standard folder, and one in a folder of the command line."""
    data = tmp_path_factory.mktemp("extras") / "data"
    pixel_doubler(data / "models" / "RealESRGAN" / "RealESRGAN_x2plus.pth")
    pixel_doubler(data / "more" / "4x_given.pth", scale=4)
    (data / "models" / "ESRGAN").mkdir(parents=True)
    (data / "models" / "ESRGAN" / "bad.pth").write_bytes(b"PK\x03\x04")
    with ServerProcess(data, "--api", "--esrgan-models-path", str(data / "more")) as server:
        yield server


def opened(text: str) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(text)))


def test_lists_are_those_of_the_recorded_server_with_the_files_that_are_here(api, goldens):
    recorded = json.loads((goldens / "api-get-samples.json").read_text(encoding="utf-8"))
    upscalers = api.get("/sdapi/v1/upscalers")[1]
    assert upscalers[:3] == recorded["/sdapi/v1/upscalers"]["body"][:3]
    found = [(row["name"], row["scale"]) for row in upscalers[3:]]
    assert found == [("easel-demo 2x", 2), ("4x_given", 4), ("bad", 4), ("R-ESRGAN 2x+", 2)]
    assert all(row.keys() == upscalers[0].keys() for row in upscalers)
    models = api.get("/sdapi/v1/realesrgan-models")[1]
    assert models[:5] == recorded["/sdapi/v1/realesrgan-models"]["body"][:5]
    assert models[5]["name"] == "R-ESRGAN 2x+" and models[5]["path"].endswith("RealESRGAN_x2plus.pth") and models[5]["scale"] == 2
    assert api.get("/sdapi/v1/latent-upscale-modes")[1] == recorded["/sdapi/v1/latent-upscale-modes"]["body"]


@pytest.mark.parametrize("route", ["single-image", "batch-images"])
def test_the_documentation_names_the_recorded_fields_with_their_ranges(api, goldens, route):
    recorded = json.loads((goldens / "api-openapi.json").read_text(encoding="utf-8"))["components"]["schemas"]
    wanted = recorded["ExtrasSingleImageRequest" if route == "single-image" else "ExtrasBatchImagesRequest"]["properties"]
    body = api.get("/openapi.json")[1]["paths"][f"/sdapi/v1/extra-{route}"]["post"]["requestBody"]
    given = body["content"]["application/json"]["schema"]["properties"]
    assert given.keys() == wanted.keys()
    for name, rule in wanted.items():
        assert given[name]["type"] == rule["type"] and given[name].get("default", "") == rule.get("default", "")
        assert all(given[name][bound] == rule[bound] for bound in ("minimum", "maximum") if bound in rule)


@pytest.mark.parametrize("name, size", [("r-esrgan 2x+", (80, 48)), ("4x_given", (80, 48)), ("easel-demo 2x", (80, 48))])
def test_a_picture_goes_through_a_network(api, name, size):
    status, answer = api.post("/sdapi/v1/extra-single-image", {"image": PICTURE, "upscaler_1": name, "upscaling_resize": 2})
    assert status == 200 and opened(answer["image"]).size == size
    assert f"Postprocess upscaler: {name}".lower() in answer["html_info"].lower()
    assert opened(answer["image"]).text["parameters"].startswith(f"{INFOTEXT}, Postprocess upscale by: 2")


def test_a_batch_answers_in_its_order_and_leaves_nothing_in_the_output_folder(api):
    wide = base64.b64encode(png_bytes(Image.new("RGB", (64, 8)), "")).decode()
    rows = [{"data": PICTURE, "name": "a.png"}, {"data": wide, "name": "b.png"}]
    status, answer = api.post("/sdapi/v1/extra-batch-images", {"imageList": rows, "upscaler_1": "Nearest", "upscaling_resize": 2})
    assert status == 200 and [opened(image).size for image in answer["images"]] == [(80, 48), (128, 16)]
    assert not list((api.data_dir / "outputs").rglob("*.png"))
    assert api.post("/sdapi/v1/extra-batch-images", {"imageList": rows, "show_extras_results": False})[1]["images"] == []


@pytest.mark.parametrize("values, status, words", [
    ({"upscaler_1": "bad"}, 400, "Cannot load bad.pth. The file is truncated"),
    ({"upscaler_1": "R-ESRGAN 4x+"}, 404, "needs RealESRGAN_x4plus.pth (67 MB"),
    ({"upscaler_1": "no such"}, 404, "Choose one of"),
    ({"upscaler_1": "Lanczos", "resize_mode": 1, "upscaling_resize_w": 30_000, "upscaling_resize_h": 30_000}, 422, "")])
def test_what_cannot_be_done_is_said_in_a_sentence(api, values, status, words):
    code, answer = api.post("/sdapi/v1/extra-single-image", {"image": PICTURE, **values})
    assert code == status and words in json.dumps(answer) and "Traceback" not in json.dumps(answer)
