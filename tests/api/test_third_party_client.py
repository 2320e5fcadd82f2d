"""A client that others wrote for the API (webuiapi), unchanged, against a running server."""
import pytest
from PIL import Image

webuiapi = pytest.importorskip("webuiapi")


@pytest.fixture(scope="module")
def api(module_server):
    return webuiapi.WebUIApi(host="127.0.0.1", port=module_server.port, sampler="Euler", steps=2)


def test_it_lists_what_there_is(api):
    assert "Euler" in {row["name"] for row in api.get_samplers()} and "Automatic" in {row["label"] for row in api.get_schedulers()}
    assert {row["model_name"] for row in api.get_sd_models()} >= {"tiny-sd1-s1", "tiny-sd1-s2"}
    assert api.get_sd_vae() == [] and api.get_hypernetworks() == []
    assert [row["name"] for row in api.get_face_restorers()] == ["CodeFormer", "GFPGAN"]
    assert "R-ESRGAN 4x+" in {row["name"] for row in api.get_realesrgan_models()}
    assert [row["name"] for row in api.get_upscalers()][:3] == ["None", "Lanczos", "Nearest"] and api.get_latent_upscale_modes()
    assert api.get_prompt_styles() == [] and "ram" in api.get_memory() and "api" in api.get_cmd_flags() and api.get_loras()
    assert 0 <= api.get_progress()["progress"] <= 1


def test_it_makes_pictures_from_text_and_from_pictures(api):
    api.util_set_model(next(title for title in api.util_get_model_names() if "tiny-sd1-s1" in title), find_closest=False)
    assert "tiny-sd1-s1" in api.util_get_current_model()
    made = api.txt2img(prompt="a cat", seed=1, width=64, height=64)
    assert made.image.size == (64, 64) and made.info["seed"] == 1 and made.info["prompt"] == "a cat"
    again = api.img2img(images=[made.image], prompt="a dog", seed=2, width=64, height=64, denoising_strength=0.5)
    assert again.image.size == (64, 64) and "Denoising strength: 0.5" in again.info["infotexts"][0]
    painted = api.img2img(images=[made.image], mask_image=Image.new("L", (64, 64), 255), prompt="x", seed=3, width=64, height=64)
    assert painted.image.size == (64, 64)


def test_it_enlarges_and_reads_pictures(api):
    made = api.txt2img(prompt="a cat", seed=1, width=64, height=64)
    assert "a cat" in api.png_info(made.image).info
    assert api.extra_single_image(made.image, upscaler_1="Lanczos", upscaling_resize=2).image.size == (128, 128)
    enlarged = api.extra_batch_images([made.image, made.image], upscaler_1="Nearest", upscaling_resize=2)
    assert [image.size for image in enlarged.images] == [(128, 128)] * 2


def test_it_changes_settings_and_stops_jobs(api):
    api.set_options({"CLIP_stop_at_last_layers": 2})
    assert api.get_options()["CLIP_stop_at_last_layers"] == 2
    api.set_options({"CLIP_stop_at_last_layers": 1})
    for act in (api.interrupt, api.skip, api.refresh_checkpoints, api.util_wait_for_ready):
        act()
    assert "txt2img" in api.get_scripts()


def test_a_mistake_is_an_error_with_the_sentence(api):
    with pytest.raises(RuntimeError, match="Sampler not found"):
        api.txt2img(prompt="x", sampler_name="Nope")
