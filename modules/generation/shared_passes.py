"""What runs of one job have in common: a first pass that several of them need is made once."""
from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

from torch import Tensor

from modules import script_callbacks
from modules.generation.base import StableDiffusionProcessing
from modules.generation.refiner import Refiner
from modules.scripts import Script

MOST_BYTES = 512 * 2**20

# Fields on which the first pass does not depend, or which stand in the lists of the batch.
NOT_OF_THE_PASS = {
    "sd_model", "outpath_samples", "outpath_grids", "prompt", "prompt_for_display", "negative_prompt", "styles", "seed", "subseed",
    "batch_size", "n_iter", "do_not_save_samples", "do_not_save_grid", "extra_generation_params", "override_settings",
    "override_settings_restore_afterwards", "overlay_images", "scripts_value", "refiner_checkpoint", "refiner_switch_at"}
# Fields and settings that count only after it, beside all whose name begins with hr_.
FIELDS_OF_LATER = {"enable_hr", "denoising_strength", "restore_faces"}
SETTINGS_OF_LATER = {"face_restoration_model", "code_former_weight", "token_merging_ratio_hr", "hires_fix_use_firstpass_conds"}
LISTENERS = ("cfg_denoiser", "cfg_denoised", "cfg_after_cfg")
HOOKS_BEFORE = ("setup", "before_process", "process", "before_process_batch", "after_extra_networks_activate", "process_batch",
                "process_before_every_sampling")


@dataclass(frozen=True, kw_only=True)
class SharedPass:
    """The latents [B, 4, h, w] that a pass came to, and its last step."""

    latents: Tensor
    last_step: Any


class SharedPasses:
    """First passes of the runs of one job, the latest of them up to `most_bytes`.

    A run takes part when its `shared_passes` is this object, as copies of a run have it. What it gets is what it would have made.
    """

    def __init__(self, most_bytes: int = MOST_BYTES):
        self.most_bytes = most_bytes
        self._kept: OrderedDict[str, SharedPass] = OrderedDict()

    def latents(self, p: StableDiffusionProcessing, make: Callable[[], Tensor]) -> Tensor:
        """The latents of the present batch's first pass: kept from an equal one, or made by `make` and kept."""
        key = pass_key(p)
        if key is None:
            return make()
        known = self._kept.get(key)
        if known is None:
            known = self._kept[key] = SharedPass(latents=make(), last_step=p.last_step)
            while len(self._kept) > 1 and sum(map(_size, self._kept.values())) > self.most_bytes:
                self._kept.popitem(last=False)
        self._kept.move_to_end(key)
        p.last_step = known.last_step
        return known.latents.clone()


def _size(kept: SharedPass) -> int:
    return kept.latents.nbytes * (1 if kept.last_step is None else 3)  # a step holds x and its estimate as well


def pass_key(p: StableDiffusionProcessing) -> str | None:
    """All that the first pass of the present batch depends on, within one job; None where others may have a hand in it."""
    if is_watched(p) or Refiner.of(p) is not None:  # a refiner stays for the second pass
        return None
    own = [(each.name, getattr(p, each.name)) for each in fields(p) if each.name not in NOT_OF_THE_PASS and not is_of_later(each.name)]
    later = SETTINGS_OF_LATER if p.is_using_inpainting_conditioning else SETTINGS_OF_LATER | {"sd_vae"}
    settings = sorted((name, value) for name, value in p.override_settings.items() if name not in later)
    batch = p.prompts, p.negative_prompts, p.seeds, p.subseeds if p.subseed_strength else None
    networks = {kind: [tag.items for tag in tags] for kind, tags in p.extra_network_data.items()}
    return repr((own, settings, batch, networks, p.depth_map is None or id(p.depth_map)))


def is_of_later(field: str, setting: str = "") -> bool:
    """Whether a field of text to image, or a setting, has a part only in what follows the first pass."""
    return field.startswith("hr_") or field in FIELDS_OF_LATER or setting in SETTINGS_OF_LATER


def is_watched(p: StableDiffusionProcessing) -> bool:
    """Whether code of an extension may change a pass by more than what stands in the fields of the run."""
    if any(script_callbacks.has(event) for event in LISTENERS):
        return True
    scripts = p.scripts.alwayson_scripts if p.scripts is not None else ()
    return any(getattr(getattr(script, hook), "__func__", None) is not getattr(Script, hook)
               for script in scripts if not script.is_done_when_replayed for hook in HOOKS_BEFORE)
