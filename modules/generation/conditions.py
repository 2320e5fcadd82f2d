"""Prompts of a batch to cached conditions."""
from __future__ import annotations

from typing import Any

from torch import Tensor

from modules import runtime
from modules.generation.base import StableDiffusionProcessing
from modules.prompt.compose import batch_conditions
from modules.prompt.encode import EncodeOptions, embeddings_used, encode


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
    result = batch_conditions(p.prompts, p.negative_prompts, steps, lambda texts: encode(encoder, texts, options), hires_steps,
                              rt.settings.use_old_scheduling)
    used = embeddings_used(encoder, [*p.prompts, *p.negative_prompts], options)
    if used:
        p.extra_generation_params["TI hashes"] = ", ".join(f"{name}: {digest}" for name, digest in used.items())
    p.c, p.uc = result.positive, result.negative
    p.planned_steps = (steps, hires_steps)


def empty_prompt(p: StableDiffusionProcessing) -> Tensor:
    """The encoding [1, 77, C] of the empty prompt, with which the shorter of two texts is filled up."""
    return encode(p.sd_model.cond_stage_model, [""], encode_options(runtime.current().settings))[0].crossattn
