"""POST /sdapi/v1/txt2img: what clients send, what they get back."""
import base64
import io
import json
import math

import pytest
from api_requests import TINY_REQUEST
from PIL import Image

from modules.api.scripts import chosen_scripts
from modules.generation.fields import TXT2IMG_FIELDS
from modules.generation.script_values import ARGS, SELECTED


def post(client, **fields):
    return client.post("/sdapi/v1/txt2img", json={**TINY_REQUEST, **fields})


def pictures(answer) -> list[Image.Image]:
    assert answer.status_code == 200, answer.text
    return [Image.open(io.BytesIO(base64.b64decode(text, validate=True))) for text in answer.json()["images"]]


def test_pictures_come_as_bare_base64_with_their_infotext(client):
    [picture] = pictures(post(client))
    assert picture.size == (64, 64) and picture.text["parameters"].startswith("a cat\nSteps: 2, Sampler: Euler")


def test_info_is_json_text_with_seeds_and_infotexts(client):
    info = json.loads(post(client, batch_size=2).json()["info"])
    assert info["all_seeds"] == [1, 2] and len(info["infotexts"]) >= 2


def test_send_images_false_sends_none(client):
    answer = post(client, send_images=False)
    assert answer.status_code == 200 and answer.json()["images"] == []


def test_pictures_reach_the_output_folder_only_with_save_images(client, rt):
    def files() -> list:
        return [path for path in rt.folders.outputs.rglob("*.png")]

    before = len(files())
    pictures(post(client, seed=11))
    assert len(files()) == before
    pictures(post(client, seed=12, save_images=True, do_not_save_samples=True))
    assert len(files()) == before + 1


def test_a_grid_comes_first_only_when_pictures_are_saved(client):
    assert len(pictures(post(client, batch_size=2))) == 2
    saved = pictures(post(client, batch_size=2, save_images=True))
    assert len(saved) == 3 and saved[0].width == 128


def test_the_job_has_the_id_that_the_client_forces(client, rt):
    assert post(client, force_task_id="task(mine)").status_code == 200
    assert rt.queue.get("task(mine)").status == "done"
    result = client.get("/internal/result/task(mine)").json()
    assert client.get(result["result"]["images"][0]["url"]).headers["content-type"] == "image/png"


def test_an_infotext_fills_what_the_request_leaves_out(client, instant):
    text = "a dog\nNegative prompt: bad\nSteps: 3, Sampler: DPM++ 2M Karras, CFG scale: 5, Seed: 7, Size: 64x72, Clip skip: 2"
    answer = client.post("/sdapi/v1/txt2img", json={"infotext": text, "seed": 9})
    assert answer.status_code == 200, answer.text
    request = instant[0]
    assert (request["prompt"], request["negative_prompt"], request["steps"], request["cfg_scale"]) == ("a dog", "bad", 3, 5)
    assert (request["width"], request["height"], request["seed"]) == (64, 72, 9)
    assert (request["sampler_name"], request["scheduler"]) == ("DPM++ 2M", "Karras")
    assert request["override_settings"]["CLIP_stop_at_last_layers"] == 2


def test_zeros_and_nulls_for_not_set_are_understood(client, instant):
    unset = {field.name: None for field in TXT2IMG_FIELDS if field.name not in TINY_REQUEST}
    assert post(client, **unset).status_code == 200
    zeros = {"s_tmax": 0, "hr_resize_x": 0, "hr_resize_y": 0, "firstphase_width": 0, "script_name": None, "script_args": [],
             "alwayson_scripts": {}, "scheduler": "automatic", "denoising_strength": 0, "styles": [], "refiner_switch_at": 0}
    assert post(client, **zeros).status_code == 200
    assert instant[0]["s_tmax"] == instant[1]["s_tmax"] is None and instant[1]["scheduler"] == "Automatic"


@pytest.mark.parametrize("fields, sampler", [
    ({"sampler_name": None, "sampler_index": "Heun"}, "Heun"), ({"sampler_name": "k_euler_a"}, "Euler a"),
    ({"sampler_name": "dpm++ 2m KARRAS"}, "DPM++ 2M"),
    ({"sampler_name": None}, "Euler"), ({"sampler_name": ""}, "Euler"),
])
def test_samplers_go_by_any_of_their_names(client, instant, fields, sampler):
    assert post(client, **fields).status_code == 200
    assert instant[0]["sampler_name"] == sampler


def test_an_unknown_sampler_is_404_with_the_nearest_names(client):
    answer = post(client, sampler_name="Eulr")
    assert answer.status_code == 404 and "Euler" in answer.json()["detail"] and answer.json()["error"] == "NotFound"


@pytest.mark.parametrize("fields, name", [
    ({"script_name": "nope"}, "script_name"), ({"alwayson_scripts": {"nope": {"args": []}}}, "alwayson_scripts"),
    ({"restore_faces": True}, "restore_faces"),
    ({"alwayson_scripts": 3}, "alwayson_scripts"), ({"override_settings": []}, "override_settings"), ({"styles": "x"}, "styles"),
    ({"prompt": 5}, "prompt"), ({"prompt": "x" * 1_000_000}, "prompt"), ({"send_images": "perhaps"}, "send_images"),
    ({"force_task_id": "../../x"}, "force_task_id"), ({"force_task_id": 5}, "force_task_id"), ({"scheduler": "nope"}, "scheduler"),
    ({"infotext": 5}, "infotext"), ({"override_settings": {"CLIP_stop_at_last_layers": "many"}}, "CLIP_stop_at_last_layers"),
])
def test_what_cannot_be_is_refused_before_a_job_exists(client, rt, instant, fields, name):
    answer = post(client, **fields)
    assert answer.status_code == 422, answer.text
    [problem] = answer.json()["detail"]
    assert problem["loc"] == ["body", name] and problem["msg"] and len(answer.text) < 3000 and not instant


VALUES = ["0", "-8", "1", "7", "100000", "2147483648", "1e18", "true", "null", "NaN", "Infinity", "-Infinity", "1e999", '"20"', "20.0",
          '"x"', "[]", "{}", "9" * 300]


@pytest.mark.parametrize("field", [field for field in TXT2IMG_FIELDS if field.kind in ("integer", "number")], ids=lambda field: field.name)
def test_a_number_is_accepted_exactly_when_its_range_includes_it(client, instant, field):
    for text in VALUES:
        body = json.dumps({key: value for key, value in TINY_REQUEST.items() if key != field.name})[:-1] + f', "{field.name}": {text}}}'
        answer = client.post("/sdapi/v1/txt2img", content=body.encode())
        assert answer.status_code == (200 if is_in_range(field, text) else 422), (text, answer.text)
        if answer.status_code == 422:
            assert field.label in answer.json()["detail"][0]["msg"]


def is_in_range(field, text: str) -> bool:
    value = json.loads(text)
    if value is None or (field.name == "s_tmax" and value == 0):
        return True
    if value == "20":
        value = 20
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        return False
    return field.lowest <= value <= field.highest and (field.kind == "number" or value == int(value))


@pytest.mark.parametrize("content", [
    b"", b"[]", b'{"prompt": "\xff"}', b"[" * 200_000, b'{"prompt":' * 200_000, b'{"steps": 2, "steps": 3}', b'{"prompt": "a" "b"}',
    b'{"seed": ' + b"1" * 5000 + b"}",
])
def test_what_is_no_request_is_422_with_a_sentence(client, content):
    answer = client.post("/sdapi/v1/txt2img", content=content)
    assert answer.status_code == 422 and "cannot be read" in answer.json()["detail"]


def test_lone_surrogates_and_nul_in_a_prompt_are_replaced(client, instant):
    answer = client.post("/sdapi/v1/txt2img", content=json.dumps({**TINY_REQUEST, "prompt": "a \ud800 cat\0"}).encode())
    assert answer.status_code == 200 and instant[0]["prompt"] == "a ? cat"


def test_a_job_that_fails_is_answered_with_its_sentence(client, rt, instant):
    def fail(job, state):
        raise RuntimeError("out of memory")

    rt.queue.register("txt2img", fail)
    answer = post(client)
    assert answer.status_code == 400 and "not enough memory for 64 x 64" in answer.json()["detail"]


def test_two_clients_at_once_get_their_own_pictures(client):
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda seed: post(client, seed=seed), range(20, 26)))
    assert [json.loads(answer.json()["info"])["seed"] for answer in answers] == list(range(20, 26))


def test_parts_of_the_form_sent_as_always_on_scripts_change_nothing():
    always_on = {"Refiner": {"args": [True, "nobody", 0.5]}, "seed": {"args": [-1, False]}, "sampler": {"args": [1]}}
    assert chosen_scripts(None, {"alwayson_scripts": always_on}) == {SELECTED: None, ARGS: {}}
