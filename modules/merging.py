"""Merging checkpoints as a job: a checked request, its recipe, and the file that it leaves."""
from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, BinaryIO, Literal, cast

import torch

from modules import runtime
from modules.atomic_files import publish, safe_name, write_problem
from modules.checkpoints import merge
from modules.checkpoints.files import CheckpointInfo
from modules.checkpoints.state_dict import open_weights
from modules.checkpoints.vae import OWN, named_vae
from modules.errors import RequestError, UserError
from modules.jobs.job import Job
from modules.jobs.state import JobState
from modules.runtime import Runtime

KIND = "merge"
CONFIG_SOURCES = ("A, B or C", "B", "C", "Don't")
FORMATS = ("ckpt", "safetensors")
NAME_BYTES = 200


@dataclass(frozen=True, kw_only=True)
class MergeRequest:
    """What the form or the command line asks for; checkpoints by title, name or hash. See `merge.Recipe` for the numbers."""

    primary: str
    secondary: str = ""
    tertiary: str = ""
    method: str = "Weighted sum"
    multiplier: float = 0.3
    curve: str = "Linear"
    block_weights: str = ""
    half: bool = False
    vae: str = OWN
    discard: str = ""
    custom_name: str = ""
    file_format: Literal["ckpt", "safetensors"] = "safetensors"
    config_source: str = CONFIG_SOURCES[0]
    save_metadata: bool = True
    add_recipe: bool = True
    copy_metadata: bool = True
    metadata_json: str = ""


@dataclass(frozen=True, kw_only=True)
class Parts:
    """The checkpoints of a request; B and C only where the method uses them."""

    a: CheckpointInfo
    b: CheckpointInfo | None
    c: CheckpointInfo | None

    @property
    def present(self) -> list[CheckpointInfo]:
        return [part for part in (self.a, self.b, self.c) if part]


def submit(rt: Runtime, request: MergeRequest, *, owner: str = "") -> Job:
    """Queue a merge. Raises UserError for what can be judged now: names, numbers, the regular expression, the metadata."""
    parts = parts_of(rt, request)
    recipe_of(rt, request, parts)
    given_metadata(request)
    title = f"Merge {file_stem(request, parts, '')}"
    return rt.queue.submit(KIND, asdict(request), {}, title=title[:200], owner=owner, resumable=False)


def run(job: Job, state: JobState) -> dict[str, Any]:
    """The worker's part: write the file beside the other checkpoints, where lists find it at once."""
    rt = runtime.current()
    known = {field.name for field in fields(MergeRequest)}
    request = MergeRequest(**{name: value for name, value in job.request.items() if name in known})
    parts = parts_of(rt, request)
    if request.save_metadata and request.add_recipe:
        state.textinfo = "Reading the files to know their hashes"
        for part in parts.present:
            part.wait_for_hash()
    recipe = recipe_of(rt, request, parts)
    path = written(rt, request, recipe, file_stem(request, parts, merge.kind_of(recipe)), progress_into(state))
    copied = copy_config(request, parts, path)
    rt.checkpoints.refresh()
    return {"images": [], "path": str(path), "notes": [f"Checkpoint saved to {path}.", *copied]}


def progress_into(state: JobState) -> Callable[[int, int], None]:
    """Shows how many tensors are done, and stops the merge when the job is interrupted."""
    state.job_count, state.textinfo = 1, "Merging"

    def progress(done: int, of: int) -> None:
        state.check()
        state.sampling_steps, state.sampling_step = of, done

    return progress


def written(rt: Runtime, request: MergeRequest, recipe: merge.Recipe, stem: str, progress: Callable[[int, int], None]) -> Path:
    """The new file; nothing is left of it when the merge stops."""
    def content(file: BinaryIO) -> None:
        if request.file_format == "ckpt":
            write_pickled(file, recipe, progress)
        else:
            merge.write_merged(file, recipe, progress)

    folder = rt.folders.checkpoints
    try:
        return publish(folder, f"{safe_name(stem, NAME_BYTES)}.{request.file_format}", content)
    except OSError as error:
        raise write_problem("the merged checkpoint", folder, error) from error


def write_pickled(file: BinaryIO, recipe: merge.Recipe, progress: Callable[[int, int], None]) -> None:
    """The same as a .ckpt file, which has to be in memory whole."""
    with merge.sources(recipe) as merger:
        plans = merger.plans()
        tensors = {}
        for done, plan in enumerate(plans):
            progress(done, len(plans))
            tensors[plan.name] = merger.tensor(plan.name).to(plan.dtype, copy=True)
    torch.save({"state_dict": tensors}, file)


def parts_of(rt: Runtime, request: MergeRequest) -> Parts:
    """Raises NotFound for a name that is none, UserError for a missing one."""
    if not request.primary:
        raise UserError("A merge needs a primary model (A).", remedy="Choose one.")
    used = {"Weighted sum": 2, "Add difference": 3}.get(request.method, 1)
    find = lambda name, number: rt.checkpoints.find(name) if name and number <= used else None
    return Parts(a=rt.checkpoints.find(request.primary), b=find(request.secondary, 2), c=find(request.tertiary, 3))


def recipe_of(rt: Runtime, request: MergeRequest, parts: Parts) -> merge.Recipe:
    """The recipe with its metadata. Raises UserError."""
    for name, value, choices in (("method", request.method, merge.METHODS), ("curve", request.curve, merge.CURVES),
                                 ("file_format", request.file_format, FORMATS), ("config_source", request.config_source, CONFIG_SOURCES)):
        if value not in choices:
            raise RequestError(name, f"{value!r} is no choice for {name}.", remedy=f"Choose {', '.join(choices)}.")
    path = lambda info: info.path if info else None
    return merge.Recipe(
        primary=parts.a.path, secondary=path(parts.b), tertiary=path(parts.c), method=cast(merge.Method, request.method),
        multiplier=request.multiplier, curve=cast(merge.Curve, request.curve), block_weights=numbers(request.block_weights),
        half=request.half, vae=vae_file(rt, request.vae), discard=request.discard, metadata=metadata_of(request, parts))


def numbers(text: str) -> tuple[float, ...]:
    """The block weights as typed: numbers between commas."""
    try:
        return tuple(float(number) for number in text.replace(";", ",").split(",") if number.strip())
    except ValueError as error:
        raise RequestError("block_weights", "Block weights must be numbers between commas.") from error


def vae_file(rt: Runtime, name: str) -> Path | None:
    """The VAE to bake in. Raises NotFound."""
    return None if name in ("", OWN) else named_vae(name, rt.vae_files(), rt.folders.vae)


def file_stem(request: MergeRequest, parts: Parts, kind: str) -> str:
    """The custom name, or one that tells the recipe, e.g. "0.7(a) + 0.3(b)"."""
    if request.custom_name.strip():
        return request.custom_name.strip()
    name = lambda info: info.model_name if info else "?"
    share, rest = f"{round(request.multiplier, 2):g}", f"{round(1 - request.multiplier, 2):g}"
    stem = {"Weighted sum": f"{rest}({name(parts.a)}) + {share}({name(parts.b)})",
            "Add difference": f"{name(parts.a)} + {share}({name(parts.b)} - {name(parts.c)})"}.get(request.method, name(parts.a))
    return f"{stem}.{kind}" if kind else stem


def given_metadata(request: MergeRequest) -> dict[str, str]:
    """What the metadata box holds, as texts. Raises UserError when it is no JSON object."""
    if not request.metadata_json.strip():
        return {}
    try:
        given = json.loads(request.metadata_json)
    except (ValueError, RecursionError) as error:
        raise RequestError("metadata_json", f"The metadata is no JSON: {error}.") from error
    if not isinstance(given, dict):
        raise RequestError("metadata_json", "The metadata must be a JSON object.")
    return {str(key): value if isinstance(value, str) else json.dumps(value) for key, value in given.items()}


def metadata_of(request: MergeRequest, parts: Parts) -> dict[str, str]:
    """The header of the new file: copied, given, and the recipe with the hashes of all parts."""
    if not request.save_metadata:
        return {"format": "pt"}
    metadata: dict[str, str] = {}
    for part in parts.present if request.copy_metadata else ():
        with open_weights(part.path) as file:
            metadata |= file.metadata
    metadata |= {"format": "pt", **given_metadata(request)}
    if request.add_recipe:
        metadata["sd_merge_recipe"] = json.dumps(described(request, parts))
        metadata["sd_merge_models"] = json.dumps({part.sha256: {"name": part.name, "legacy_hash": None, "sd_merge_recipe": None}
                                                  for part in parts.present if part.sha256})
    return metadata


def described(request: MergeRequest, parts: Parts) -> dict[str, Any]:
    """The recipe under the keys that model pages read."""
    sha256 = lambda info: info.sha256 or None if info else None
    return {
        "type": "webui", "primary_model_hash": sha256(parts.a), "secondary_model_hash": sha256(parts.b),
        "tertiary_model_hash": sha256(parts.c), "interp_method": request.method, "multiplier": request.multiplier, "curve": request.curve,
        "block_weights": request.block_weights, "save_as_half": request.half, "custom_name": request.custom_name,
        "config_source": CONFIG_SOURCES.index(request.config_source), "bake_in_vae": request.vae, "discard_weights": request.discard}


def read_metadata(rt: Runtime, names: Iterable[str]) -> str:
    """The metadata of some checkpoints in one JSON text, for the box of the form."""
    found: dict[str, str] = {}
    for name in names:
        if name:
            with open_weights(rt.checkpoints.find(name).path) as file:
                found |= file.metadata
    return json.dumps(found, indent=4, ensure_ascii=False)


def copy_config(request: MergeRequest, parts: Parts, path: Path) -> list[str]:
    """Copy the yaml beside the chosen source to the new file; a sentence when there was one."""
    choices: dict[str, list[CheckpointInfo | None]] = {"A, B or C": [parts.a, parts.b, parts.c], "B": [parts.b], "C": [parts.c]}
    for part in filter(None, choices.get(request.config_source, [])):
        config = part.path.with_suffix(".yaml")
        if config.is_file():
            publish(path.parent, f"{path.stem}.yaml", config.read_bytes())
            return [f"Its configuration is a copy of {config.name}."]
    return []
