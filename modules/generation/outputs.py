"""Finished pictures: published on disk before anything else happens to them, then shown."""
from __future__ import annotations

import itertools
from dataclasses import dataclass
from pathlib import Path

from PIL.Image import Image

from modules import runtime
from modules.errors import UserError
from modules.generation.base import StableDiffusionProcessing
from modules.imaging.filenames import NameContext
from modules.imaging.save import SavedPicture, SaveOptions, save_picture

_unsaved_numbers = itertools.count()


@dataclass(frozen=True, kw_only=True)
class Destination:
    """Where a picture belongs: a folder of outputs, or the results of its job when it is not to be saved."""

    folder: Path
    keep: bool
    grid: bool = False
    suffix: str = ""


def name_context(p: StableDiffusionProcessing, index: int, image: Image) -> NameContext:
    """What the file name pattern may speak of."""
    checkpoint = p.sd_model.checkpoint
    count = p.batch_size * p.n_iter
    return NameContext(
        seed=p.all_seeds[index], seed_first=p.all_seeds[0], seed_last=p.all_seeds[-1] if count > 1 else None, steps=p.steps, cfg=p.cfg_scale,
        width=image.width, height=image.height, styles=tuple(p.styles or ()), sampler=p.sampler_name or "", scheduler=p.scheduler or "",
        model_hash=checkpoint.short_hash or "", model_name=checkpoint.model_name, prompt=p.all_prompts[index],
        negative_prompt=p.all_negative_prompts[index], prompt_no_styles=p.main_prompt, batch_number=index % p.batch_size + 1,
        batch_size=p.batch_size, generation_number=index + 1, clip_skip=runtime.current().settings.CLIP_stop_at_last_layers,
        denoising=p.denoising_strength, job_timestamp=runtime.current().state.job_timestamp)


def deliver(p: StableDiffusionProcessing, image: Image, index: int, infotext: str, destination: Destination) -> None:
    """Publish `image` and note it in the job; sets `image.already_saved_as`.

    When the folder cannot take it, the picture goes to the results of the job and UserError is raised afterwards: the job
    ends, the picture stays.
    """
    problem: UserError | None = None
    saved: SavedPicture | None = None
    if destination.keep:
        try:
            saved = _save(p, image, index, infotext, destination)
        except UserError as error:
            problem = error
    path = str(saved.path) if saved else _kept_for_the_page(p, image, infotext)
    image.already_saved_as = path
    image.is_saved = saved is not None
    if p.on_picture is not None and not destination.grid:
        p.on_picture(index, path, infotext)
    if problem is not None:
        raise problem


def _save(p: StableDiffusionProcessing, image: Image, index: int, infotext: str, destination: Destination) -> SavedPicture:
    options = SaveOptions.from_settings(runtime.current().settings, grid=destination.grid)
    return save_picture(image, options, name_context(p, index, image), infotext, folder=destination.folder, suffix=destination.suffix)


def _kept_for_the_page(p: StableDiffusionProcessing, image: Image, infotext: str) -> str:
    rt = runtime.current()
    folder = p.results_folder or rt.folders.results / "loose"
    return rt.unsaved.keep(folder, f"{next(_unsaved_numbers):05d}.png", image, infotext)
