"""Limits of a server: told in one sentence with the field, before a job exists."""
import pytest
from api_requests import TINY_REQUEST
from starlette.testclient import TestClient

from modules import cmd_args
from modules.api.app import apply_limits, build_api_app
from modules.generation.limits import LIMITS

ADDRESS = "http://127.0.0.1:7860"


@pytest.fixture
def limited(rt):
    """limited(steps=5, ...) -> a client of a server with these limits."""
    def start(**limits: int) -> TestClient:
        vars(rt.args).update({f"limit_{name}": value for name, value in limits.items()})
        return TestClient(build_api_app(rt), base_url=ADDRESS)

    yield start
    vars(rt.args).update({name: None for name in vars(rt.args) if name.startswith("limit_")})
    apply_limits(rt)


@pytest.mark.parametrize("limits, request_over, field", [
    ({"pixels": 64 * 64}, {"width": 72}, "width"),
    ({"pixels": 100 * 100}, {"enable_hr": True, "hr_scale": 2, "denoising_strength": 0.5}, "width"),
    ({"steps": 2}, {"steps": 3}, "steps"),
    ({"steps": 2}, {"enable_hr": True, "hr_second_pass_steps": 3}, "steps"),
    ({"batch": 1}, {"batch_size": 2}, "batch_size"),
    ({"pictures": 2}, {"n_iter": 3}, "n_iter"),
])
def test_what_exceeds_a_limit_is_422_with_field_and_limit(limited, instant, limits, request_over, field):
    client = limited(**limits)
    for path in ("/sdapi/v1/txt2img", "/sdapi/v1/jobs/txt2img"):
        answer = client.post(path, json={**TINY_REQUEST, **request_over})
        assert answer.status_code == 422 and answer.json()["detail"][0]["loc"][-1] == field
        assert f"limit is {next(iter(limits.values())):,}" in answer.json()["detail"][0]["msg"]
    assert client.post("/sdapi/v1/txt2img", json=TINY_REQUEST).status_code == 200 and len(instant) == 1


def test_a_full_queue_is_429(rt, limited, instant):
    client = limited(queue=2)
    rt.queue.pause()
    try:
        answers = [client.post("/sdapi/v1/jobs/txt2img", json=TINY_REQUEST) for _ in range(3)]
    finally:
        rt.queue.cancel_all()
        rt.queue.resume()
    assert [answer.status_code for answer in answers] == [202, 202, 429] and "limit" in answers[2].json()["detail"]


def test_a_body_over_the_limit_is_413(limited):
    answer = limited(request_mb=1).post("/sdapi/v1/txt2img", content=b"x" * (1 << 20) + b"x")
    assert answer.status_code == 413 and "1 MB" in answer.json()["detail"]


def test_every_limit_has_a_flag():
    args = cmd_args.parse([])
    assert all(getattr(args, limit.flag) is None for limit in LIMITS)
    with pytest.raises(SystemExit):
        cmd_args.parse(["--limit-steps", "0"])


@pytest.mark.parametrize("words, is_open", [
    ([], False), (["--listen"], True), (["--share"], True), (["--server-name", "0.0.0.0"], True), (["--server-name", "127.0.0.1"], False),
    (["--listen", "--gradio-auth", "a:b"], False), (["--listen", "--api-auth", "a:b"], False),
])
def test_strangers_are_those_who_come_from_elsewhere_without_a_login(words, is_open):
    args = cmd_args.parse([*words, "--allow-code"])
    assert cmd_args.close_to_strangers(args) == args.hide_ui_dir_config == is_open and args.allow_code != is_open


def test_where_strangers_may_come_no_folder_can_be_set(rt, instant):
    rt.args.hide_ui_dir_config = True
    try:
        client = TestClient(build_api_app(rt), base_url=ADDRESS)
        assert client.post("/sdapi/v1/options", json={"outdir_samples": "/etc"}).status_code == 422
        body = {**TINY_REQUEST, "override_settings": {"outdir_txt2img_samples": "/etc"}}
        assert client.post("/sdapi/v1/txt2img", json=body).status_code == 422
        assert client.post("/sdapi/v1/options", json={"jpeg_quality": 80}).status_code == 200 and not instant
    finally:
        rt.args.hide_ui_dir_config = False
        rt.settings._locked.clear()
