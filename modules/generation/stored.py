"""What is stored with a picture, as the values of a request that makes it again."""
from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from modules.checkpoints.files import CheckpointInfo
from modules.generation import provenance
from modules.generation.care import SAVINGS
from modules.generation.fields import IMG2IMG_FIELDS, TXT2IMG_FIELDS, Field
from modules.generation.from_infotext import values_from_infotext
from modules.generation.script_values import ARGS, FIELD, SELECTED
from modules.generation.text_to_image import FIRST_PICTURE
from modules.imaging import infotext
from modules.runtime import Runtime
from modules.settings.infotext_keys import settings_with_infotext

# Keys that belong to no field and no setting, but are written anew by every run.
WRITTEN_BY_THE_RUN = frozenset({
    "Prompt", "Negative prompt", "Steps", "Sampler", "Seed", "Model", "Model hash", "Version", "User", "Size-1", "Size-2",
    "Seed resize from-1", "Seed resize from-2", "Hires resize-1", "Hires resize-2", "Lora hashes", "TI hashes", "VAE hash", SAVINGS,
    "Init image hash", "Changed outside mask", provenance.KEY})  # fmt: skip
NEEDED = {"steps": "Steps", "sampler": "Sampler", "seed": "Seed", "size": "Size-1"}
SECOND_PASS = ("Hires upscale", "Hires resize-1")
FROM_A_PICTURE = ("Mask blur", "Masked content", "Inpaint area", "Init image hash", "Image CFG scale", FIRST_PICTURE)


# What an infotext does not tell, or not in every case, about a mask.
EXACT_FIELDS = ("mask_blur_x", "mask_blur_y", "mask_round", "inpaint_full_res")


class NotReplayable(Exception):
    """Why a picture cannot be made again, as sentences."""

    def __init__(self, *reasons: str):
        super().__init__(" ".join(reasons))
        self.reasons = list(reasons)


@dataclass(frozen=True, kw_only=True)
class Stored:
    """An infotext taken apart. `fields`: key -> text as it stands there; `facts`: what our own key says, empty in files of others."""

    text: str
    fields: Mapping[str, Any]
    facts: Mapping[str, Any]

    @property
    def row(self) -> int:
        """The place in its batch."""
        return self._batch[0]

    @property
    def rows(self) -> int:
        """How many pictures its batch had."""
        return self._batch[1]

    @property
    def _batch(self) -> tuple[int, int]:
        batch = self.facts.get("batch")
        is_pair = isinstance(batch, list) and len(batch) == 2 and all(type(number) is int for number in batch)
        return (batch[0], batch[1]) if is_pair and 0 <= batch[0] < batch[1] <= 256 else (0, 1)

    @property
    def prompts(self) -> list[str]:
        """The prompts of its batch."""
        return self._texts("prompts", "prompt", "Prompt")

    @property
    def negative_prompts(self) -> list[str]:
        """The negative prompts of its batch."""
        return self._texts("negatives", "negative", "Negative prompt")

    def _texts(self, of_batch: str, exact: str, key: str) -> list[str]:
        texts = self.facts.get(of_batch)
        if isinstance(texts, list) and len(texts) == self.rows:
            return [str(text) for text in texts]
        return [str(self.facts.get(exact, self.fields[key]))] * self.rows

    @property
    def pictures(self) -> dict[str, Any]:
        """What it began with: names of kept pictures under init_images, mask and latent_mask, and `fields`; empty for text alone."""
        pictures = self.facts.get("pictures")
        return pictures if isinstance(pictures, dict) and isinstance(pictures.get("init_images"), list) else {}

    @property
    def request_fields(self) -> tuple[Field, ...]:
        """The table of the fields that it was made with."""
        return IMG2IMG_FIELDS if self.pictures else TXT2IMG_FIELDS

    @property
    def script_values(self) -> dict[str, list[Any] | None]:
        """Values of scripts by the script's key; None for those that were too long."""
        values = self.facts.get("scripts")
        return {str(key): list(v) if isinstance(v, list) else None for key, v in values.items()} if isinstance(values, dict) else {}

    def named(self, key: str) -> dict[str, str]:
        """name -> hash of a key such as "Lora hashes"."""
        pairs = (pair.rpartition(":") for pair in str(self.fields.get(key, "")).split(","))
        return {name.strip(): digest.strip() for name, _, digest in pairs if name.strip()}


def read_stored(text: str | None) -> Stored:
    """Raises NotReplayable for a picture that says nothing, or too little, of how it was made."""
    if not text:
        raise NotReplayable("Nothing is stored in this file about how it was made.")
    fields = infotext.read_fields(text)
    missing = [name for name, key in NEEDED.items() if key not in fields]
    if missing:
        raise NotReplayable(f"The text in this file does not say the {', '.join(missing)}.")
    if "Interrupted at step" in fields:
        raise NotReplayable(f"It was interrupted at step {fields['Interrupted at step']}; what came out then is no finished picture.")
    is_second_pass = any(key in fields for key in SECOND_PASS)
    stored = Stored(text=text, fields=fields, facts=provenance.read_provenance(dict(fields)))
    is_from_picture = any(key in fields for key in FROM_A_PICTURE) or ("Denoising strength" in fields and not is_second_pass)
    if is_from_picture and not stored.pictures:
        raise NotReplayable("It was made from another picture, which is not stored in it.")
    if "Script" in fields:
        raise NotReplayable(f"It was put together by the script {fields['Script']}.")
    if any(key.startswith("Postprocess ") for key in fields):
        raise NotReplayable("It was changed in Extras after it was made. Sent to txt2img, its parameters make the picture before that.")
    return stored


def values_of(rt: Runtime, stored: Stored, checkpoint: CheckpointInfo) -> dict[str, Any]:
    """The request: what is stored, and for all settings that it does not name, their defaults."""
    values = values_from_infotext(rt, stored.request_fields, stored.text)
    settings = rt.settings
    overrides = {key: settings.get_default(key) for key, option in settings.data_labels.items() if option.affects_picture}
    overrides |= values.get("override_settings") or {}
    silent = stored.facts.get("settings")
    overrides |= {key: value for key, value in silent.items() if key in settings.data_labels} if isinstance(silent, dict) else {}
    overrides |= {"sd_model_checkpoint": checkpoint.title, "return_mask": False, "return_mask_composite": False}
    exact = stored.pictures.get("fields")
    if isinstance(exact, dict):
        values |= {"mask_blur": None, **{name: exact[name] for name in EXACT_FIELDS if name in exact}}
    script_values = {key: args for key, args in stored.script_values.items() if args is not None}
    return values | {
        "prompt": stored.prompts[stored.row], "negative_prompt": stored.negative_prompts[stored.row], "styles": [],
        "scheduler": values.get("scheduler") or "Automatic", "enable_hr": any(key in stored.fields for key in SECOND_PASS),
        "batch_size": stored.rows, "n_iter": 1, "do_not_save_samples": True, "do_not_save_grid": True,
        "disable_extra_networks": bool(stored.facts.get("no_networks")), "override_settings": overrides,
        FIELD: {SELECTED: None, ARGS: script_values}}


def kept_keys(rt: Runtime, stored: Stored) -> dict[str, str]:
    """Keys that nothing here reads, such as the template of a prompt; the new picture carries them on."""
    known = {*WRITTEN_BY_THE_RUN, *(name for _, name in settings_with_infotext(rt.settings)), *_keys_of_fields()}
    return {key: value for key, value in stored.fields.items() if key not in known}


def _keys_of_fields() -> Iterable[str]:
    return (field.infotext for field in (*TXT2IMG_FIELDS, *IMG2IMG_FIELDS) if field.infotext)
