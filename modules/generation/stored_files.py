"""The files that a stored picture needs, and what is otherwise than when it was made."""
from __future__ import annotations

import re

import torch

from modules.checkpoints.files import CheckpointInfo
from modules.checkpoints.hashing import FileState
from modules.checkpoints.vae import find_vae
from modules.errors import UserError
from modules.generation.care import SAVINGS
from modules.generation.provenance import KEY
from modules.generation.stored import NotReplayable, Stored
from modules.generation.text_to_image import SAME_CHECKPOINT
from modules.runtime import Runtime
from modules.version import version_text

OURS = "easel-"
HASH_IN_NAME = re.compile(r"^(.*?)\s*\[([0-9a-f]{8,64})\]$")


def required_files(rt: Runtime, stored: Stored) -> CheckpointInfo:
    """The checkpoint of a picture. Raises NotReplayable naming all files that are missing."""
    rt.checkpoints.refresh()
    missing: list[str] = []
    checkpoint = checkpoint_of(rt, stored)
    if checkpoint is None:
        digest = stored.fields.get("Model hash", "")
        missing.append(f"The checkpoint {stored.fields.get('Model', '')} {f'[{digest}]' if digest else ''}".strip() + " is not there.")
    for key in ("Refiner", "Hires checkpoint"):
        name = str(stored.fields.get(key, ""))
        if name and name not in ("None", SAME_CHECKPOINT) and found_checkpoint(rt, *parted(name)) is None:
            missing.append(f"The checkpoint {name} ({key}) is not there.")
    missing += [f"The LoRA {name} is not there." for name in stored.named("Lora hashes") if lora_hash(rt, name) is None]
    if checkpoint is not None and stored.named("TI hashes"):
        rt.embeddings.refresh(rt.models.ensure(checkpoint).architecture.text_width)
        missing += [f"The embedding {name} is not there, or does not fit the checkpoint."
                    for name in stored.named("TI hashes") if name not in rt.embeddings.loaded]
    if missing or checkpoint is None:
        raise NotReplayable(*missing)
    return checkpoint


def other_circumstances(rt: Runtime, stored: Stored, checkpoint: CheckpointInfo) -> list[str]:
    """A sentence for everything that is known to differ from when the picture was made."""
    reasons = []
    wanted = model_hash(stored)
    if wanted and not checkpoint.wait_for_hash().startswith(wanted):
        reasons.append(f"The checkpoint {checkpoint.model_name} is another file: its hash was {wanted[:10]}, "
                       f"now it is {checkpoint.short_hash}.")
    for key in ("Refiner", "Hires checkpoint"):
        name, digest = parted(str(stored.fields.get(key, "")))
        other = found_checkpoint(rt, name, digest) if digest else None
        if other is not None and not other.wait_for_hash().startswith(digest):
            reasons.append(f"The checkpoint {name} ({key}) is another file: its hash was {digest}, now it is {other.short_hash}.")
    for name, digest in stored.named("Lora hashes").items():
        if lora_hash(rt, name) != digest:
            reasons.append(f"The LoRA {name} is another file: its hash was {digest}, now it is {lora_hash(rt, name)}.")
    for name, digest in stored.named("TI hashes").items():
        now = rt.embeddings.loaded[name].short_hash
        if now != digest:
            reasons.append(f"The embedding {name} is another file: its hash was {digest}, now it is {now}.")
    digest, now = str(stored.fields.get("VAE hash", "")), vae_hash(rt, stored)
    if now and digest and now != digest:
        reasons.append(f"The VAE {stored.fields['VAE']} is another file: its hash was {digest}, now it is {now}.")
    if savings := stored.fields.get(SAVINGS):
        reasons.append(f"Memory was short when it was made ({savings}); the last digits of some numbers may be others.")
    return [*reasons, *other_program(rt, stored)]


def other_program(rt: Runtime, stored: Stored) -> list[str]:
    """A sentence for each of program, library, device and number format that is another one."""
    version = str(stored.fields.get("Version", ""))
    facts = stored.facts
    reasons = []
    if version and version != version_text():
        program = f"It was made by {version}; this is {version_text()}."
        reasons.append(program if version.startswith(OURS) else f"It was made by another program ({version}).")
    if not facts:
        reasons.append(f"Its infotext has no key {KEY}, so its place in a batch and some settings are not known.")
    here = {"torch": torch.__version__.partition("+")[0], "device": rt.hardware.device.type,
            "dtype": str(rt.hardware.unet_dtype).removeprefix("torch.")}
    words = {"torch": "with torch {}", "device": "on the device {}", "dtype": "in the number format {}"}
    for name, now in here.items():
        then = facts.get(name)
        if then and then != now:
            reasons.append(f"It was made {words[name].format(then)}; here it is {now}.")
    return reasons


def model_hash(stored: Stored) -> str:
    """As many digits of the checkpoint's SHA-256 as are stored."""
    ours = stored.facts.get("model")
    return ours if isinstance(ours, str) and ours else str(stored.fields.get("Model hash") or "")


def checkpoint_of(rt: Runtime, stored: Stored) -> CheckpointInfo | None:
    """The file with the stored hash, else one of the stored name, else None. A picture that names none was made by the chosen one."""
    digest, name = model_hash(stored), str(stored.fields.get("Model", ""))
    return found_checkpoint(rt, name, digest) if digest or name else rt.chosen_checkpoint()


def found_checkpoint(rt: Runtime, name: str, digest: str) -> CheckpointInfo | None:
    """The checkpoint with this hash; where no hash that is known fits, the one of this name."""
    if digest:
        exact = next((info for info in rt.checkpoints if info.sha256.startswith(digest)), None)
        if exact is not None:
            return exact
    try:
        return rt.checkpoints.find(name) if name else None
    except UserError:
        return None


def parted(name: str) -> tuple[str, str]:
    """Name and hash of a text such as "model [0123456789]"."""
    found = HASH_IN_NAME.match(name)
    return (found[1], found[2]) if found else (name, "")


def vae_hash(rt: Runtime, stored: Stored) -> str:
    """The hash of the VAE file that the picture names, "" where it names none or the file is not there."""
    path = find_vae(str(stored.fields.get("VAE", "")), rt.vae_files())
    try:
        return rt.checkpoints.hashes.compute(path, FileState.of(path))[:10] if path else ""
    except OSError:
        return ""


def lora_hash(rt: Runtime, name: str) -> str | None:
    """The hash of the LoRA of this name, None when it is not there or cannot be used."""
    try:
        return rt.loras.find(name).hash12
    except UserError:
        return None
