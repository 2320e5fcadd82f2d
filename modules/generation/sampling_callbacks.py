"""Extensions' callbacks inside a sampling pass, put into the hooks of the pass only where somebody listens."""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from torch import Tensor

from modules import script_callbacks
from modules.generation.base import StableDiffusionProcessing
from modules.generation.script_calls import call_scripts
from modules.prompt.conditioning import Conditioning
from modules.sampling.guidance import DenoiseCall, GuidedOutput, MaskBlend, NetworkOutput
from modules.sampling.passes import ExtraNoise
from modules.scripts import MaskBlendArgs, any_overrides


def listeners(p: StableDiffusionProcessing) -> dict[str, Any]:
    """Hooks of a pass (modules.sampling.passes.SamplingHooks) that hand over to callbacks, by name."""
    found: dict[str, Any] = {}
    for event, hook, hand_over in _EVENTS:
        if script_callbacks.has(event):
            found[hook] = partial(hand_over, p)
    if any_overrides(p.scripts, "on_mask_blend"):
        found["on_mask_blend"] = partial(_mask_blend, p)
    return found


def _before_denoise(p: StableDiffusionProcessing, call: DenoiseCall) -> None:
    # Networks that take no picture are shown one of a single number, as extensions expect it.
    given = call.x.new_zeros(len(call.x), 5, 1, 1) if call.image_cond is None else call.image_cond
    params = script_callbacks.CFGDenoiserParams(call.x, given, call.level, call.step, call.steps, text_of(call.cond),
                                                text_of(call.uncond), denoiser_of(p, call.denoiser))
    script_callbacks.call("cfg_denoiser", params, note=p.comment)
    call.x, call.level = params.x, params.sigma
    call.image_cond = None if params.image_cond is None or params.image_cond.shape[-2:] == (1, 1) else params.image_cond
    call.cond, call.uncond = with_text(call.cond, params.text_cond), with_text(call.uncond, params.text_uncond)


def denoiser_of(p: StableDiffusionProcessing, guided: Any) -> Any:
    """What extensions know as the denoiser: that of the sampler object, which counts steps for them."""
    known = getattr(p.sampler, "model_wrap_cfg", None)
    return guided if known is None else known


def text_of(cond: Conditioning) -> Tensor | dict[str, Tensor]:
    """A condition as extensions know it: a tensor, or for models with a vector a mapping of both."""
    return cond.crossattn if cond.vector is None else {"crossattn": cond.crossattn, "vector": cond.vector}


def with_text(cond: Conditioning, text: Tensor | dict[str, Tensor]) -> Conditioning:
    """The condition with what an extension made of its text."""
    if isinstance(text, dict):
        return replace(cond, crossattn=text["crossattn"], vector=text.get("vector"))
    return cond if text is cond.crossattn else replace(cond, crossattn=text)


def _after_denoise(p: StableDiffusionProcessing, output: NetworkOutput) -> None:
    params = script_callbacks.CFGDenoisedParams(output.out, output.step, output.steps, output.denoiser.inner)
    script_callbacks.call("cfg_denoised", params, note=p.comment)
    output.out = params.x


def _after_combine(p: StableDiffusionProcessing, output: GuidedOutput) -> None:
    params = script_callbacks.AfterCFGCallbackParams(output.x, output.step, output.steps)
    script_callbacks.call("cfg_after_cfg", params, note=p.comment)
    output.x = params.x


def _extra_noise(p: StableDiffusionProcessing, event: ExtraNoise) -> None:
    params = script_callbacks.ExtraNoiseParams(event.noise, event.latent, event.start)
    script_callbacks.call("extra_noise", params, note=p.comment)
    event.noise = params.noise


def _mask_blend(p: StableDiffusionProcessing, blend: MaskBlend) -> None:
    is_final = blend.denoiser is None
    args = MaskBlendArgs(blend.current, 1 - blend.keep, blend.original, blend.keep, blend.blended, blend.denoiser, blend.level, is_final)
    call_scripts(p, "on_mask_blend", args)
    blend.blended = args.blended_latent


# event of modules.script_callbacks, hook of the pass, what passes between them
_EVENTS: tuple[tuple[str, str, Callable[[StableDiffusionProcessing, Any], None]], ...] = (
    ("cfg_denoiser", "before_denoise", _before_denoise),
    ("cfg_denoised", "after_denoise", _after_denoise),
    ("cfg_after_cfg", "after_combine", _after_combine),
    ("extra_noise", "on_extra_noise", _extra_noise),
)
