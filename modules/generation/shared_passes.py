"""What runs of one job have in common is made once: whole first passes, and the first network evaluations of passes."""
from __future__ import annotations

import hashlib
from collections import Counter, OrderedDict
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, fields
from functools import lru_cache
from itertools import takewhile
from typing import Any

import torch
from torch import Tensor

from modules import script_callbacks
from modules.generation.base import StableDiffusionProcessing
from modules.generation.refiner import Refiner
from modules.prompt.compose import split_and
from modules.prompt.schedule import schedule
from modules.runtime import current
from modules.sampling.guidance import DenoiseCall
from modules.sampling.registry import find_sampler
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

Ask = Callable[[], Tensor]


@dataclass(frozen=True, kw_only=True)
class SharedPass:
    """The latents [B, 4, h, w] that a pass came to, and its last step."""

    latents: Tensor
    last_step: Any


class SharedPasses:
    """First passes of the runs of one job, the latest of them up to `most_bytes`, and evaluations that several passes begin with.

    A run takes part when its `shared_passes` is this object, as copies of a run have it. What it gets is what it would have made.
    `expect` is told beforehand how many passes begin with which evaluations, so that only those are kept that are asked for again.
    """

    def __init__(self, most_bytes: int = MOST_BYTES):
        self.most_bytes = most_bytes
        self._kept: OrderedDict[str, SharedPass] = OrderedDict()
        self._expected: Counter[int] = Counter()
        self._answers: dict[int, tuple[bytes, Tensor]] = {}

    def expect(self, uses: Counter[int]) -> None:
        """Evaluations by their keys (`evaluation_keys`), with the number of passes that need them."""
        self._expected = Counter({key: count for key, count in uses.items() if count > 1})

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

    def recall_of(self, p: StableDiffusionProcessing) -> Callable[[DenoiseCall, Ask], Tensor] | None:
        """For the pass that `p` begins: (what the network is given, a function that asks it) -> its answer, from memory if it is there."""
        keys = list(takewhile(self._expected.__contains__, evaluation_keys(p))) if self._expected else []
        if not keys:
            return None

        def recall(call: DenoiseCall, ask: Ask) -> Tensor:
            number = call.denoiser.calls
            if number >= len(keys):
                return ask()
            key, given = keys[number], digest(call)
            seen, answer = self._answers.get(key, (b"", None))
            if seen != given or answer is None:
                answer = ask()
                self._answers[key] = given, answer
            self._expected[key] -= 1
            if self._expected[key] <= 0:
                self._answers.pop(key, None)
            return answer.clone()
        return recall


def _size(kept: SharedPass) -> int:
    return kept.latents.nbytes * (1 if kept.last_step is None else 3)  # a step holds x and its estimate as well


def digest(call: DenoiseCall) -> bytes:
    """A fingerprint of the network and of every number that it is given."""
    model: Any = call.denoiser.model
    checkpoint = getattr(model, "checkpoint", None)  # the same model may have been loaded anew in between
    found = hashlib.blake2b(f"{checkpoint.path if checkpoint else id(model)}".encode("utf-8", "surrogatepass"), digest_size=16)
    for tensor in (call.x, call.level, call.cond.crossattn, call.cond.vector, call.uncond.crossattn, call.uncond.vector, call.image_cond):
        if tensor is not None:
            found.update(f"{tuple(tensor.shape)}{tensor.dtype}".encode())
            found.update(tensor.detach().cpu().contiguous().view(torch.uint8).numpy().tobytes())
    return found.digest()


# What a pass depends on


def pass_key(p: StableDiffusionProcessing) -> str | None:
    """All that the first pass of the present batch depends on, within one job; None where others may have a hand in it."""
    if p.is_img2img or is_watched(p) or Refiner.of(p) is not None:  # a refiner stays for the second pass
        return None
    return repr((*_surroundings(p), p.prompts, p.negative_prompts, p.cfg_scale))


def _surroundings(p: StableDiffusionProcessing) -> tuple[Any, ...]:
    """What holds for a pass from its beginning, beside prompts and the scale of guidance."""
    own = [(each.name, getattr(p, each.name)) for each in fields(p)
           if each.name not in NOT_OF_THE_PASS and each.name != "cfg_scale" and (p.is_img2img or not is_of_later(each.name))]
    later = SETTINGS_OF_LATER if p.is_using_inpainting_conditioning or p.is_img2img else SETTINGS_OF_LATER | {"sd_vae"}
    settings = sorted((name, value) for name, value in p.override_settings.items() if name not in later)
    networks = {kind: [tag.items for tag in tags] for kind, tags in p.extra_network_data.items()}
    seeds = p.seeds, p.subseeds if p.subseed_strength else None
    return own, settings, networks, seeds, p.depth_map is None or id(p.depth_map)


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


def evaluation_keys(p: StableDiffusionProcessing) -> Iterator[int]:
    """For each evaluation of the present batch's first pass in turn, all that led to it; ends where others may have a hand in it.

    Two passes have equal keys as long as texts and model were equal in every step. The scale of guidance counts from the second
    evaluation on.
    """
    opts = current().settings
    if is_watched(p) or opts.skip_early_cond > 0 or (p.s_min_uncond or 0) > 0 or opts.s_min_uncond > 0:
        return
    has_refiner = Refiner.of(p) is not None
    if has_refiner and p.is_img2img:
        return
    sampler = find_sampler(p.sampler_name or "Euler")
    is_left_out = p.cfg_scale == 1 and not sampler.needs_unguided
    refiner, switch_at = (p.refiner_checkpoint, p.refiner_switch_at) if has_refiner else ("", 1.0)
    texts = [_texts(p, prompt) for prompt in (*p.prompts, *p.negative_prompts)]
    key = hash((repr(_surroundings(p)), is_left_out))
    number = 0
    while True:
        step = number // sampler.calls_per_step
        position = number if opts.dont_fix_second_order_samplers_schedule else step
        model = refiner if step / max(p.steps, 1) >= switch_at else ""
        key = hash((key, model, tuple(_at(variants, position) for variants in texts)))
        yield key
        key = hash((key, p.cfg_scale))
        number += 1


def _texts(p: StableDiffusionProcessing, prompt: str) -> tuple[Hashable, list[list[tuple[int, str]]]]:
    """The weights of a prompt's parts, and the texts of each by step."""
    parts = split_and(prompt)
    old = current().settings.use_old_scheduling
    return tuple(weight for _, weight in parts), [_plan(text, p.steps, old) for text, _ in parts]


@lru_cache(maxsize=1024)
def _plan(text: str, steps: int, old: bool) -> list[tuple[int, str]]:
    return schedule(text, steps, None, old)


def _at(variants: tuple[Hashable, list[list[tuple[int, str]]]], step: int) -> Hashable:
    """The texts of one step as conditions pick them (modules.prompt.conditioning)."""
    weights, parts = variants
    return weights, tuple(next((text for until, text in plan if step <= until), plan[-1][1]) for plan in parts)
