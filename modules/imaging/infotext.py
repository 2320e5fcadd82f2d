"""Infotext, the text that tells how a picture was made: writing it, and reading it back."""
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from modules.errors import RequestError
from modules.imaging.quoting import quote, shown, unquote
from modules.sampling.registry import schedule_of_old_name

NEGATIVE = "Negative prompt:"
FEWEST_PAIRS = 3
QUOTED = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"(?=,|$)')
SIZE = re.compile(r"([0-9]{1,9})x([0-9]{1,9})")
KEY = re.compile(r"\w[\w \-/]+")
KEY_SIGNS = "_ -/"
OLD_SCHEDULES = ("Karras", "Exponential", "Polyexponential")
OLD_PIXELS = 512 * 512

# What a picture without the key was made with.
DEFAULTS: dict[str, Any] = {
    "Clip skip": "1",
    "Hires resize-1": 0,
    "Hires resize-2": 0,
    "Hires sampler": "Use same sampler",
    "Hires schedule type": "Use same scheduler",
    "Hires checkpoint": "Use same checkpoint",
    "Hires prompt": "",
    "Hires negative prompt": "",
    "Mask mode": "Inpaint masked",
    "Masked content": "original",
    "Inpaint area": "Whole picture",
    "Masked area padding": 32,
    "RNG": "GPU",
    "Schedule type": "Automatic",
    "Schedule max sigma": 0,
    "Schedule min sigma": 0,
    "Schedule rho": 0,
    "VAE Encoder": "Full",
    "VAE Decoder": "Full",
    "FP8 weight": "Disable",
    "Emphasis": "Original",
}

# Historic spellings; both are read, the second is written.
RENAMED = {"SGM noise multplier": "SGM noise multiplier"}


def write(prompt: str, negative_prompt: str, fields: Mapping[str, Any]) -> str:
    """The infotext of a picture: prompt, negative prompt unless empty, and one line of `Key: value` pairs in the order of `fields`.

    Keys without a value (None, empty text) are left out; a key equal to its value is written once.
    """
    pairs = ", ".join(_pair(key, value) for key, value in fields.items() if value is not None and value != "")
    lines = [prompt, f"{NEGATIVE} {negative_prompt}" if negative_prompt else "", pairs]
    text = "\n".join(line for index, line in enumerate(lines) if line or index == 0)
    return printable(text)


def append_fields(text: str, fields: Mapping[str, Any]) -> str:
    """`text` with further pairs at the end of its last line, so that all of it is still read; on a line of their own where it has none."""
    pairs = ", ".join(_pair(key, value) for key, value in fields.items() if value is not None and value != "")
    if not text or not pairs:
        return text or pairs
    has_pairs = len(list(read_pairs(text.strip().rpartition("\n")[2]))) >= FEWEST_PAIRS
    return printable(f"{text.rstrip()}{', ' if has_pairs else chr(10)}{pairs}")


def printable(text: str) -> str:
    """`text` without what no file format can hold: NUL, and halves of surrogate pairs."""
    return text.replace("\0", "").encode("utf-8", "replace").decode("utf-8")


def _pair(key: str, value: Any) -> str:
    value = shown(value)
    return key if key == value else f"{key}: {quote(value)}"


def parse(text: str, *, skip_fields: Iterable[str] = (), back_compat: bool = True) -> dict[str, Any]:
    """The fields of an infotext by their keys, values as text, with the DEFAULTS for missing keys.

    Prompts are under "Prompt" and "Negative prompt"; a size such as 512x768 under `Size` becomes `Size-1` and `Size-2`; sampler
    names of old form ("DPM++ 2M Karras") are split. `back_compat`: add what versions of A1111 before 1.8 did otherwise.
    Any text is read; never raises. Time grows with the length of the text, not faster.
    """
    fields = read_fields(text)
    _restore_old_hires(fields)
    _split_samplers(fields)
    if back_compat:
        _name_old_schedule(fields)
    if "Hypernet" in fields:
        fields["Prompt"] += f"<hypernet:{fields['Hypernet']}:{fields.get('Hypernet strength', '1.0')}>"
    for key, value in DEFAULTS.items():
        fields.setdefault(key, value)
    if fields["FP8 weight"] != "Disable":
        fields.setdefault("Cache FP16 weight for LoRA", False)
    if back_compat:
        fields.update(old_behaviour(fields))
    for key in skip_fields:
        fields.pop(key, None)
    return fields


def read_fields(text: str) -> dict[str, Any]:
    """What the text itself says, without defaults."""
    *lines, last = text.strip().split("\n")
    pairs = list(read_pairs(last.strip()))
    if len(pairs) < FEWEST_PAIRS:
        lines, pairs = [*lines, last], []
    prompts: dict[bool, list[str]] = {False: [], True: []}
    is_negative = False
    for line in map(str.strip, lines):
        if line.startswith(NEGATIVE):
            is_negative, line = True, line[len(NEGATIVE):].strip()
        if line or prompts[is_negative]:
            prompts[is_negative].append(line)
    fields: dict[str, Any] = {"Prompt": "\n".join(prompts[False]), "Negative prompt": "\n".join(prompts[True])}
    for key, raw in pairs:
        fields.update(_field(RENAMED.get(key, key), raw))
    return fields


def _field(key: str, raw: str) -> dict[str, str]:
    if not raw:
        return {}
    value = unquote(raw)
    size = SIZE.fullmatch(value)
    return {f"{key}-1": size[1], f"{key}-2": size[2]} if size else {key: value}


def read_pairs(line: str) -> Iterator[tuple[str, str]]:
    """Every `Key: value` of a line, values as they stand there; what is no pair is passed over.

    Goes from colon to colon and looks back for the key, so that a megabyte of letters is read once.
    """
    start = 0
    while (colon := line.find(":", start)) >= 0:
        key = _key_before(line, start, colon)
        if not key:
            start = colon + 1
            continue
        begin = colon + 1
        while begin < len(line) and line[begin].isspace():
            begin += 1
        quoted = QUOTED.match(line, begin)
        comma = line.find(",", begin)
        end = quoted.end() if quoted else comma if comma >= 0 else len(line)
        yield key, line[begin:end]
        start = end + 1


def _key_before(line: str, start: int, colon: int) -> str:
    begin = colon
    while begin > start and (line[begin - 1].isalnum() or line[begin - 1] in KEY_SIGNS):
        begin -= 1
    while begin < colon and not (line[begin].isalnum() or line[begin] == "_"):
        begin += 1
    key = line[begin:colon]
    return key if KEY.fullmatch(key) else ""


def _split_samplers(fields: dict[str, Any]) -> None:
    """Versions before 1.9 named sampler and schedule in one word."""
    for sampler_key, schedule_key in (("Sampler", "Schedule type"), ("Hires sampler", "Hires schedule type")):
        name, _, schedule = fields.get(sampler_key, "").rpartition(" ")
        if name and schedule in OLD_SCHEDULES:
            fields[sampler_key] = name
            fields.setdefault(schedule_key, schedule)


def _name_old_schedule(fields: dict[str, Any]) -> None:
    """A1111 before 1.9 wrote no schedule for the model's own levels, which other versions and programs do not mean by that."""
    made_by = _made_by(fields)
    if made_by is None or made_by >= (9, 0, 0) or "Schedule type" in fields or "Sampler" not in fields:
        return
    try:
        schedule = schedule_of_old_name(fields["Sampler"])
    except RequestError:  # a sampler that we do not have
        return
    if schedule != DEFAULTS["Schedule type"]:
        fields["Schedule type"] = schedule


def _restore_old_hires(fields: dict[str, Any]) -> None:
    """The first form of hires fix wrote the final size as `Size` and the first pass beside it; 0x0 meant about 512x512 pixels."""
    if "First pass size-1" not in fields or "First pass size-2" not in fields:
        return
    try:
        width, height = int(fields.get("Size-1", 512)), int(fields.get("Size-2", 512))
        first = int(fields["First pass size-1"]), int(fields["First pass size-2"])
    except ValueError:  # a pair named "First pass size-1" that holds no number
        return
    if 0 in first and width > 0 and height > 0:
        scale = math.sqrt(OLD_PIXELS / (width * height))
        first = math.ceil(scale * width / 64) * 64, math.ceil(scale * height / 64) * 64
    fields |= {"Size-1": first[0], "Size-2": first[1], "Hires resize-1": width, "Hires resize-2": height}


VERSION = re.compile(r"v?1\.(\d{1,4})(?:\.(\d{1,4}))?(-RC)?(?:-(\d{1,6}))?", re.IGNORECASE)


def _made_by(fields: Mapping[str, Any]) -> tuple[int, int, int] | None:
    """Minor version, patch and commits after it (-1: a release candidate) of the A1111 1.x that wrote the fields; None for others."""
    version = VERSION.match(str(fields.get("Version", "")))
    if not version:
        return None
    minor, patch, candidate, commits = version.groups()
    return int(minor), int(patch or 0), -1 if candidate else int(commits or 0)


def old_behaviour(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Fields that make the picture as the version of A1111 named in `fields` made it; empty for other programs and versions."""
    made_by = _made_by(fields)
    if made_by is None:
        return {}
    added: dict[str, Any] = {}
    if made_by < (6, 0, 0) and "[" in fields.get("Prompt", ""):
        added["Old prompt editing timelines"] = True
    if made_by < (6, 0, 0) and fields.get("Sampler") in ("DDIM", "PLMS"):
        added["Pad conds v0"] = True
    if made_by < (7, 0, 225):
        added["Downcast alphas_cumprod"] = True
    return added
