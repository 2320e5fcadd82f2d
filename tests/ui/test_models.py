"""What the page says and shows for the chosen checkpoint."""
from dataclasses import replace

from small_families import SMALL, write_small

from modules.ui.models import checkpoint_titles, native_size, shown_for_instructions


def test_controls_of_instructions_are_seen_for_models_that_follow_them(runtime):
    assert shown_for_instructions(runtime) == "hidden"
    follows = replace(SMALL["sd1"], unet=replace(SMALL["sd1"].unet, in_channels=8))
    write_small(runtime.folders.checkpoints / "follows.safetensors", follows)
    runtime.checkpoints.refresh()
    runtime.settings.set("sd_model_checkpoint", "follows")
    assert shown_for_instructions(runtime) is True and native_size(runtime) == 64


def test_lists_show_names_without_folders_unless_two_would_look_alike(runtime):
    for name in ("one/same", "two/same", "two/only"):
        path = runtime.folders.checkpoints / f"{name}.safetensors"
        path.parent.mkdir(exist_ok=True)
        write_small(path, SMALL["sd1"])
    runtime.checkpoints.refresh()
    titles = {"one/same.safetensors", "two/same.safetensors", "two/only.safetensors"}
    assert titles <= {shown for shown, _ in checkpoint_titles(runtime)}
    runtime.settings.set("sd_checkpoint_dropdown_use_short", True)
    shown = dict((title, shown) for shown, title in checkpoint_titles(runtime))
    assert {title: shown[title] for title in titles} == {
        "one/same.safetensors": "one/same.safetensors", "two/same.safetensors": "two/same.safetensors",
        "two/only.safetensors": "only.safetensors"}
