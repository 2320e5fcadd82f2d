"""Scripts through the API: by their names in lower case, with values by position."""
from collections.abc import Iterator
from typing import Any

import pytest
from api_requests import TINY_REQUEST
from starlette.testclient import TestClient


@pytest.fixture(scope="module")
def client(rt: Any) -> Iterator[TestClient]:
    from modules.api.app import build_api_app

    with TestClient(build_api_app(rt), base_url="http://127.0.0.1:7860", raise_server_exceptions=False) as client:
        yield client


def post(client, **fields):
    return client.post("/sdapi/v1/txt2img", json=TINY_REQUEST | fields)


def test_scripts_are_listed_in_lower_case(client):
    listed = client.get("/sdapi/v1/scripts").json()
    assert listed.keys() == {"txt2img", "img2img"}
    for names in listed.values():
        assert {"dynamic prompts", "hook recorder", "several runs", "x/y/z plot"} <= set(names)


def test_script_info_shows_the_controls_behind_the_arguments(client):
    infos = client.get("/sdapi/v1/script-info").json()
    [info] = [info for info in infos if info["name"] == "hook recorder" and not info["is_img2img"]]
    assert (info["is_alwayson"], info["is_img2img"]) == (True, False)
    word, kind, count = info["args"]
    assert word == {"label": "Word", "value": "plain", "minimum": None, "maximum": None, "step": None, "choices": None}
    assert kind["choices"] == ["a", "b", "c"] and kind["value"] == "b"
    assert (count["minimum"], count["maximum"], count["step"], count["value"]) == (0, 10, 1, 3)


def test_an_always_on_script_gets_the_arguments_of_the_request(client, recorder):
    assert post(client, alwayson_scripts={"HOOK recorder": {"args": ["word", 2]}}).status_code == 200
    assert dict(recorder.EVENTS)["process"]["args"] == ("word", 2, 3)


def test_a_named_script_makes_the_run(client, recorder):
    answer = post(client, script_name="several runs", script_args=[3, False])
    assert answer.status_code == 200 and len(answer.json()["images"]) == 3
    assert answer.json()["parameters"]["script_name"] == "several runs"


def test_a_script_without_arguments_gets_those_of_its_controls(client, recorder):
    assert len(post(client, script_name="several runs").json()["images"]) == 2


@pytest.mark.parametrize("fields, field, words", [
    ({"script_name": "several run"}, "script_name", "There is: several runs."),
    ({"script_name": "hook recorder"}, "script_name", "Script 'hook recorder' not found."),
    ({"alwayson_scripts": {"dynamic prompt": {"args": []}}}, "alwayson_scripts", "There is: dynamic prompts."),
    ({"alwayson_scripts": {"several runs": {"args": []}}}, "alwayson_scripts", "Always on script 'several runs' not found."),
    ({"alwayson_scripts": {"hook recorder": {"args": 5}}}, "alwayson_scripts", "must be a list"),
    ({"script_name": "several runs", "script_args": {"runs": 2}}, "script_args", "must be a list"),
    ({"script_name": 5}, "script_name", "must be text"),
])
def test_a_name_or_value_that_cannot_be_is_422_in_one_sentence(client, fields, field, words):
    answer = post(client, **fields)
    assert answer.status_code == 422
    [problem] = answer.json()["detail"]
    assert problem["loc"] == ["body", field] and words in problem["msg"]


def test_a_script_that_fails_is_an_error_that_names_it(client, recorder):
    answer = post(client, script_name="several runs", script_args=[1, True])
    assert answer.status_code == 400
    assert "Several Runs (recorder.py of the extension fixture) failed: the script broke." in answer.json()["detail"]
