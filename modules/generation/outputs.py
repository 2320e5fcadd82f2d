"""Finished pictures: published on disk before anything else happens to them, then shown."""
from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from PIL import Image as pictures
from PIL.Image import Image

from modules import runtime, script_callbacks
from modules.errors import UserError
from modules.generation.base import StableDiffusionProcessing
from modules.imaging.filenames import NameContext
from modules.imaging.save import SavedPicture, SaveOptions, probable_path, save_picture


@dataclass(frozen=True, kw_only=True)
class Made:
    """A finished picture and what is stored with it; `further` ones, such as its mask, are shown beside it."""

    image: Image
    infotext: str
    further: tuple[Image, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Destination:
    """Where a picture belongs: a folder of outputs, or the results of its job when it is not to be saved."""

    folder: Path
    keep: bool
    grid: bool = False
    suffix: str = ""


def name_context(p: StableDiffusionProcessing, index: int, image: Image) -> NameContext:
    """What the file name pattern may speak of; None where it does not apply to this picture."""
    rt = runtime.current()
    checkpoint = p.checkpoint
    one = p.batch_size * p.n_iter == 1
    return NameContext(
        prompt=p.all_prompts[index], negative_prompt=p.all_negative_prompts[index], prompt_no_styles=p.main_prompt,
        seed=p.all_seeds[index], seed_first=p.all_seeds[0], seed_last=None if one else p.all_seeds[-1], steps=p.steps, cfg=p.cfg_scale,
        width=image.width, height=image.height, styles=tuple(p.styles or ()), sampler=p.sampler_name or "", scheduler=p.scheduler or "",
        model_hash=checkpoint.short_hash or "", model_name=checkpoint.model_name, batch_size=p.batch_size,
        batch_number=None if p.batch_size == 1 else index % p.batch_size + 1, generation_number=None if one else index + 1,
        clip_skip=rt.settings.CLIP_stop_at_last_layers, denoising=p.denoising_strength, job_timestamp=rt.state.job_timestamp,
        user=p.user)


def deliver(p: StableDiffusionProcessing, image: Image, index: int, infotext: str, destination: Destination) -> None:
    """Publish `image` and note it in the job; sets `image.already_saved_as` and `image.picture_index`.

    A picture that is not to be saved and is not the job's either (a script made it on the way) is not written.
    When the folder cannot take it, the picture goes to the results of the job and UserError is raised afterwards: the job
    ends, the picture stays.
    """
    image.picture_index = index
    is_of_the_job = p.record is not None and p.record.is_outermost
    if not destination.keep and not is_of_the_job:
        return
    problem: UserError | None = None
    saved: SavedPicture | None = None
    if destination.keep:
        try:
            saved = save(p, image, index, infotext, destination)
        except UserError as error:
            problem = error
    path = str(saved.path) if saved else _kept_for_the_page(p, image, infotext)
    image.already_saved_as = path
    image.is_saved = saved is not None
    if p.record is not None and not destination.grid:
        p.record.add(index, path, infotext)
    if problem is not None:
        raise problem


def save(p: StableDiffusionProcessing, image: Image, index: int, infotext: str, destination: Destination) -> SavedPicture:
    """Write `image` into its folder under the name that the settings give it. Raises UserError."""
    options = SaveOptions.from_settings(runtime.current().settings, grid=destination.grid)
    if p.own_folder is not None:
        options = replace(options, folder_pattern="")
    context = name_context(p, index, image)
    wish = _asked_before_saving(p, image, infotext, options, context, destination)
    saved = save_picture(wish.image, wish.options, context, wish.infotext, folder=wish.folder, suffix=destination.suffix,
                         grid=destination.grid, forced_name=wish.forced_name or _kept_name(p, index))
    for note in saved.notes:
        p.comment(note)
    if script_callbacks.has("image_saved"):
        done = script_callbacks.ImageSaveParams(wish.image, p, str(saved.path), {PARAMETERS: wish.infotext})
        script_callbacks.call("image_saved", done, note=p.comment)
    return saved


def _kept_name(p: StableDiffusionProcessing, index: int) -> str:
    """The name of the file that a picture was made from, in a batch over files; numbered where it gives several."""
    return f"{p.kept_name}-{index + 1}" if p.kept_name and p.batch_size * p.n_iter > 1 else p.kept_name


PARAMETERS = "parameters"


@dataclass(frozen=True, kw_only=True)
class _Wish:
    """What is to be written where, after extensions had their say."""

    image: Image
    infotext: str
    options: SaveOptions
    folder: Path
    forced_name: str = ""


def _asked_before_saving(p: StableDiffusionProcessing, image: Image, infotext: str, options: SaveOptions, context: NameContext,
                         destination: Destination) -> _Wish:
    """Let extensions replace picture, infotext and file name."""
    wish = _Wish(image=image, infotext=infotext, options=options, folder=destination.folder)
    if not script_callbacks.has("before_image_saved"):
        return wish
    path = probable_path(image, options, context, folder=destination.folder, suffix=destination.suffix, grid=destination.grid)
    params = script_callbacks.ImageSaveParams(image, p, str(path), {PARAMETERS: infotext})
    script_callbacks.call("before_image_saved", params, note=p.comment)
    wish = replace(wish, image=params.image, infotext=params.pnginfo.get(PARAMETERS) or "")
    chosen = Path(params.filename)
    if chosen == path:
        return wish
    encoding = replace(options.encoding, format=chosen.suffix.lstrip(".") or options.encoding.format)
    return replace(wish, options=replace(options, folder_pattern="", encoding=encoding), folder=chosen.parent, forced_name=chosen.stem)


def _kept_for_the_page(p: StableDiffusionProcessing, image: Image, infotext: str) -> str:
    rt = runtime.current()
    return rt.unsaved.keep(p.results_folder or rt.folders.results / "loose", image, infotext)


def earlier_pictures(p: StableDiffusionProcessing) -> Iterator[tuple[int, Made]]:
    """The pictures of a resumed run that exist already, read back from their files."""
    for index, path in p.finished.items():
        with pictures.open(path) as image:
            image.load()
        image.already_saved_as, image.is_saved = path, True
        text = image.info.get("parameters", "")
        yield index, Made(image=image.convert("RGB") if image.mode != "RGB" else image, infotext=text)


def samples_folder(p: StableDiffusionProcessing) -> Path:
    """Where the pictures of `p` belong."""
    if p.own_folder is not None:
        return p.own_folder
    rt = runtime.current()
    usual = rt.settings.outdir_img2img_samples if p.is_img2img else rt.settings.outdir_txt2img_samples
    return rt.folders.data / (rt.settings.outdir_samples or p.outpath_samples or usual)


def grids_folder(p: StableDiffusionProcessing) -> Path:
    """Where the grids of `p` belong."""
    rt = runtime.current()
    usual = rt.settings.outdir_img2img_grids if p.is_img2img else rt.settings.outdir_txt2img_grids
    return rt.folders.data / (rt.settings.outdir_grids or p.outpath_grids or usual)
