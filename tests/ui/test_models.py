"""What the page says and shows for the chosen checkpoint."""
from dataclasses import replace

from small_families import SMALL, write_small

from modules.ui.models import native_size, shown_for_instructions


def test_controls_of_instructions_are_seen_for_models_that_follow_them(runtime):
    assert shown_for_instructions(runtime) == "hidden"
    follows = replace(SMALL["sd1"], unet=replace(SMALL["sd1"].unet, in_channels=8))
    write_small(runtime.folders.checkpoints / "follows.safetensors", follows)
    runtime.checkpoints.refresh()
    runtime.settings.set("sd_model_checkpoint", "follows")
    assert shown_for_instructions(runtime) is True and native_size(runtime) == 64
