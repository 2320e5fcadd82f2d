"""A kill -9 of the real server in the middle of a batch: pictures stay, the rest is offered and made."""
import threading
import time
from pathlib import Path

import psutil
from PIL import Image
from server_process import ServerProcess

TASK = "task(killed)"
PICTURES = 6
REQUEST = {"prompt": "a cat", "steps": 20, "width": 64, "height": 64, "seed": 5, "sampler_name": "Euler", "n_iter": PICTURES,
           "save_images": True, "force_task_id": TASK, "override_settings": {"sd_model_checkpoint": "tiny-sd1-s1"}}


def result(server: ServerProcess) -> dict:
    return server.get("/internal/result/task(killed)")[1]


def wait_for_pictures(server: ServerProcess, count: int) -> None:
    end = time.monotonic() + 120
    while (now := server.post("/internal/progress", {"id_task": TASK, "live_preview": False})[1])["pictures"] < count:
        assert time.monotonic() < end and not now["error"], (now, server.log())
        time.sleep(0.02)


def generate(server: ServerProcess) -> None:
    try:
        server.post("/sdapi/v1/txt2img", REQUEST)
    except OSError:
        pass  # the server was killed meanwhile, as this test wants


def test_pictures_stay_and_the_rest_is_made_after_the_next_start(module_server):
    server = module_server
    client = threading.Thread(target=generate, args=(server,))
    client.start()
    wait_for_pictures(server, 2)
    with server.killed():
        client.join(30)
    for path in (server.data_dir / "outputs").rglob("*.png"):
        Image.open(path).load()  # none is half-written

    # Processor seconds: on a machine with other work the clock on the wall says nothing about this program.
    assert server.process is not None and sum(psutil.Process(server.process.pid).cpu_times()[:2]) < 20
    [left] = server.get("/internal/queue")[1]["unfinished"]
    kept = {picture["index"]: picture["path"] for picture in result(server)["pictures"]}
    assert left["id"] == TASK and len(kept) >= 2 and left["pictures_total"] == PICTURES
    assert TASK not in server.get("/internal/pending-tasks")[1]["tasks"]  # nothing starts by itself
    server.post("/internal/queue/resume-unfinished", {"id": TASK})
    wait_for_pictures(server, PICTURES)
    while not (done := result(server))["result"]:
        time.sleep(0.02)
    assert done["status"] == "done"
    images = [image for image in done["result"]["images"] if not image["is_grid"]]
    assert [image["seed"] for image in images] == list(range(5, 5 + PICTURES))
    assert all(images[index]["path"] == path for index, path in kept.items())
    assert all(Path(image["path"]).is_file() and f"Seed: {image['seed']}" in image["infotext"] for image in images)
