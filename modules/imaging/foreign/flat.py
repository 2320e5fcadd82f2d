"""Parameters that are one flat list of names and values: Fooocus, SwarmUI, Easy Diffusion, Draw Things, and scripts around diffusers."""
from __future__ import annotations

import html
import re
from collections.abc import Iterable, Mapping
from typing import Any

from modules.imaging.foreign.draft import Draft, Translation, json_object, list_in, mapping_in, number_in, text_in
from modules.imaging.foreign.emphasis import Dialect, comfyui_pieces, compel_pieces

FROM_PICTURE = "It was made from another picture, which is not in the file."
PLACES = ("parameters", "UserComment", "generation_data", "Comment", "comment")


def json_texts(texts: Mapping[str, str]) -> Iterable[dict[str, Any]]:
    """The JSON objects in the places where programs put all their parameters."""
    return filter(None, (json_object(texts.get(place)) for place in PLACES))


def _numbers(draft: Draft, values: Mapping[str, Any], names: Mapping[str, str]) -> None:
    for key, name in names.items():
        draft.number(key, values.get(name))


def _prompts(draft: Draft, prompt: object, negative: object, dialect: Dialect | None = None) -> None:
    texts = [text_in(prompt), text_in(negative)]
    draft.prompt, draft.negative_prompt = [draft.translated(text, dialect) for text in texts] if dialect else texts


# Fooocus, the scheme "fooocus"; the scheme "a1111" is an infotext (infotexts.py)

FOOOCUS_NOTES = {"sharpness": "The sharpness of Fooocus", "adm_guidance": "The ADM guidance of Fooocus",
                 "freeu": "FreeU", "inpaint_engine_version": "Inpainting by Fooocus"}
FOOOCUS_SIZE = re.compile(r"\(?\s*(\d{1,6})\s*[,x×]\s*(\d{1,6})\s*\)?")


def fooocus(texts: Mapping[str, str]) -> Translation | None:
    """Parameters of Fooocus and its descendants, or None."""
    for values in json_texts(texts):
        if values.get("metadata_scheme") == "fooocus" or ("base_model" in values and "guidance_scale" in values):
            return _fooocus(values)
    return None


def _fooocus(values: Mapping[str, Any]) -> Translation:
    draft = Draft("Fooocus")
    prompt, negative = _fooocus_prompts(draft, values)
    _prompts(draft, prompt, negative, comfyui_pieces)
    _numbers(draft, values, {"Steps": "steps", "CFG scale": "guidance_scale", "Seed": "seed", "Clip skip": "clip_skip"})
    draft.sampler(values.get("sampler"), values.get("scheduler"))
    if size := FOOOCUS_SIZE.search(text_in(values.get("resolution"))[:100]):
        draft.size(size[1], size[2])
    draft.model(values.get("base_model"))
    if not text_in(values.get("vae")).startswith("Default"):
        draft.model(values.get("vae"), "VAE")
    if text_in(values.get("refiner_model")) not in ("", "None"):
        draft.model(values.get("refiner_model"), "Refiner")
        draft.number("Refiner switch at", values.get("refiner_switch"))
    for lora in list_in(values.get("loras"))[:40]:
        draft.lora(*_fooocus_lora(list_in(lora)))
    draft.note_if(values, FOOOCUS_NOTES)
    return draft.finished()


def _fooocus_lora(lora: list[Any]) -> tuple[str, float]:
    """Name and weight; a hash stands between or behind them, as the version wants."""
    weight = next((number for part in lora[1:] if isinstance(part, int | float) and (number := number_in(part)) is not None), 1)
    return text_in(lora[0]) if lora else "", weight


def _fooocus_prompts(draft: Draft, values: Mapping[str, Any]) -> tuple[str, str]:
    """The texts with the styles written out, each in chunks of its own as Fooocus encodes them; else what was typed."""
    full = [[text for text in list_in(values.get(key))[:40] if isinstance(text, str) and text.strip()]
            for key in ("full_prompt", "full_negative_prompt")]
    if not full[0]:
        if list_in(values.get("styles")) or len(text_in(values.get("styles"))) > 2:
            draft.note("The styles of Fooocus are not in the file and were left out.")
        return text_in(values.get("prompt")), text_in(values.get("negative_prompt"))
    if len(full[0]) > 1 or full[0][0] != values.get("prompt"):
        draft.note("The styles of Fooocus were written out in the prompts; typed was: "
                   f"{text_in(values.get('prompt'))[:200] or 'nothing'}")
    return " BREAK ".join(full[0]), " BREAK ".join(full[1]) or text_in(values.get("negative_prompt"))


# SwarmUI

SWARM_NOTES = {"controlnetmodel": "ControlNet", "freeuapplyto": "FreeU", "refinermethod": "The way in which the refiner follows",
               "videomodel": "The video"}


def swarmui(texts: Mapping[str, str]) -> Translation | None:
    """Parameters of SwarmUI, or None. It runs ComfyUI behind its own page."""
    for found in json_texts(texts):
        if values := mapping_in(found.get("sui_image_params")):
            return _swarmui(values)
    return None


def _swarmui(values: Mapping[str, Any]) -> Translation:
    draft = Draft("SwarmUI")
    _prompts(draft, values.get("prompt"), values.get("negativeprompt"), comfyui_pieces)
    _numbers(draft, values, {"Steps": "steps", "CFG scale": "cfgscale", "Seed": "seed", "Variation seed": "variationseed",
                             "Variation seed strength": "variationseedstrength"})
    draft.sampler(values.get("sampler"), values.get("scheduler"))
    draft.size(values.get("width"), values.get("height"))
    draft.model(values.get("model"))
    draft.model(values.get("vae"), "VAE")
    draft.text("RNG", "CPU")
    weights = _listed(values.get("loraweights"))
    for index, name in enumerate(_listed(values.get("loras"))[:40]):
        draft.lora(name, weights[index] if index < len(weights) else 1)
    if "initimagecreativity" in values:
        draft.number("Denoising strength", values.get("initimagecreativity"))
        draft.note(FROM_PICTURE)
    draft.note_if(values, SWARM_NOTES)
    return draft.finished()


def _listed(value: object) -> list[Any]:
    return value.split(",") if isinstance(value, str) else list_in(value)


# Easy Diffusion, in either of its two spellings of names; scripts around diffusers use the first without the model's name

EASY_NAMES = {
    "prompt": "Prompt", "negative_prompt": "Negative Prompt", "seed": "Seed", "use_stable_diffusion_model": "Stable Diffusion model",
    "clip_skip": "Clip Skip", "use_vae_model": "VAE model", "sampler_name": "Sampler", "width": "Width", "height": "Height",
    "num_inference_steps": "Steps", "guidance_scale": "Guidance Scale", "prompt_strength": "Prompt Strength",
    "use_lora_model": "LoRA model", "lora_alpha": "LoRA Strength", "use_controlnet_model": "ControlNet model", "tiling": "Seamless Tiling",
    "use_hypernetwork_model": "Hypernetwork model", "use_face_correction": "Use Face Correction", "use_upscale": "Use Upscaling",
}
EASY_NOTES = {"use_controlnet_model": "ControlNet", "use_hypernetwork_model": "The hypernetwork",
              "use_face_correction": "The correction of faces", "use_upscale": "The upscaling afterwards"}


def easy_diffusion(texts: Mapping[str, str]) -> Translation | None:
    """Parameters of Easy Diffusion, or None: a text for each name, or all in one JSON object."""
    for values in (texts, *json_texts(texts)):
        if "Stable Diffusion model" in values:
            return _easy_diffusion({key: values.get(name) for key, name in EASY_NAMES.items()}, "Easy Diffusion")
        if "use_stable_diffusion_model" in values:
            return _easy_diffusion(values, "Easy Diffusion")
        if "prompt" in values and "num_inference_steps" in values:
            return _easy_diffusion(values, "diffusers")
    return None


def _easy_diffusion(values: Mapping[str, Any], program: str) -> Translation:
    draft = Draft(program)
    _prompts(draft, values.get("prompt"), values.get("negative_prompt"), compel_pieces)
    _numbers(draft, values, {"Steps": "num_inference_steps", "CFG scale": "guidance_scale", "Seed": "seed"})
    draft.sampler(values.get("sampler_name") or values.get("scheduler"))
    draft.size(values.get("width"), values.get("height"))
    draft.model(values.get("use_stable_diffusion_model") or values.get("model"))
    draft.model(values.get("use_vae_model"), "VAE")
    if str(values.get("clip_skip")).lower() == "true":
        draft.number("Clip skip", 2)
    names, weights = values.get("use_lora_model"), values.get("lora_alpha")
    for index, name in enumerate(_listed(names) if isinstance(names, list) else [names]):
        listed = weights if isinstance(weights, list) else [weights]
        if name and name != "None":
            draft.lora(name, listed[index] if index < len(listed) and listed[index] is not None else 1)
    if number_in(values.get("prompt_strength")) is not None and values.get("init_image"):
        draft.number("Denoising strength", values.get("prompt_strength"))
        draft.note(FROM_PICTURE)
    if values.get("tiling") == "xy":
        draft.text("Tiling", "True")
    draft.note_if(values, EASY_NOTES)
    return draft.finished()


# Draw Things, whose JSON lies in the XMP packet

DRAW_NOTES = {"controls": "ControlNet", "hires_fix": "The high resolution fix of Draw Things", "tiled_diffusion": "Tiled diffusion",
              "upscaler": "The upscaling afterwards"}


def draw_things(texts: Mapping[str, str]) -> Translation | None:
    """Parameters of Draw Things, or None. Its seeds make other noise: "Scale Alike" and "NVIDIA GPU Compatible" are its own."""
    comment = _element(text_in(texts.get("XMP")), "exif:UserComment")
    embedded = [json_object(html.unescape(_element(comment, "rdf:li")))]
    for values in (*embedded, *json_texts(texts)):
        if "c" in values and "uc" in values:
            return _draw_things(values)
    return None


def _element(xml: str, name: str) -> str:
    """The content of the first element of this name. A packet from a stranger is searched, not parsed."""
    begin = xml.find(f"<{name}")
    opened = xml.find(">", begin)
    end = xml.find(f"</{name}>", opened)
    return xml[opened + 1: end] if 0 <= begin < opened < end else ""


def _draw_things(values: Mapping[str, Any]) -> Translation:
    draft = Draft("Draw Things")
    _prompts(draft, values.get("c"), values.get("uc"))
    _numbers(draft, values, {"Steps": "steps", "CFG scale": "scale", "Seed": "seed"})
    sampler = text_in(values.get("sampler"))
    draft.sampler(sampler.removesuffix(" AYS"), "Align Your Steps" if sampler.endswith(" AYS") else None)
    width, _, height = text_in(values.get("size")).partition("x")
    draft.size(width, height)
    draft.model(values.get("model"))
    for lora in list_in(values.get("lora"))[:40]:
        draft.lora(mapping_in(lora).get("model"), mapping_in(lora).get("weight", 1))
    if values.get("refiner"):
        draft.model(values.get("refiner"), "Refiner")
        draft.number("Refiner switch at", values.get("refiner_start"))
    if values.get("seed_mode") == "NVIDIA GPU Compatible":
        draft.text("RNG", "NV")
    elif values.get("seed_mode"):
        draft.note(f'The seed mode "{text_in(values.get("seed_mode"))[:40]}" makes other noise than we do.')
    draft.note_if(values, DRAW_NOTES)
    return draft.finished()
