"""Infotexts of other programs of our kind: which one wrote it, keys and samplers by our names, and what is unknown here."""
from __future__ import annotations

import re
from collections.abc import Mapping

from modules.errors import RequestError
from modules.imaging import infotext
from modules.imaging.foreign.draft import ORDER, Translation, shortened
from modules.imaging.foreign.names import sampler_of
from modules.imaging.quoting import quote, unquote
from modules.sampling.registry import split_sampler_name

PLACES = ("parameters", "UserComment", "comment", "Comment", "XPComment", "ImageDescription", "Description")
OTHER = "a program that writes as AUTOMATIC1111 does"

# Program -> a sign in its fields: a key, and what its value begins with (in lower case).
SIGNS: tuple[tuple[str, str, str], ...] = (
    ("Easel", "Version", "easel-"), ("SD.Next", "App", "sd.next"), ("Fooocus", "Version", "fooocus"), ("ComfyUI", "Version", "comfyui"),
    ("reForge", "Version", "reforge"), ("Forge", "Version", "neo"), ("Forge", "Version", "classic"), ("Forge", "Version", "forge"),
    ("Forge", "Module 1", ""), ("Forge", "Diffusion in Low Bits", ""), ("Civitai", "Civitai resources", ""),
)
FORGE_VERSION = re.compile(r"f\d")
OUR_VERSION = re.compile(r"v?1\.\d")

# Program -> key -> what it was.
NOT_EXPRESSED: dict[str, dict[str, str]] = {
    "SD.Next": {"Parser": "The way of reading the prompt", "CFG end": "The end of the guidance",
                "CFG rescale": "The rescaling of the guidance", "Prompt2": "The second prompt", "Negative2": "The second negative prompt",
                "Sampler options": "The options of the sampler", "HiDiffusion": "HiDiffusion", "Detailer": "The detailer"},
    "Fooocus": {"Sharpness": "The sharpness of Fooocus", "ADM Guidance": "The ADM guidance of Fooocus", "Styles": "The styles of Fooocus",
                "Fooocus V2 Expansion": "The expansion of the prompt"},
    "Forge": {"Distilled CFG Scale": "The distilled guidance", "Module 1": "The separate text encoders", "freeu_enabled": "FreeU",
              "sag_enabled": "Self-attention guidance", "pag_enabled": "Perturbed-attention guidance",
              "dynthres_enabled": "Dynamic thresholding"},
}
NOT_EXPRESSED["reForge"] = NOT_EXPRESSED["Forge"]
# Values of NOT_EXPRESSED with which nothing was done.
NEUTRAL = {"a1111", "full parser", "false", "none", "0", "1", ""}
CANONICAL = {key.lower(): key for key in ORDER}


def read(texts: Mapping[str, str]) -> Translation | None:
    """The first text that has a line of parameters; None if there is none."""
    for place in PLACES:
        text = texts.get(place, "")
        *_, last = text.strip().split("\n")
        pairs = list(infotext.read_pairs(last.strip()))
        if len(pairs) >= infotext.FEWEST_PAIRS and not text.lstrip().startswith("{"):
            return translation_of(text, last, pairs)
    return None


def read_prompt(texts: Mapping[str, str]) -> Translation | None:
    """A text without a line of parameters in the place where infotexts lie: a mere prompt."""
    text = texts.get("parameters", "")
    return Translation(text=text, program="") if text.strip() and not text.lstrip().startswith("{") else None


def translation_of(text: str, last: str, pairs: list[tuple[str, str]]) -> Translation:
    """`text` as it is, unless keys or the sampler have other names here; its last line is then written anew."""
    fields = {key: unquote(raw) for key, raw in pairs}
    program = program_of(fields)
    renamed = {CANONICAL.get(key.lower(), key): value for key, value in fields.items()}
    notes = _sampler_by_our_name(renamed)
    notes += [f"{what} cannot be expressed and was left out." for key, what in NOT_EXPRESSED.get(program, {}).items()
              if fields.get(key, "").strip().lower() not in NEUTRAL]
    if renamed != fields:
        head = text.strip()[: -len(last.strip())]
        text = head + ", ".join(f"{key}: {quote(value)}" for key, value in renamed.items())
    return Translation(text=text, program=program, notes=tuple(notes))


def program_of(fields: Mapping[str, str]) -> str:
    """The program by what it alone writes."""
    for program, key, beginning in SIGNS:
        if key in fields and fields[key].lower().startswith(beginning):
            return program
    version = fields.get("Version", "")
    if FORGE_VERSION.match(version):
        return "Forge"
    return "AUTOMATIC1111" if OUR_VERSION.match(version) else OTHER


def _sampler_by_our_name(fields: dict[str, str]) -> list[str]:
    """Change the sampler of `fields` to our name for it; a note where we have none."""
    name = fields.get("Sampler", "")
    if not name:
        return []
    try:
        split_sampler_name(name[:200])
        return []
    except RequestError:
        found = sampler_of(name)
    if found:
        fields["Sampler"] = found.name
        return []
    del fields["Sampler"]
    return [] if name == "Default" else [f'The sampler "{shortened(name)}" is not among ours.']
