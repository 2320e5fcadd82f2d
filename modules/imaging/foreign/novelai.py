"""Parameters written by NovelAI: text chunks of a PNG, or the same hidden in its alpha channel (stealth.py).

Title, Description (the prompt), Software, Source (the model) and Comment, a JSON object. Facts: the notes on metadata that NovelAI
publishes, and files of all its generations.
"""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from modules.imaging.foreign.draft import Draft, Translation, json_object, list_in, mapping_in, number_in, text_in
from modules.imaging.foreign.emphasis import novelai_pieces

PROGRAM = "NovelAI"
MARKS = {"uc", "v4_prompt", "request_type", "noise_schedule"}
# The first models were Stable Diffusion 1 with these two settings, whatever the Comment says.
FIRST_GENERATION = "Stable Diffusion "
FIRST_SETTINGS = {"Clip skip": 2, "ENSD": 31337}
NOT_EXPRESSED = {
    "sm": "SMEA", "sm_dyn": "Dynamic SMEA", "dynamic_thresholding": "Dynamic thresholding (Decrisper)",
    "cfg_rescale": "The rescaling of the guidance", "skip_cfg_above_sigma": "The noise level above which guidance rests (Variety+)",
    "controlnet_model": "The control tool", "reference_strength_multiple": "The reference pictures (Vibe Transfer)",
    "director_reference_strengths": "The reference pictures",
}


def read(texts: Mapping[str, str]) -> Translation | None:
    """Parameters of NovelAI, or None where the texts are not of that program."""
    comment = json_object(texts.get("Comment") or texts.get("UserComment"))
    is_named = text_in(texts.get("Software")).strip() == PROGRAM
    if not is_named and not (MARKS & set(comment) and "prompt" in comment):
        return None
    draft = Draft(PROGRAM)
    draft.prompt, draft.negative_prompt = _prompts(draft, comment, text_in(texts.get("Description")))
    draft.sampler(comment.get("sampler"), comment.get("noise_schedule"))
    for key, name in (("Steps", "steps"), ("CFG scale", "scale"), ("Seed", "seed")):
        draft.number(key, comment.get(name))
    draft.size(comment.get("width"), comment.get("height"))
    _model(draft, text_in(texts.get("Source")))
    _start(draft, comment)
    draft.note_if(comment, NOT_EXPRESSED)
    if number_in(comment.get("uncond_scale")) not in (None, 0, 1):
        draft.note("The strength of the undesired content cannot be expressed and was left out.")
    return draft.finished()


def _prompts(draft: Draft, comment: Mapping[str, Any], description: str) -> tuple[str, str]:
    """Prompt and undesired content; from version 4 with a caption for each character."""
    prompt = text_in(comment.get("prompt")) or description
    negative = text_in(comment.get("uc"))
    texts = [_with_characters(draft, comment.get(key), text) for key, text in (("v4_prompt", prompt), ("v4_negative_prompt", negative))]
    if "|" in texts[0]:
        draft.note("The sign | mixes prompts in NovelAI; it was kept as text.")
    return draft.translated(texts[0], novelai_pieces), draft.translated(texts[1], novelai_pieces)


def _with_characters(draft: Draft, version_4: object, text: str) -> str:
    caption = mapping_in(mapping_in(version_4).get("caption"))
    characters = [text_in(mapping_in(character).get("char_caption")) for character in list_in(caption.get("char_captions"))[:40]]
    characters = [character for character in characters if character.strip()]
    if characters:
        draft.note("The places of the characters cannot be expressed; their captions stand behind the prompt.")
    return ", ".join(filter(None, [text_in(caption.get("base_caption")) or text, *characters]))


def _model(draft: Draft, source: str) -> None:
    """`source` names the generation of the model, and ends with eight digits of its hash."""
    if source.startswith(FIRST_GENERATION) and not source.startswith(FIRST_GENERATION + "XL"):
        for key, value in FIRST_SETTINGS.items():
            draft.number(key, value)
    if source:
        draft.note(f'It was made with a model that only NovelAI has ("{source[:80]}").')


def _start(draft: Draft, comment: Mapping[str, Any]) -> None:
    if text_in(comment.get("request_type")) in ("Img2ImgRequest", "NativeInfillingRequest") or number_in(comment.get("strength")):
        draft.number("Denoising strength", comment.get("strength"))
        draft.note("It was made from another picture, which is not in the file.")
