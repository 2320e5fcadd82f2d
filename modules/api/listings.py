"""What there is: the lists that GET routes of the API answer with, as plain data."""
import argparse
import json
from pathlib import Path
from typing import Any

import psutil

from modules.imaging.upscale import UPSCALERS
from modules.runtime import Runtime
from modules.sampling.registry import SAMPLERS
from modules.sampling.schedules import SCHEDULES
from modules.version import version_text

SECRET_FLAGS = ("gradio_auth", "gradio_auth_path", "api_auth", "tls_keyfile", "ngrok", "ngrok_options")
LATENT_UPSCALERS = ("Latent", "Latent (antialiased)", "Latent (bicubic)", "Latent (bicubic antialiased)", "Latent (nearest)",
                    "Latent (nearest-exact)")
MAX_HEADER_BYTES = 8 << 20


def samplers() -> list[dict[str, Any]]:
    return [{"name": row.name, "aliases": list(row.aliases), "options": row.api_options} for row in SAMPLERS]


def schedulers() -> list[dict[str, Any]]:
    return [{"name": row.name, "label": row.label, "aliases": list(row.aliases) or None, "default_rho": row.default_rho,
             "need_inner_model": row.needs_model} for row in SCHEDULES]


def upscalers() -> list[dict[str, Any]]:
    return [{"name": row.name, "model_name": None, "model_path": None, "model_url": None, "scale": 4.0} for row in UPSCALERS]


def latent_upscale_modes() -> list[dict[str, str]]:
    return [{"name": name} for name in LATENT_UPSCALERS]


def prompt_styles(rt: Runtime) -> list[dict[str, Any]]:
    return [{"name": style.name, "prompt": style.prompt, "negative_prompt": style.negative_prompt} for style in rt.styles.styles.values()]


def checkpoints(rt: Runtime) -> list[dict[str, Any]]:
    """Checkpoints; hash and sha256 are null until they are known, since computing them reads the whole file."""
    return [{"title": info.title, "model_name": info.model_name, "hash": info.short_hash or None, "sha256": info.sha256 or None,
             "filename": str(info.path), "config": config_of(info.path)} for info in rt.checkpoints.list()]


def config_of(path: Path) -> str | None:
    """The yaml beside a checkpoint."""
    beside = path.with_suffix(".yaml")
    return str(beside) if beside.is_file() else None


def embeddings(rt: Runtime) -> dict[str, Any]:
    """Embeddings that fit the loaded model, and those that cannot be used, with the reason."""
    nothing = {"step": None, "sd_checkpoint": None, "sd_checkpoint_name": None}
    table = rt.embeddings
    return {
        "loaded": {name: {**nothing, "shape": one.width, "vectors": len(one.vectors)} for name, one in table.loaded.items()},
        "skipped": {name: {**nothing, "shape": 0, "vectors": 0, "reason": reason} for name, reason in table.skipped.items()},
    }


def flags(args: argparse.Namespace) -> dict[str, Any]:
    """The command line without passwords and the places of keys."""
    shown = {name: value for name, value in vars(args).items() if not name.startswith("_")}
    for name in SECRET_FLAGS:
        if name in shown:
            shown[name] = None
    return {name: _plain(value) for name, value in shown.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return [_plain(member) for member in value]
    return value if value is None or isinstance(value, (bool, int, float, str)) else str(value)


def system(rt: Runtime) -> dict[str, Any]:
    """The program and the machine, for reports of faults."""
    import platform

    import torch

    return {"version": version_text(), "python": platform.python_version(), "torch": torch.__version__, "platform": platform.platform(),
            "device": str(rt.hardware.device), "threads": torch.get_num_threads(), **memory(), "models": len(rt.checkpoints.list()),
            "notices": [*rt.notices, *rt.queue.notices]}


def memory() -> dict[str, Any]:
    """Bytes of main memory used by this program, and of the graphics card where there is one."""
    import torch

    used = psutil.Process().memory_info().rss
    free = psutil.virtual_memory().available
    ram = {"free": free, "used": used, "total": free + used}
    if not torch.cuda.is_available():
        return {"ram": ram, "cuda": {"error": "unavailable"}}
    free_vram, total_vram = torch.cuda.mem_get_info()
    stats = torch.cuda.memory_stats()

    def of(kind: str) -> dict[str, int]:
        return {"current": stats.get(f"{kind}.all.current", 0), "peak": stats.get(f"{kind}.all.peak", 0)}

    return {"ram": ram, "cuda": {
        "system": {"free": free_vram, "used": total_vram - free_vram, "total": total_vram}, "active": of("active_bytes"),
        "allocated": of("allocated_bytes"), "reserved": of("reserved_bytes"), "inactive": of("inactive_split_bytes"),
        "events": {"retries": stats.get("num_alloc_retries", 0), "oom": stats.get("num_ooms", 0)}}}


def loras(rt: Runtime) -> list[dict[str, Any]]:
    """LoRA files in their folders, with the metadata of their headers."""
    found: dict[str, dict[str, Any]] = {}
    for folder in (rt.folders.lora, *rt.folders.extra_lora):
        for path in sorted(folder.rglob("*")):
            if path.suffix.lower() in (".safetensors", ".pt", ".ckpt") and path.is_file():
                metadata = safetensors_metadata(path)
                found.setdefault(path.stem, {"name": path.stem, "alias": metadata.get("ss_output_name") or path.stem, "path": str(path),
                                             "metadata": metadata})
    return list(found.values())


def safetensors_metadata(path: Path) -> dict[str, Any]:
    """The metadata in a file's header; {} where there is none that can be read."""
    if path.suffix.lower() != ".safetensors":
        return {}
    try:
        with path.open("rb") as file:
            size = int.from_bytes(file.read(8), "little")
            header = json.loads(file.read(size)) if size <= MAX_HEADER_BYTES else {}
    except (OSError, ValueError, RecursionError):
        return {}
    metadata = header.get("__metadata__") if isinstance(header, dict) else None
    return metadata if isinstance(metadata, dict) else {}
