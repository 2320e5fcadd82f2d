"""Prompts of a batch to cached conditions."""
from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

from torch import Tensor

from modules import runtime
from modules.generation import image_conditioning
from modules.generation.base import StableDiffusionProcessing
from modules.prompt.compose import batch_conditions
from modules.prompt.conditioning import Conditioning
from modules.prompt.encode import EncodeOptions, embeddings_used, encode
from modules.prompt.picture_facts import PictureFacts, with_facts

TI_HASHES = "TI hashes"


def encode_options(opts: Any) -> EncodeOptions:
    """How text becomes vectors under the given settings."""
    return EncodeOptions(clip_skip=opts.CLIP_stop_at_last_layers, emphasis=opts.emphasis,
                         comma_padding_backtrack=opts.comma_padding_backtrack)


def setup_conditions(p: StableDiffusionProcessing, steps: int, hires_steps: int | None = None) -> None:
    """Encode the prompts of the current batch for a pass of `steps` steps into p.c and p.uc.

    With `hires_steps` it is the second pass of that many steps, after a first of `steps`.
    """
    rt = runtime.current()
    options = encode_options(rt.settings)
    encoder = p.sd_model.cond_stage_model
    _forget_where_emptied(p)
    known = rt.conditions.under(circumstances(p, options)) if rt.settings.persistent_cond_cache else None
    facts, architecture = picture_facts(p), p.sd_model.architecture

    def finished(texts: Sequence[str], conditions: list[Conditioning], is_negative: bool) -> list[Conditioning]:
        return with_facts(conditions, texts, facts, architecture, is_negative=is_negative)

    def read(texts: list[str]) -> list[Conditioning]:
        return p.sd_model.execution.read(p.sd_model, lambda: encode(encoder, texts, options))

    result = batch_conditions(p.prompts, p.negative_prompts, steps, read, hires_steps,
                              rt.settings.use_old_scheduling, cache=known, finish=finished)
    used = embeddings_used(encoder, [*p.prompts, *p.negative_prompts], options)
    if used:
        earlier = p.extra_generation_params.get(TI_HASHES, "").split(", ") if p.is_hr_pass else []
        hashes = dict.fromkeys([*filter(None, earlier), *(f"{name}: {digest}" for name, digest in used.items())])
        p.extra_generation_params[TI_HASHES] = ", ".join(hashes)
    if p.sd_model.architecture.extra == "depth" and p.depth_map is None:
        p.comment(image_conditioning.NO_DEPTH)
    p.c, p.uc = result.positive, result.negative
    p.planned_steps = (steps, hires_steps)


def _forget_where_emptied(p: StableDiffusionProcessing) -> None:
    """Encode everything anew where an extension has emptied a list of cached conditions: it changed how texts are read."""
    lists = (p.cached_hr_c, p.cached_hr_uc) if p.is_hr_pass else (p.cached_c, p.cached_uc)
    if any(not known or known[0] is None for known in lists):
        runtime.current().conditions.clear()
    for known in lists:
        known[:] = ["kept by the program", None]


def picture_facts(p: StableDiffusionProcessing) -> PictureFacts:
    """What SDXL is told about the pictures of the current pass."""
    opts = runtime.current().settings
    first, second = (p.width, p.height), (getattr(p, "hr_upscale_to_x", 0), getattr(p, "hr_upscale_to_y", 0))
    width, height = second if p.is_hr_pass else first
    guidance = (p.is_hr_pass and getattr(p, "hr_cfg", None)) or p.cfg_scale
    return PictureFacts(
        width=width, height=height, guidance=guidance, crop_top=opts.sdxl_crop_top, crop_left=opts.sdxl_crop_left,
        aesthetic_score=opts.sdxl_refiner_high_aesthetic_score, negative_aesthetic_score=opts.sdxl_refiner_low_aesthetic_score)


def empty_prompt(p: StableDiffusionProcessing) -> Tensor:
    """The encoding [1, 77, C] of the empty prompt, with which the shorter of two texts is filled up."""
    return encode(p.sd_model.cond_stage_model, [""], encode_options(runtime.current().settings))[0].crossattn


def circumstances(p: StableDiffusionProcessing, options: EncodeOptions) -> Hashable:
    """All that the vectors of a text depend on: the model's file, networks at work, learned embeddings, options of reading.

    Networks count by their tags and by the hashes that they put into the infotext.
    """
    checkpoint = p.sd_model.checkpoint
    table = getattr(p.sd_model.cond_stage_model, "embeddings", None)
    embeddings = frozenset((e.name, e.sha256) for e in table.loaded.values()) if table is not None else frozenset()
    networks = tuple(sorted((kind, tuple(tuple(tag.items) for tag in tags)) for kind, tags in p.extra_network_data.items()))
    hashes = tuple((key, str(value)) for key, value in p.extra_generation_params.items() if key.endswith(" hashes") and key != TI_HASHES)
    return str(checkpoint.path), checkpoint.state, networks, hashes, embeddings, options, getattr(p, "changed_networks", None)
