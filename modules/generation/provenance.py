"""What a picture's infotext does not say of how it was made, in one key of ours: enough to make it again, byte for byte."""
from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import torch

from modules import runtime
from modules.generation.base import StableDiffusionProcessing
from modules.imaging import infotext

KEY = "Easel"
# A value of a script that is longer than this is not stored, e.g. a picture.
MOST_SCRIPT_CHARS = 2000
# Settings that were spent on the request itself, or that other keys tell.
SPENT = frozenset({"sd_model_checkpoint", "k_sched_type", "use_old_hires_fix_width_height"})


def provenance(p: StableDiffusionProcessing, index: int, prompt: str, negative: str) -> str | None:
    """Compact JSON about picture `index` of the current batch of `p`; None for one that no batch made.

    batch: [row, rows]: products of matrices depend on their sizes, in the last digit. prompts, negatives: of all rows, where
    they differ, since texts of one batch are brought to one length. prompt, negative: where the infotext's own form loses
    something. pictures: the SHA-256 of the files that it began with, in img2img. model: beginning of the SHA-256. settings: those
    without an infotext key. scripts: values that are not the default; null for those too long to store.
    """
    if index not in p.indices:
        return None
    rt = runtime.current()
    read = infotext.read_fields(infotext.write(prompt, negative, {"a1": 1, "b1": 1, "c1": 1}))
    facts: dict[str, Any] = {
        "batch": [p.indices.index(index), len(p.indices)],
        "prompts": _if_different(p.all_prompts, p.indices),
        "negatives": _if_different(p.all_negative_prompts, p.indices),
        "prompt": prompt if read["Prompt"] != prompt else None,
        "negative": negative if read["Negative prompt"] != negative else None,
        "no_networks": p.disable_extra_networks or None,
        "pictures": _pictures(p) or None,
        "model": p.checkpoint.sha256[:16] or None,
        "settings": _silent_settings() or None,
        "scripts": _script_values(p) or None,
        "torch": torch.__version__.partition("+")[0],
        "device": rt.hardware.device.type,
        "dtype": str(rt.hardware.unet_dtype).removeprefix("torch."),
    }
    return json.dumps({name: fact for name, fact in facts.items() if fact is not None}, ensure_ascii=False, separators=(",", ":"))


def read_provenance(found: dict[str, Any]) -> dict[str, Any]:
    """The facts under our key of a parsed infotext; empty where there is none, or none that can be read."""
    try:
        facts = json.loads(found.get(KEY, "{}"))
    except (TypeError, ValueError):
        return {}
    return facts if isinstance(facts, dict) else {}


def _if_different(texts: Sequence[str], indices: Sequence[int]) -> list[str] | None:
    chosen = [texts[i] for i in indices]
    return chosen if len(set(chosen)) > 1 else None


def _pictures(p: StableDiffusionProcessing) -> dict[str, Any]:
    """What a picture began with. Empty where a script made the run, since it may have chosen another picture."""
    is_of_a_script = p.record is not None and (p.record.numbers_itself or not p.record.is_outermost)
    return {} if is_of_a_script else p.beginnings()


def _silent_settings() -> dict[str, Any]:
    opts = runtime.current().settings
    silent = (key for key, option in opts.data_labels.items() if option.affects_picture and not option.infotext and key not in SPENT)
    return {key: value for key in silent if (value := getattr(opts, key)) != opts.get_default(key)}


def _script_values(p: StableDiffusionProcessing) -> dict[str, list[Any] | None]:
    """Values of always-on scripts that are not those of the controls, by the script's key."""
    runner = p.scripts
    if runner is None or not getattr(runner, "by_key", None):
        return {}
    defaults, found = runner.default_args(), {}
    for key, script in runner.by_key.items():
        here = slice(script.args_from, script.args_to)
        if script.alwayson and not script.is_done_when_replayed and p.script_args[here] != defaults[here]:
            found[key] = _storable(list(p.script_args[here]))
    return found


def _storable(values: list[Any]) -> list[Any] | None:
    try:
        text = json.dumps(values)
    except (TypeError, ValueError):
        return None
    return values if len(text) <= MOST_SCRIPT_CHARS else None
