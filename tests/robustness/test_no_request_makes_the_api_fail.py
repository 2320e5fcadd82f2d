"""Promises 8 and 9: whatever fits the OpenAPI document, or does not, the API answers with a value or a sentence, soon, and never with 5xx.

The requests come from schemathesis, with a fixed seed. The short form runs in the ordinary suite, the long one with -m long.
"""
import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
import tiny_model
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from runtime_parts import running
from schemathesis.generation import GenerationMode
from starlette.testclient import TestClient

from modules import img2img, model_jobs, txt2img
from modules.api.app import build_api_app
from modules.generation import replay

ADDRESS = "http://127.0.0.1:7860"
SHORT, LONG = 4, 300
MOST_S = 5.0
OWN_HEADERS = {"host", "user-agent", "content-length", "x-schemathesis-testcaseid", "origin"}


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """The API of a program whose jobs are over at once."""
    data_dir = tiny_model.make_data_dir(tmp_path_factory.mktemp("fuzz") / "data")
    with running(data_dir, "--api") as rt:
        for kind in (txt2img.KIND, img2img.KIND, model_jobs.KIND, replay.KIND):
            rt.queue.register(kind, lambda job, state: {"images": [], "info": {"infotexts": []}})
        with TestClient(build_api_app(rt), base_url=ADDRESS, raise_server_exceptions=False) as client:
            client.post("/sdapi/v1/txt2img", json={})  # the first job has the controls of the scripts built, which takes its time
            yield client


def answered(client: TestClient, case: Any) -> None:
    """Send one request and look at the answer."""
    asked = case.as_transport_kwargs(base_url=ADDRESS)
    headers = {name: value for name, value in asked.get("headers", {}).items() if name.lower() not in OWN_HEADERS}
    began = time.perf_counter()
    content = {name: asked[name] for name in ("params", "json", "data", "files", "cookies") if asked.get(name) is not None}
    if isinstance(content.get("data"), (bytes, str)):
        content["content"] = content.pop("data")
    try:
        answer = client.request(asked["method"], asked["url"], headers=headers, **content)
    except (UnicodeError, ValueError, TypeError):  # what the client itself cannot write down was never sent
        return
    assert answer.status_code < 500, f"{asked['method']} {asked['url']}: {answer.status_code} {answer.text[:300]}"
    assert time.perf_counter() - began < MOST_S
    if answer.status_code >= 400 and answer.status_code not in (404, 405):
        assert answer.json()["detail"], f"{asked['method']} {asked['url']}: {answer.text[:300]}"


def fuzz(client: TestClient, examples: int) -> None:
    schema = schemathesis.openapi.from_dict(client.get("/openapi.json").json())
    quiet = settings(max_examples=examples, deadline=None, database=None, derandomize=True, phases=[Phase.generate],
                     suppress_health_check=list(HealthCheck))
    for found in schema.get_all_operations():
        for mode in GenerationMode:
            client.post("/internal/queue/resume", json={})  # a request may have paused it, and routes that wait would wait for ever
            cases = found.ok().as_strategy(generation_mode=mode)
            try:
                quiet(given(case=cases)(lambda case: answered(client, case)))()
            except Unsatisfiable:  # a route without anything that could be wrong
                assert mode is GenerationMode.NEGATIVE


def test_random_requests_are_answered(client):
    fuzz(client, SHORT)


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_many_random_requests_are_answered(client):
    fuzz(client, LONG)


NUMBERS = (0, -8, 1, 7, 100_000, 2**31, 1e18, True, None, "NaN", "20", 20.0, [], {}, "1e999", "\ud800", -0.0, 10**400)


@pytest.mark.parametrize("route", ["txt2img", "img2img"])
def test_every_number_in_every_field_is_taken_or_refused_by_name(client, route):
    fields = client.get("/openapi.json").json()["paths"][f"/sdapi/v1/{route}"]["post"]["requestBody"]["content"]["application/json"]
    for name, rule in fields["schema"]["properties"].items():
        for value in NUMBERS:
            began = time.perf_counter()
            answer = client.post(f"/sdapi/v1/{route}", content=body_with(name, value))
            assert answer.status_code < 500, (name, value, answer.text[:300])
            assert time.perf_counter() - began < MOST_S, (name, value)
            if answer.status_code == 422 and isinstance(answer.json()["detail"], list) and rule["type"] in ("integer", "number"):
                assert any(str(problem["loc"][-1]) in (name, "init_images") for problem in answer.json()["detail"]), (name, value)


def body_with(name: str, value: Any) -> bytes:
    picture = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
    return json.dumps({"prompt": "x", "width": 64, "height": 64, "init_images": [picture], **{name: value}}).encode()
