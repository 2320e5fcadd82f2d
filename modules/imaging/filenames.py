"""Names of picture files: patterns such as `[seed]-[prompt_spaces]`, sub-folders, and sequence numbers."""
import hashlib
import os
import re
import string
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from PIL import Image

from modules.atomic_files import safe_name
from modules.imaging.quoting import number_text

PART_LIMIT = 128
HASH_DIGITS = 8
TOKEN = re.compile(r"\[([^\[\]]+)\]")
ARGUMENT = re.compile(r"<([^<>]*)>")
NOT_A_WORD = re.compile(rf"[\s{re.escape(string.punctuation)}]+")
REPLACED = str.maketrans(dict.fromkeys('#<>:"/\\|?*\n\r\t', "_"))
PICTURE_NUMBER = re.compile(r"(\d{5,7})(?=[-.])")
GRID_NUMBER = re.compile(r"grid-(\d{4,7})(?=[-.])")


@dataclass(frozen=True, kw_only=True)
class NameContext:
    """What a pattern may speak of. None: it does not apply to this picture."""

    prompt: str = ""
    negative_prompt: str = ""
    prompt_no_styles: str | None = None
    seed: int | None = None
    seed_first: int | None = None
    seed_last: int | None = None
    steps: int | None = None
    cfg: float | None = None
    width: int | None = None
    height: int | None = None
    styles: tuple[str, ...] = ()
    sampler: str = ""
    scheduler: str = ""
    model_hash: str = ""
    model_name: str = ""
    vae_filename: str = "NoneType"
    clip_skip: int | None = None
    denoising: float | None = None
    batch_number: int | None = None
    batch_size: int | None = None
    generation_number: int | None = None
    user: str = ""
    basename: str = ""
    job_timestamp: str = ""
    now: datetime | None = None
    max_prompt_words: int = 8


@dataclass(frozen=True)
class _Call:
    """One `[token<argument>...]` to be replaced."""

    context: NameContext
    arguments: list[str]
    image: Image.Image | None

    def argument(self, index: int) -> str:
        return self.arguments[index] if index < len(self.arguments) else ""


def part(text: str, *, spaces: bool = True) -> str:
    """`text` as a part of a file name of at most 128 characters; without `spaces`, those become `_` as well."""
    if not spaces:
        text = text.replace(" ", "_")
    return text.translate(REPLACED).lstrip(" ")[:PART_LIMIT].rstrip(" .")


def expand(pattern: str, context: NameContext, image: Image.Image | None = None) -> str:
    """`pattern` with its tokens replaced; unknown tokens stay. May contain `/`, see `file_name` and `folder_parts`.

    A token of VANISHING that does not apply takes the literal text before it along.
    """
    pieces, end = [], 0
    for found in TOKEN.finditer(pattern):
        before, end = pattern[end : found.start()], found.end()
        name, arguments = _token_parts(found[1])
        value = _value(name, _Call(context, arguments, image))
        if value is None and name in VANISHING:
            continue
        pieces += [before, found[0] if name not in TOKENS else value or ""]
    return "".join(pieces) + pattern[end:]


def _token_parts(token: str) -> tuple[str, list[str]]:
    name, bracket, rest = token.partition("<")
    if bracket and not token.endswith(">"):
        return token.lower(), []
    return name.lower(), ARGUMENT.findall(bracket + rest)


def _value(name: str, call: _Call) -> str | None:
    token = TOKENS.get(name)
    value = token(call) if token else None
    return number_text(value) if isinstance(value, float) else None if value is None else str(value)


def _words(call: _Call) -> str:
    words = [word for word in NOT_A_WORD.split(call.context.prompt) if word][: call.context.max_prompt_words]
    return part(" ".join(words or ["empty"]))


def _hash(text: str, call: _Call) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[: _digits(call, HASH_DIGITS)]


def _digits(call: _Call, otherwise: int) -> int:
    asked = call.argument(0)
    return int(asked) if asked.isascii() and asked.isdigit() and 0 < len(asked) < 4 and int(asked) else otherwise


def _image_hash(call: _Call) -> str | None:
    return hashlib.sha256(call.image.tobytes()).hexdigest()[: _digits(call, 64)] if call.image else None


def _has_prompt(call: _Call) -> str:
    prompt = call.context.prompt.lower()
    chosen = []
    for argument in call.arguments:
        word, _, otherwise = argument.partition("|")
        chosen.append(part(word if word and word.lower() in prompt else otherwise))
    return "".join(chosen)


def _now(call: _Call) -> datetime:
    return call.context.now or datetime.now()


def _datetime(call: _Call) -> str:
    moment = _now(call)
    with suppress(KeyError, ValueError, OSError):  # an unknown zone, or a name that is none
        moment = moment.astimezone(ZoneInfo(call.argument(1))) if call.argument(1) else moment
    try:
        return part(moment.strftime(call.argument(0) or "%Y%m%d%H%M%S"))
    except (ValueError, UnicodeError):
        return moment.strftime("%Y%m%d%H%M%S")


def _styles(call: _Call) -> str:
    return part(", ".join(style for style in call.context.styles if style != "None") or "None")


def _sampler_scheduler(call: _Call) -> str:
    schedule = call.context.scheduler
    return part(f"{call.context.sampler} {schedule}" if schedule not in ("", "Automatic") else call.context.sampler)


TOKENS: dict[str, Callable[[_Call], str | float | None]] = {
    "seed": lambda call: call.context.seed,
    "seed_first": lambda call: call.context.seed if call.context.seed_first is None else call.context.seed_first,
    "seed_last": lambda call: call.context.seed_last,
    "steps": lambda call: call.context.steps,
    "cfg": lambda call: call.context.cfg,
    "width": lambda call: call.context.width,
    "height": lambda call: call.context.height,
    "styles": _styles,
    "sampler": lambda call: part(call.context.sampler),
    "scheduler": lambda call: part(call.context.scheduler),
    "sampler_scheduler": _sampler_scheduler,
    "model_hash": lambda call: part(call.context.model_hash),
    "model_name": lambda call: part(call.context.model_name),
    "vae_filename": lambda call: part(call.context.vae_filename),
    "date": lambda call: _now(call).strftime("%Y-%m-%d"),
    "datetime": _datetime,
    "job_timestamp": lambda call: part(call.context.job_timestamp) or _now(call).strftime("%Y%m%d%H%M%S"),
    "prompt": lambda call: part(call.context.prompt, spaces=False),
    "prompt_spaces": lambda call: part(call.context.prompt),
    "prompt_no_styles": lambda call: part(call.context.prompt if call.context.prompt_no_styles is None else call.context.prompt_no_styles),
    "prompt_words": _words,
    "prompt_hash": lambda call: _hash(call.context.prompt, call),
    "negative_prompt_hash": lambda call: _hash(call.context.negative_prompt, call),
    "full_prompt_hash": lambda call: _hash(f"{call.context.prompt} {call.context.negative_prompt}", call),
    "image_hash": _image_hash,
    "batch_number": lambda call: call.context.batch_number if (call.context.batch_size or 1) > 1 else None,
    "batch_size": lambda call: call.context.batch_size,
    "generation_number": lambda call: call.context.generation_number,
    "hasprompt": _has_prompt,
    "clip_skip": lambda call: call.context.clip_skip,
    "denoising": lambda call: call.context.denoising,
    "user": lambda call: part(call.context.user),
    "basename": lambda call: part(call.context.basename),
    "none": lambda call: "",
}
VANISHING = {"batch_number", "generation_number", "seed_last", "denoising"}


def file_name(pattern: str, context: NameContext, image: Image.Image | None, byte_limit: int) -> str:
    """The part of a file name that `pattern` stands for, in at most `byte_limit` bytes; empty when nothing is left of it."""
    text = expand(pattern, context, image)
    return safe_name(text, byte_limit) if text.strip(" .") else ""


def folder_parts(pattern: str, context: NameContext, image: Image.Image | None = None) -> list[str]:
    """The sub-folders that a directory pattern stands for; `..` and empty parts are passed over."""
    parts = (text.strip() for text in re.split(r"[/\\]", expand(pattern, context, image)))
    return [safe_name(text) for text in parts if text.strip(" .")]


def next_number(names: Iterable[str], numbered: re.Pattern[str]) -> int:
    """One more than the highest number among file names, 0 where there is none."""
    return max((int(found[1]) for name in names if (found := numbered.match(name))), default=-1) + 1


def files_in(folder: Path) -> list[str]:
    """Names of the files in a folder, without its sub-folders (whose dates are no numbers); empty for one that cannot be read."""
    with suppress(OSError), os.scandir(folder) as entries:
        return [entry.name for entry in entries if not entry.is_dir()]
    return []
