"""A translation in the making: what another program wrote, collected under the keys of our infotext."""
from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from modules.imaging import infotext
from modules.imaging.foreign.emphasis import Dialect, translated
from modules.imaging.foreign.names import sampler_of, schedule_of

LONGEST_NUMBER = 40
MOST_NOTES = 40
ENDS_AS_WEIGHT = re.compile(r":\s*[-+]?[\d.]+$")
WORDS_THAT_ACT = re.compile(r"\b(AND|BREAK)\b")

# The order in which keys are written.
ORDER = ("Steps", "Sampler", "Schedule type", "CFG scale", "Seed", "Size", "Model hash", "Model", "VAE", "Variation seed",
         "Variation seed strength", "Denoising strength", "Clip skip", "ENSD", "RNG", "Tiling", "Hires upscale", "Hires resize",
         "Hires steps", "Hires upscaler", "Refiner", "Refiner switch at", "UniPC variant", "Version")
# Written where there are too few pairs for a line of parameters; they say what is so without them.
PADDING = {"Clip skip": 1, "Schedule type": "Automatic"}


@dataclass(frozen=True, kw_only=True)
class Translation:
    """Parameters as an infotext; the program that wrote them; sentences about what could not be expressed."""

    text: str
    program: str
    notes: tuple[str, ...] = ()


class Draft:
    """Takes values of any kind as they stand in a file, keeps those that make sense, and writes the infotext."""

    def __init__(self, program: str) -> None:
        self.program = program
        self.prompt = ""
        self.negative_prompt = ""
        self._fields: dict[str, Any] = {}
        self._loras: list[str] = []
        self._notes: list[str] = []

    def note(self, sentence: str) -> None:
        """Tell the user something; the same sentence once."""
        if sentence not in self._notes and len(self._notes) < MOST_NOTES:
            self._notes.append(sentence)

    def translated(self, prompt: str, dialect: Dialect) -> str:
        """A prompt of another dialect in our syntax; a note where it holds a word that acts here."""
        if word := WORDS_THAT_ACT.search(prompt):
            self.note(f"The prompt holds the word {word[0]}, which has a meaning of its own here.")
        return translated(prompt, dialect)

    def number(self, key: str, value: object) -> None:
        """A finite number under `key`; anything else is left out."""
        found = number_in(value)
        if found is not None:
            self._fields[key] = found

    def text(self, key: str, value: object) -> None:
        """A text of one line under `key`."""
        if isinstance(value, str) and value.strip():
            self._fields[key] = " ".join(value.split())

    def size(self, width: object, height: object) -> None:
        wide, high = whole_number_in(width), whole_number_in(height)
        if wide and high and wide > 0 and high > 0:
            self._fields["Size"] = f"{wide}x{high}"

    def model(self, name: object, key: str = "Model") -> None:
        """A file of weights, by the stem of its name."""
        self.text(key, file_stem(name))

    def lora(self, name: object, weight: object = 1) -> None:
        """A LoRA, written at the end of the prompt."""
        stem, strength = file_stem(name), number_in(weight)
        if stem and strength is not None and not set("<>:\n") & set(stem):
            self._loras.append(f"<lora:{stem}:{strength:g}>")

    def sampler(self, name: object, schedule: object = None) -> None:
        """Sampler and schedule by the names that other programs have for them; a note where we have none like it."""
        found = sampler_of(name) if isinstance(name, str) else None
        if found:
            self.text("Sampler", found.name)
            self.text("Schedule type", found.schedule)
            self.text("UniPC variant", found.variant)
        elif isinstance(name, str) and name.strip():
            self.note(f'The sampler "{shortened(name)}" is not among ours.')
        if isinstance(schedule, str) and schedule.strip():
            label = schedule_of(schedule)
            if label:
                self.text("Schedule type", label)
            else:
                self.note(f'The schedule "{shortened(schedule)}" is not among ours.')

    def has(self, key: str) -> bool:
        return key in self._fields

    def value(self, key: str) -> Any:
        """What was taken under `key`, or None."""
        return self._fields.get(key)

    def note_if(self, values: Mapping[str, Any], table: Mapping[str, str]) -> None:
        """A note for each key of `table` whose value is set: the part of the sentence that names it."""
        for key, what in table.items():
            value = values.get(key)
            if value and value not in ("None", "none", "False", "false", "0"):
                self.note(f"{what} cannot be expressed and was left out.")

    def finished(self) -> Translation:
        """The infotext of what was taken."""
        self._fields.setdefault("Version", self.program)
        for key, value in PADDING.items():
            if len(self._fields) < infotext.FEWEST_PAIRS:
                self._fields.setdefault(key, value)
        fields = {key: self._fields[key] for key in ORDER if key in self._fields}
        prompt = " ".join([with_its_end(self.prompt.strip()), *self._loras]).strip()
        text = infotext.write(without_pairs(prompt), without_pairs(self.negative_prompt.strip()), {**fields, **self._fields})
        return Translation(text=text, program=self.program, notes=tuple(self._notes))


def with_its_end(prompt: str) -> str:
    """`prompt` so that a number behind a colon at its end ("16:9") is no weight of the whole; the weights of `AND` stay."""
    return f"{prompt} :1" if ENDS_AS_WEIGHT.search(prompt[-LONGEST_NUMBER:]) and " AND " not in prompt else prompt


def without_pairs(prompt: str) -> str:
    """`prompt` with no line that would begin the negative prompt of an infotext."""
    return re.sub(rf"(?m)^(\s*){re.escape(infotext.NEGATIVE)}", r"\1Negative prompt :", prompt)


def number_in(value: object) -> int | float | None:
    """A finite number, given as such or as text."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        value = value.strip()
        if len(value) > LONGEST_NUMBER:
            return None
        try:
            value = int(value)
        except ValueError:
            try:
                value = float(value)
            except ValueError:
                return None
    if isinstance(value, int):
        return value if abs(value) < 2**70 else None
    return value if isinstance(value, float) and math.isfinite(value) else None


def whole_number_in(value: object) -> int | None:
    number = number_in(value)
    return None if number is None else int(number)


def text_in(value: object) -> str:
    """`value` if it is text, else an empty text."""
    return value if isinstance(value, str) else ""


def mapping_in(value: object) -> dict[str, Any]:
    """`value` if it is a mapping, else an empty one."""
    return value if isinstance(value, dict) else {}


def list_in(value: object) -> list[Any]:
    """`value` if it is a list, else an empty one."""
    return value if isinstance(value, list) else []


def file_stem(name: object) -> str:
    """The name of a file of weights without folders and ending; other texts as they are."""
    stem = re.split(r"[\\/]", text_in(name).strip())[-1]
    return re.sub(r"\.(safetensors|ckpt|pt|pth|bin|gguf)$", "", stem, flags=re.IGNORECASE)


def shortened(text: str, limit: int = 60) -> str:
    """A name for use in a sentence."""
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def json_object(text: object) -> dict[str, Any]:
    """The object that a JSON text holds; an empty one for everything else, however deep or damaged. NaN and Infinity become None."""
    if not isinstance(text, str) or not text.lstrip("\ufeff \t\r\n\0").startswith("{"):
        return {}
    try:
        return mapping_in(json.loads(text.strip("\ufeff\0 \t\r\n"), strict=False, parse_constant=lambda _: None))
    except (ValueError, RecursionError):
        return {}
