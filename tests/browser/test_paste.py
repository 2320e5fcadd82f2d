"""Pasted parameters make the same picture again."""
import base64
import io
import json
import time

import numpy as np
import pytest
from PIL import Image

pytestmark = pytest.mark.browser

REQUESTS = {
    "many fields": {
        "prompt": "a [cat:dog:0.5], (red:1.3) AND sky :0.6", "negative_prompt": "rain, \"fog\"",
        "sampler_name": "DPM++ 2M SDE", "scheduler": "Karras", "steps": 5, "cfg_scale": 4.5,
        "width": 64, "height": 96, "seed": 77, "subseed": 5, "subseed_strength": 0.3, "eta": 0.7,
        "override_settings": {"CLIP_stop_at_last_layers": 2, "eta_noise_seed_delta": 31337}},
    "second pass and LoRA": {
        "prompt": "a fox <lora:tinylora:0.8>", "sampler_name": "Euler a", "scheduler": "Automatic", "steps": 4,
        "width": 64, "height": 64, "seed": 9, "tiling": True, "enable_hr": True, "hr_scale": 1.5, "hr_upscaler": "Latent (bicubic)",
        "hr_second_pass_steps": 3, "denoising_strength": 0.6, "hr_prompt": "a wolf",
        "hr_sampler_name": "DPM++ 2M", "hr_scheduler": "Exponential"},
    "refiner": {
        "prompt": "a house", "sampler_name": "Heun", "scheduler": "Polyexponential", "steps": 6, "width": 64, "height": 64, "seed": 3,
        "refiner_checkpoint": "tiny-sd1-s2", "refiner_switch_at": 0.5},
}


def finished_job(server, before):
    """The first generation that ends and is not one of those before."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        for job in server.get("/internal/queue")[1]["recent"]:
            if job["kind"] == "txt2img" and job["id"] not in before:
                return job
        time.sleep(0.1)
    raise AssertionError("no job ended")


@pytest.mark.parametrize("name", REQUESTS)
def test_a_pasted_infotext_and_generate_give_identical_pixels(easel, name):
    _, answer = easel.server.post("/sdapi/v1/txt2img", {**REQUESTS[name], "save_images": False})
    text = json.loads(answer["info"])["infotexts"][0]
    first = np.asarray(Image.open(io.BytesIO(base64.b64decode(answer["images"][0]))))
    easel.prompt(text)
    easel.tab.click("#paste")
    easel.wait_for(f"() => document.querySelector('#txt2img_steps input[type=number]').value === '{REQUESTS[name]['steps']}'")
    easel.wait_until_idle()
    before = {job["id"] for job in easel.queue()["recent"]}
    easel.generate()
    job = finished_job(easel.server, before)
    _, made = easel.server.get(f"/internal/result/{job['id']}")
    assert np.array_equal(np.asarray(Image.open(made["result"]["images"][0]["path"])), first)
