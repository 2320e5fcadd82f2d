"""What there is: one table of the routes that list things, and the functions behind them, which answer with plain data."""
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from modules.api import about, models, scripts
from modules.checkpoints.files import files_below
from modules.extensions.clone import origin_of
from modules.generation.hires import LATENT_UPSCALERS
from modules.imaging.faces import RESTORERS
from modules.imaging.known_upscalers import REAL_ESRGAN_MODELS
from modules.runtime import Runtime
from modules.sampling.registry import SAMPLERS
from modules.sampling.schedules import SCHEDULES

Answer = list[dict[str, Any]] | dict[str, Any]
MAX_HEADER_BYTES = 8 << 20


@dataclass(frozen=True, kw_only=True)
class Listing:
    """A GET route without parameters. `make` is called in a thread; its docstring is the route's in /docs."""

    path: str
    make: Callable[[Runtime], Answer]
    model: Any = None


def samplers(rt: Runtime) -> Answer:
    """Sampling methods."""
    return [{"name": row.name, "aliases": list(row.aliases), "options": row.api_options} for row in SAMPLERS]


def schedulers(rt: Runtime) -> Answer:
    """Schedule types."""
    return [{"name": row.name, "label": row.label, "aliases": list(row.aliases) or None, "default_rho": row.default_rho,
             "need_inner_model": row.needs_model} for row in SCHEDULES]


def upscalers(rt: Runtime) -> Answer:
    """Ways to enlarge a picture."""
    return [{"name": row.name, "model_name": row.path.stem if row.path else None, "model_path": str(row.path) if row.path else None,
             "model_url": None, "scale": row.scale} for row in rt.upscalers.rows()]


def latent_upscale_modes(rt: Runtime) -> Answer:
    """Ways to enlarge a latent."""
    return [{"name": name} for name in LATENT_UPSCALERS]


def script_names(rt: Runtime) -> Answer:
    """Names of the scripts per tab, in lower case."""
    return scripts.names()


def script_infos(rt: Runtime) -> Answer:
    """The scripts with their arguments."""
    return scripts.infos()


def prompt_styles(rt: Runtime) -> Answer:
    """Styles."""
    return [{"name": style.name, "prompt": style.prompt, "negative_prompt": style.negative_prompt} for style in rt.styles.styles.values()]


def checkpoints(rt: Runtime) -> Answer:
    """Checkpoints that can be chosen; hash and sha256 are null until they are known, since computing them reads the whole file."""
    return [{"title": info.title, "model_name": info.model_name, "hash": info.short_hash or None, "sha256": info.sha256 or None,
             "filename": str(info.path), "config": config_of(info.path)} for info in rt.checkpoints.list()]


def config_of(path: Path) -> str | None:
    """The yaml beside a checkpoint."""
    beside = path.with_suffix(".yaml")
    return str(beside) if beside.is_file() else None


def vaes(rt: Runtime) -> Answer:
    """Files in the folders for VAEs."""
    return [{"model_name": path.name, "filename": str(path)} for path in rt.vae_files().values()]


def files_in(folders: Iterable[Path], suffixes: tuple[str, ...]) -> list[Path]:
    """Files of these kinds below the folders that exist."""
    return [path for folder in folders if folder.is_dir() for path in files_below(folder, suffixes)]


def embeddings(rt: Runtime) -> Answer:
    """Learned embeddings: those that fit the loaded model, and those that cannot be used, with the reason."""
    nothing = {"step": None, "sd_checkpoint": None, "sd_checkpoint_name": None}
    table = rt.embeddings
    return {
        "loaded": {name: {**nothing, "shape": one.width, "vectors": len(one.vectors)} for name, one in table.loaded.items()},
        "skipped": {name: {**nothing, "shape": 0, "vectors": 0, "reason": reason} for name, reason in table.skipped.items()},
    }


def loras(rt: Runtime) -> Answer:
    """LoRA files in their folders, with the metadata of their headers."""
    found: dict[str, dict[str, Any]] = {}
    for path in files_in((rt.folders.lora, *rt.folders.extra_lora), (".safetensors", ".pt", ".ckpt")):
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


def hypernetworks(rt: Runtime) -> Answer:
    """Files of hypernetworks in their folders."""
    folders = (rt.folders.hypernetworks, *rt.folders.extra_hypernetworks)
    return [{"name": path.stem, "path": str(path)} for path in files_in(folders, (".pt",))]


def face_restorers(rt: Runtime) -> Answer:
    """Programs that restore faces, whether their files are there or not; cmd_dir is the folder for them."""
    return [{"name": name, "cmd_dir": str(rt.folders.models / file.folders[0])} for name, file in RESTORERS.items()]


def realesrgan_models(rt: Runtime) -> Answer:
    """Models of Real-ESRGAN: those that are there with the path of their file, the others with the address that publishes them."""
    paths = {row.name: str(row.path) for row in rt.upscalers.rows() if row.path}
    return [{"name": row.name, "path": paths.get(row.name, row.url), "scale": row.scale} for row in REAL_ESRGAN_MODELS]


def extensions(rt: Runtime) -> Answer:
    """Installed extensions, those that came with the program left out."""
    rows = []
    for extension in rt.extensions:
        if not extension.is_bundled:
            origin = origin_of(extension.path)
            rows.append({"name": extension.name, "remote": origin.remote, "branch": origin.branch, "commit_hash": origin.commit,
                         "version": origin.commit[:8], "commit_date": None, "enabled": extension.is_enabled})
    return rows


LISTINGS: tuple[Listing, ...] = (
    Listing(path="/samplers", make=samplers, model=list[models.SamplerItem]),
    Listing(path="/schedulers", make=schedulers, model=list[models.SchedulerItem]),
    Listing(path="/upscalers", make=upscalers, model=list[models.UpscalerItem]),
    Listing(path="/latent-upscale-modes", make=latent_upscale_modes, model=list[models.LatentUpscalerModeItem]),
    Listing(path="/sd-models", make=checkpoints, model=list[models.SDModelItem]),
    Listing(path="/sd-vae", make=vaes, model=list[models.SDVaeItem]),
    Listing(path="/hypernetworks", make=hypernetworks, model=list[models.HypernetworkItem]),
    Listing(path="/face-restorers", make=face_restorers, model=list[models.FaceRestorerItem]),
    Listing(path="/realesrgan-models", make=realesrgan_models, model=list[models.RealesrganItem]),
    Listing(path="/prompt-styles", make=prompt_styles, model=list[models.PromptStyleItem]),
    Listing(path="/embeddings", make=embeddings, model=models.EmbeddingsResponse),
    Listing(path="/loras", make=loras),
    Listing(path="/scripts", make=script_names, model=models.ScriptsList),
    Listing(path="/script-info", make=script_infos, model=list[models.ScriptInfo]),
    Listing(path="/extensions", make=extensions, model=list[models.ExtensionItem]),
    Listing(path="/memory", make=about.memory, model=models.MemoryResponse),
    Listing(path="/cmd-flags", make=about.flags),
)
