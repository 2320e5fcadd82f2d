"""Requests as jobs: freezing what a picture depends on when Generate is pressed, and running it later."""
from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from modules import runtime
from modules.checkpoints.files import CheckpointInfo
from modules.checkpoints.vae import AUTOMATIC as AUTOMATIC_VAE
from modules.checkpoints.vae import OWN as OWN_VAE
from modules.checkpoints.vae import named_vae
from modules.errors import RequestError
from modules.generation.base import PictureRecord, StableDiffusionProcessing
from modules.generation.fields import LATENT_PX
from modules.generation.finishing import check_faces
from modules.generation.hires import DEFAULT_UPSCALER, LATENT_UPSCALERS, hires_size
from modules.generation.result import Processed
from modules.generation.script_values import SELECTED, attach_scripts, frozen_scripts, run_selected
from modules.generation.seeds import fixed_seed, variation_chain
from modules.generation.text_to_image import SAME_CHECKPOINT, SAME_SAMPLER, SAME_SCHEDULE
from modules.jobs.fairness import user_of
from modules.jobs.job import Job
from modules.runtime import Runtime
from modules.sampling.registry import find_sampler, find_schedule, schedule_of_old_name, split_sampler_name
from modules.scripts import ScriptRunner

AUTOMATIC, NONE = "Automatic", "None"
NOTES = "notes"
CHECKPOINT = "checkpoint_file"
SCRIPTS = "scripts"
NOT_OF_THE_RUN = (NOTES, CHECKPOINT, SCRIPTS)
WHOLE_JOB = range(10 ** 12)


@dataclass(frozen=True, kw_only=True)
class Frozen:
    """A request with every open choice made, and the settings that hold for it."""

    request: dict[str, Any]
    settings: dict[str, Any]


def freeze(rt: Runtime, request: dict[str, Any], given: Mapping[str, Any], runner: ScriptRunner | None = None) -> Frozen:
    """Fix seeds, names, settings, values of scripts and the checkpoint's identity. Raises RequestError or NotFound for what cannot be."""
    settings = rt.settings.snapshot()
    overrides, notes = checked_overrides(rt, request.get("override_settings") or {})
    preferred = overrides.get("k_sched_type", settings.get("k_sched_type"))
    asked = request["scheduler"] if given.get("scheduler") is not None else None
    sampler, schedule = chosen_sampler(request["sampler_name"], asked, preferred)
    unknown = [name for name in request["styles"] if name not in rt.styles.names()]
    if unknown:
        raise RequestError("styles", f"There is no style named {unknown[0]!r}.", remedy="Choose one from the Styles list.")
    check_steps(sampler, request["steps"])
    variation_chain(request["variations"])
    check_faces(rt, request, overrides)
    request |= checked_passes(rt, request)
    info = rt.chosen_checkpoint(overrides.get("sd_model_checkpoint"))
    scripts, notes_on_scripts = frozen_scripts(runner, given.get(SCRIPTS))
    # A selected script is told that a seed is open: it may draw one for each of its runs.
    seed = int if scripts[SELECTED] else fixed_seed
    request |= {
        "sampler_name": sampler, "scheduler": schedule, "override_settings": overrides,
        "seed": seed(request["seed"]), "subseed": seed(request["subseed"]),
        CHECKPOINT: identity(info), NOTES: [*notes, *rounding_notes(request, given), *notes_on_scripts], SCRIPTS: scripts}
    return Frozen(request=request, settings=settings)


def chosen_sampler(sampler: str, schedule: str | None, preferred: str | None = None) -> tuple[str, str]:
    """The names of the table for names in any accepted form, e.g. "dpm++ 2m karras". Raises RequestError.

    Where neither the request nor the name says which schedule, `preferred` does, a setting. A request without any schedule
    (None) is of the form that was usual before schedules had a field of their own: there a plain name such as "DPM++ 2M" meant
    the model's own levels, and "DPM++ 2M Karras" the others.
    """
    name, implied = split_sampler_name(sampler)
    row = find_sampler(name)
    chosen = find_schedule(schedule or AUTOMATIC).label
    if chosen == AUTOMATIC and preferred and preferred != AUTOMATIC:
        chosen = find_schedule(preferred).label
    elif chosen == AUTOMATIC and implied:
        chosen = implied
    elif schedule is None:
        chosen = schedule_of_old_name(row.name)
    return row.name, chosen


def check_steps(sampler: str, steps: int) -> None:
    """Raises RequestError for fewer steps than the sampler needs."""
    least = find_sampler(sampler).least_steps
    if steps < least:
        raise RequestError("steps", f"{sampler} needs at least {least} steps, not {steps}.")


def checked_passes(rt: Runtime, request: Mapping[str, Any]) -> dict[str, Any]:
    """The names that the second pass and the refiner use, as the tables have them. Raises RequestError or NotFound."""
    checked: dict[str, Any] = {}
    if request["refiner_checkpoint"] not in ("", NONE):
        checked["refiner_checkpoint"] = rt.checkpoints.find(request["refiner_checkpoint"]).title
    if not request.get("enable_hr"):
        return checked
    upscaler = request["hr_upscaler"] or DEFAULT_UPSCALER
    checked["hr_upscaler"] = upscaler if upscaler in LATENT_UPSCALERS else rt.upscalers.find(upscaler).name
    hires_size(request["width"], request["height"], scale=request["hr_scale"], resize_x=request["hr_resize_x"],
               resize_y=request["hr_resize_y"])
    if request["hr_sampler_name"] not in ("", SAME_SAMPLER):
        sampler, schedule = chosen_sampler(request["hr_sampler_name"], AUTOMATIC)
        checked["hr_sampler_name"] = sampler
        if schedule != AUTOMATIC and request["hr_scheduler"] in ("", SAME_SCHEDULE):
            checked["hr_scheduler"] = schedule
    if request["hr_scheduler"] not in ("", SAME_SCHEDULE):
        checked["hr_scheduler"] = find_schedule(request["hr_scheduler"]).label
    if request["hr_checkpoint_name"] not in ("", SAME_CHECKPOINT):
        checked["hr_checkpoint_name"] = rt.checkpoints.find(request["hr_checkpoint_name"]).title
    return checked


def checked_overrides(rt: Runtime, overrides: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Override settings in the types of their options, and a note for each that is unknown. Raises RequestError."""
    known, notes = {}, []
    for key, value in overrides.items():
        if key not in rt.settings.data_labels:
            notes.append(f"There is no setting named {key!r}; it was left out.")
        elif key == "sd_model_checkpoint":
            known[key] = rt.checkpoints.find(str(value)).title
        elif key == "sd_vae":
            known[key] = checked_vae(rt, str(value))
        else:
            known[key] = rt.settings.checked(key, value)
    return known, notes


def checked_vae(rt: Runtime, name: str) -> str:
    """The name of a VAE file as lists show it, "Automatic" or "None". Raises NotFound."""
    return name if name in (AUTOMATIC_VAE, OWN_VAE) else named_vae(name, rt.vae_files(), rt.folders.vae).name


def rounding_notes(request: Mapping[str, Any], given: Mapping[str, Any]) -> list[str]:
    """Says which sizes were rounded down."""
    notes = []
    for name in ("width", "height"):
        asked = given.get(name)
        if asked is not None and float(asked) != request[name]:
            notes.append(f"{name.capitalize()} {asked} was rounded down to {request[name]}, a multiple of {LATENT_PX}.")
    return notes


def run_request(job: Job, kind: Callable[..., StableDiffusionProcessing], make: Callable[[Any], Processed],
                runner: ScriptRunner | None = None) -> dict[str, Any]:
    """Run the frozen request of a job under its frozen settings, by its selected script or by `make`; the result as JSON-able data."""
    return run_frozen(Frozen(request=job.request, settings=dict(job.settings)), job, kind, make, runner)


def run_frozen(frozen: Frozen, job: Job, kind: Callable[..., StableDiffusionProcessing], make: Callable[[Any], Processed],
               runner: ScriptRunner | None = None, *, places: range = WHOLE_JOB) -> dict[str, Any]:
    """Run `frozen` as the work of `job`, to which its pictures then belong, or as the part of it that has its pictures at `places`."""
    rt = runtime.current()
    started = time.monotonic()
    fields = {name: value for name, value in frozen.request.items() if name not in NOT_OF_THE_RUN}
    p = kind(**fields)
    p.finished = {picture.index - places.start: picture.path for picture in job.pictures if picture.index in places}
    p.results_folder = rt.folders.results / job.folder_name
    p.user = user_of(job.owner)
    stored = frozen.request.get(SCRIPTS) or {}
    p.record = PictureRecord(lambda index, path, text: rt.queue.note_picture(job, places.start + index, path, text),
                             bool(stored.get(SELECTED)))
    for note in frozen.request.get(NOTES, ()):
        p.comment(note)
    try:
        with rt.settings.overriding(frozen.settings):
            note_changed_checkpoint(rt, p, frozen.request.get(CHECKPOINT))
            attach_scripts(p, runner, stored)
            processed = run_selected(p) or make(p)
    finally:
        p.close()
    if not p.override_settings_restore_afterwards:
        for key, value in p.override_settings.items():
            rt.settings.set(key, value)
    return job_result(p, processed, time.monotonic() - started)


def identity(info: CheckpointInfo) -> dict[str, Any]:
    """Which file a checkpoint is, as far as it is known without reading it."""
    return {"title": info.title, "path": str(info.path), "size": info.state.size, "mtime_ns": info.state.mtime_ns, "sha256": info.sha256}


def note_changed_checkpoint(rt: Runtime, p: StableDiffusionProcessing, frozen: Mapping[str, Any] | None) -> None:
    """Say it when the checkpoint's file is another one than when Generate was pressed."""
    info = rt.chosen_checkpoint(p.override_settings.get("sd_model_checkpoint"))
    now = identity(info)
    if frozen and any(frozen.get(key) != now.get(key) for key in ("path", "size", "mtime_ns")):
        then = Path(frozen["path"]).name
        p.comment(f"The checkpoint is not the one of when the job was made: it was {then}, now it is {info.path.name}.")


def job_result(p: StableDiffusionProcessing, processed: Processed, seconds: float) -> dict[str, Any]:
    """What the page and the API show of a finished job."""
    first = processed.index_of_first_image
    infotexts = [*processed.infotexts, *[processed.info] * (len(processed.images) - len(processed.infotexts))]
    seeds, subseeds = processed.all_seeds, processed.all_subseeds
    images = []
    for position, (image, text) in enumerate(zip(processed.images, infotexts)):
        # Skipped batches leave gaps, so the place among the results does not say which seed it was.
        index = position - first if p.record and p.record.numbers_itself else getattr(image, "picture_index", position - first)
        index = index if position >= first else -1
        proof = {"proof": image.proof} if hasattr(image, "proof") else {}
        images.append({
            **proof, "path": image_path(p, image, text), "infotext": text,
            "width": image.width, "height": image.height, "is_grid": position < first,
            "saved": bool(getattr(image, "is_saved", False)),
            "seed": seeds[index] if 0 <= index < len(seeds) else processed.seed,
            "subseed": subseeds[index] if 0 <= index < len(subseeds) else processed.subseed})
    return {"images": images, "index_of_first_image": first, "info": processed.fields(), "notes": list(p.comments), "seconds": seconds,
            "interrupted": processed.interrupted}


def image_path(p: StableDiffusionProcessing, image: Image.Image, infotext: str) -> str:
    """The file of a picture of the result; pictures that a script made itself are kept with the job's results."""
    known = getattr(image, "already_saved_as", None)
    return known or runtime.current().unsaved.keep(p.results_folder, image, infotext)
