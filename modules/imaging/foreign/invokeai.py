"""Parameters written by InvokeAI: the chunk `invokeai_metadata` (version 3 on), `sd-metadata` (2), or a `Dream` command (1 and 2)."""
from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from typing import Any

from modules.imaging.foreign.draft import Draft, Translation, json_object, list_in, mapping_in, number_in, text_in
from modules.imaging.foreign.emphasis import compel_pieces

PROGRAM = "InvokeAI"
COMPEL_CALLS = (".and(", ".blend(", ".swap(")
NOT_EXPRESSED = {
    "controlnets": "ControlNet", "control_layers": "The control layers", "ipAdapters": "The IP adapters", "t2iAdapters": "The T2I adapters",
    "regions": "The regions", "cfg_rescale_multiplier": "The rescaling of the guidance", "seamless_x": "Seamless tiling along x alone",
    "seamless_y": "Seamless tiling along y alone", "hrf_enabled": "The high resolution fix of InvokeAI",
    "hires_fix": "The high resolution fix of InvokeAI", "threshold": "Thresholding", "perlin": "Perlin noise",
    "positive_style_prompt": "The style prompt", "postprocessing": "Processing afterwards", "variations": "The variations",
}
LONGEST_COMMAND = 100_000
# Letters of the command, and names in sd-metadata.
COMMAND_KEYS = {"s": "steps", "S": "seed", "W": "width", "H": "height", "C": "cfg_scale", "A": "sampler"}
NEGATIVE_PART = re.compile(r"\[([^\[\]]*)\]")


def read(texts: Mapping[str, str]) -> Translation | None:
    """Parameters of InvokeAI, or None where the texts are not of that program."""
    if metadata := json_object(texts.get("invokeai_metadata")):
        return _version_3(metadata)
    if metadata := json_object(texts.get("sd-metadata")):
        return _version_2(metadata)
    if command := text_in(texts.get("Dream")).strip():
        return _version_1(command)
    return None


def _version_3(metadata: Mapping[str, Any]) -> Translation:
    draft = Draft(PROGRAM)
    _prompts(draft, text_in(metadata.get("positive_prompt")), text_in(metadata.get("negative_prompt")))
    _numbers(draft, metadata)
    _scheduler(draft, text_in(metadata.get("scheduler")))
    draft.model(_name(metadata.get("model")))
    draft.model(_name(metadata.get("vae")), "VAE")
    for lora in list_in(metadata.get("loras"))[:40]:
        lora = mapping_in(lora)
        draft.lora(_name(lora.get("model") or lora.get("lora")), lora.get("weight", 1))
    if clip_skip := number_in(metadata.get("clip_skip")):
        draft.number("Clip skip", clip_skip + 1)  # counts the layers that are left out
    _refiner(draft, metadata)
    if metadata.get("rand_device") == "cpu":
        draft.text("RNG", "CPU")
    if number_in(metadata.get("strength")) is not None and metadata.get("generation_mode") not in ("txt2img", "sdxl_txt2img", None):
        draft.number("Denoising strength", metadata.get("strength"))
        draft.note("It was made from another picture, which is not in the file.")
    tiled = _both_ways(draft, metadata)
    unsaid = {key: what for key, what in NOT_EXPRESSED.items() if not (tiled and key.startswith("seamless"))}
    draft.note_if({key: metadata.get(key) for key in unsaid if metadata.get(key) != metadata.get("positive_prompt")}, unsaid)
    return draft.finished()


def _version_2(metadata: Mapping[str, Any]) -> Translation:
    draft = Draft(PROGRAM)
    image = mapping_in(metadata.get("image"))
    prompts = image.get("prompt")
    parts = prompts if isinstance(prompts, list) else [{"prompt": prompts}]
    if len(parts) > 1:
        draft.note("The prompt has parts with weights of their own; they were joined.")
    prompt = ", ".join(text_in(mapping_in(part).get("prompt")) for part in parts[:40])
    _prompts(draft, *_split_negative(prompt))
    _numbers(draft, image)
    _scheduler(draft, text_in(image.get("sampler")), is_old=True)
    draft.model(metadata.get("model_weights"))
    if image.get("seamless") is True:
        draft.text("Tiling", "True")
    if image.get("type") == "img2img":
        draft.number("Denoising strength", image.get("strength"))
        draft.note("It was made from another picture, which is not in the file.")
    draft.note_if(image, NOT_EXPRESSED)
    return draft.finished()


def _version_1(command: str) -> Translation:
    draft = Draft(PROGRAM)
    try:
        words = shlex.split(command[:LONGEST_COMMAND])
    except ValueError:  # a quote without its partner
        words = command[:LONGEST_COMMAND].replace('"', " ").split()
    values: dict[str, Any] = {}
    prompt: list[str] = []
    waiting = ""
    for word in words:
        if waiting:
            values[waiting], waiting = word, ""
        elif len(word) > 1 and word[0] == "-" and word[1:2] in COMMAND_KEYS:
            values[COMMAND_KEYS[word[1]]] = word[2:]
            waiting = "" if word[2:] else COMMAND_KEYS[word[1]]
        elif word[:1] != "-":
            prompt.append(word)
    _prompts(draft, *_split_negative(" ".join(prompt)))
    _numbers(draft, values)
    _scheduler(draft, text_in(values.get("sampler")), is_old=True)
    return draft.finished()


def _prompts(draft: Draft, prompt: str, negative: str) -> None:
    if any(call in prompt or call in negative for call in COMPEL_CALLS):
        draft.note("The prompt composes its parts in the way of Compel (and, blend, swap); this was kept as text.")
    draft.prompt, draft.negative_prompt = (draft.translated(text, compel_pieces) for text in (prompt, negative))


def _split_negative(prompt: str) -> tuple[str, str]:
    """Versions 1 and 2 write the negative prompt in square brackets, anywhere in the prompt."""
    negative = ", ".join(found[1].strip() for found in NEGATIVE_PART.finditer(prompt) if found[1].strip())
    return " ".join(NEGATIVE_PART.sub(" ", prompt).split(" ")).strip(), negative


def _numbers(draft: Draft, values: Mapping[str, Any]) -> None:
    for key, name in (("Steps", "steps"), ("CFG scale", "cfg_scale"), ("Seed", "seed")):
        draft.number(key, values.get(name))
    draft.size(values.get("width"), values.get("height"))


def _scheduler(draft: Draft, name: str, *, is_old: bool = False) -> None:
    """From version 3 on `_k` at the end means Karras, and without it the noise levels are even in time; older ones did as k-diffusion."""
    if is_old or not name:
        draft.sampler(name)
        return
    stem = name.removesuffix("_k")
    draft.sampler(stem)
    if draft.has("Sampler") and draft.value("Sampler") != "LCM":
        draft.text("Schedule type", "Karras" if stem != name else "Uniform")


def _refiner(draft: Draft, metadata: Mapping[str, Any]) -> None:
    if name := _name(metadata.get("refiner_model")):
        draft.model(name, "Refiner")
        draft.number("Refiner switch at", metadata.get("refiner_start"))


def _both_ways(draft: Draft, metadata: Mapping[str, Any]) -> bool:
    tiled = metadata.get("seamless_x") is True and metadata.get("seamless_y") is True
    if tiled:
        draft.text("Tiling", "True")
    return tiled


def _name(model: object) -> str:
    """A model is named by a text, or by an object whose keys changed over the years."""
    if isinstance(model, str):
        return model
    return text_in(mapping_in(model).get("name")) or text_in(mapping_in(model).get("model_name"))
