"""POST /internal/replay: pictures of the server by path, others as uploads."""
import pytest

from modules import txt2img

REQUEST = {"prompt": "a red cube", "steps": 2, "width": 64, "height": 64, "seed": 5, "sampler_name": "Euler", "do_not_save_grid": True}


@pytest.fixture(scope="module")
def picture(rt) -> str:
    job = txt2img.submit(rt, REQUEST)
    assert job.wait(60) and job.status == "done", job.error
    return job.result["images"][0]["path"]


def report(rt, client, answer) -> dict:
    """What the page reads when the job is over."""
    assert answer.status_code == 200, answer.text
    assert rt.queue.get(answer.json()["id"]).wait(60)
    return client.get(f"/internal/result/{answer.json()['id']}").json()["result"]


def test_a_picture_of_this_server_is_named_by_its_path(rt, client, picture):
    result = report(rt, client, client.post("/internal/replay", json={"path": picture}))
    assert result["replay"]["verdict"] == "identical" and result["notes"][0].startswith("The picture was made again")
    assert client.get(result["images"][0]["url"]).headers["content-type"] == "image/png"


def test_any_picture_can_be_uploaded_and_leaves_nothing_behind(rt, client, picture):
    with open(picture, "rb") as file:
        result = report(rt, client, client.post("/internal/replay", files={"file": ("mine.png", file, "image/png")}))
    assert result["replay"]["verdict"] == "identical" and not list(rt.folders.temporary.glob("replay-*"))


@pytest.mark.parametrize("path", ["/etc/passwd", "../config.json", "\0", "memory:nothing", "x" * 5000])
def test_other_files_of_the_machine_are_not_read(client, path):
    assert client.post("/internal/replay", json={"path": path}).status_code == 404


@pytest.mark.parametrize("body", [{}, {"path": 3}, {"path": ""}])
def test_a_request_without_a_picture_is_refused(client, body):
    assert client.post("/internal/replay", json=body).status_code == 422


def test_an_upload_without_a_file_is_refused(client):
    assert client.post("/internal/replay", files={"other": ("a.png", b"x")}).status_code == 422
