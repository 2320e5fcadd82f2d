"""The making of the demo model: drawing, captions, one step of each stage, and a file that the program's own loader reads."""
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open

from modules.nn import attention
from tools.demo_model import (
    bind_text,
    captions,
    evaluate,
    export,
    latents,
    networks,
    render,
    scenes,
    scoring,
    train_text,
    train_unet,
    train_vae,
)
from tools.demo_model.palette import SHAPES, SUBJECTS, TERRAINS, TIMES

ONE_STEP = {"minutes": 1, "max_steps": 1}


@pytest.fixture(autouse=True)
def restored_attention():
    before = attention._implementation
    yield
    attention.use_implementation(before)


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    """A folder in which every stage took one step."""
    folder = tmp_path_factory.mktemp("demo")
    train_vae.train(folder / "vae.pt", train_vae.VaeTraining(workers=1, pictures=16, **ONE_STEP))
    latents.whiten(folder / "vae.pt", folder / "white.pt", pictures=4)
    latents.cache(folder / "white.pt", folder / "latents", files=1, pictures=2)
    latents.cache(folder / "white.pt", folder / "plain", files=1, plain=True, pictures=2)
    train_text.train(folder / "text.pt", train_text.TextTraining(batch=2, **ONE_STEP))
    train_unet.train(folder / "unet.pt", folder / "latents", train_unet.UNetTraining(workers=1, batch=2, **ONE_STEP),
                     plain=folder / "plain", text=folder / "text.pt")
    bind_text.bind(folder / "unet.pt", folder / "bound.pt", train_text.TextTraining(batch=3, **ONE_STEP))
    export.export(folder / "white.pt", folder / "bound.pt", folder / "model.safetensors", {"colour": 0.9})
    return folder


def test_the_same_scene_gives_the_same_picture_at_every_size():
    scene = scenes.random_scene(np.random.default_rng(3))
    assert (render.render(scene) == render.render(json.loads(json.dumps(scene)))).all()
    assert render.render(scene, 192, 64).shape == (64, 192, 3)


@pytest.mark.parametrize("kind", SHAPES + SUBJECTS)
def test_a_thing_has_the_colour_of_its_name_on_the_background_of_its_name(kind):
    _, front, back = scoring.foreground(render.render(scoring.studio_scene(kind, "blue", "yellow")))
    assert scoring.nearest_color(back) == "yellow"
    assert scoring.nearest_color(front) == "blue"


@pytest.mark.parametrize("kind", SHAPES)
def test_a_shape_is_recognised_in_any_colour(kind):
    assert scoring.shape_of(scoring.foreground(render.render(scoring.studio_scene(kind, "green", "pink")))[0]) == kind


def test_times_and_terrains_are_recognised():
    wanted = [(time, terrain) for time in TIMES for terrain in TERRAINS]
    pictures = [render.render(scoring.landscape_scene(time, terrain, seed)) for seed, (time, terrain) in enumerate(wanted)]
    assert scoring.landscape_score(pictures, wanted)["both"] >= 0.9


def test_captions_name_what_is_in_the_scene():
    rng = np.random.default_rng(5)
    scene = scoring.studio_scene("star", "red", "white")
    texts = [captions.caption(scene, rng) for _ in range(40)]
    assert all("star" in text for text in texts) and sum("red" in text for text in texts) > 30
    assert len(set(texts)) > 10


def test_a_contest_gives_the_true_word_the_larger_weight():
    rng = np.random.default_rng(6)
    for _ in range(20):
        weights = dict(captions.contest(scoring.studio_scene("star", "red", "white"), "red", rng))
        assert len(weights) == 2 and max(weights, key=weights.get) == "red"


def test_every_style_changes_the_picture():
    scene = scoring.studio_scene("cat", "orange", "blue")
    plain = render.render(scene)
    for style in scenes.STYLES:
        assert np.abs(render.render({**scene, "style": style}).astype(int) - plain).mean() > 5


def test_each_stage_of_the_training_writes_its_file(made):
    names = {path.name for path in made.iterdir()}
    assert {"vae.pt", "white.pt", "text.pt", "unet.pt", "bound.pt", "model.safetensors"} <= names
    assert (made / "latents" / "000.npz").exists() and (made / "plain" / "000.npz").exists()


def test_a_step_changes_the_weights_of_all_three_networks(made):
    start = networks.new_model()
    state = torch.load(made / "unet.pt", weights_only=True)
    assert not torch.equal(state["unet"]["out.2.bias"], start.model.diffusion_model.out[2].bias)
    assert torch.load(made / "text.pt", weights_only=True)["text_model.encoder.layers.0.mlp.fc1.bias"].any()  # begins with zeros
    assert not torch.equal(torch.load(made / "vae.pt", weights_only=True)["decoder.conv_out.bias"],
                           start.first_stage_model.decoder.conv_out.bias)


def test_latents_have_unit_variance(made):
    with np.load(made / "latents" / "000.npz") as kept:
        assert 0.3 < kept["128x128"].astype(np.float32).var() < 3


def test_the_loader_of_the_program_reads_the_exported_file(made):
    painter = evaluate.Painter(made / "model.safetensors", evaluate.Sampling(steps=1, size_px=64))
    assert painter.model.architecture == networks.ARCHITECTURE
    trained = torch.load(made / "unet.pt", weights_only=True)["ema_unet"]["time_embed.0.weight"].half().float()
    assert torch.equal(painter.model.model.diffusion_model.time_embed[0].weight.float().cpu(), trained)
    assert painter.paint(["a red circle"], seed=1)[0].shape == (64, 64, 3)


def test_the_card_is_kept_in_the_file(made):
    with safe_open(made / "model.safetensors", "pt") as file:
        assert json.loads(file.metadata()["easel.model_card"]) == {"colour": 0.9}


def test_the_recipe_describes_the_model_that_is_shipped():
    assert networks.described()["unet"]["channel_mult"] == (1, 2, 2, 1)
    assert sum(weight.numel() for weight in networks.new_model().parameters()) == pytest.approx(11.0e6, rel=0.02)
