"""The conductor: one generation from prompts to saved pictures, as one readable page."""
from __future__ import annotations

from pathlib import Path

import torch
from PIL.Image import Image

from modules import extra_networks, runtime
from modules.errors import Interrupted, RequestError, Skipped

# names that extensions expect here
from modules.generation.base import LATENT_CHANNELS as opt_C  # noqa: N812
from modules.generation.base import LATENT_PX as opt_f  # noqa: N812
from modules.generation.base import StableDiffusionProcessing
from modules.generation.conditions import setup_conditions
from modules.generation.decode import as_picture, decoded
from modules.generation.describe import create_infotext
from modules.generation.outputs import Destination, deliver
from modules.generation.result import Processed
from modules.generation.seeds import fixed_seed
from modules.generation.text_to_image import StableDiffusionProcessingTxt2Img
from modules.imaging.grids import image_grid

__all__ = ["Processed", "StableDiffusionProcessing", "StableDiffusionProcessingTxt2Img", "create_infotext", "fixed_seed", "opt_C", "opt_f",
           "process_images", "process_images_inner"]


def process_images(p: StableDiffusionProcessing) -> Processed:
    """Run `p` under its override settings, with its checkpoint loaded. Raises UserError for what the user can mend."""
    rt = runtime.current()
    with rt.settings.overriding(p.override_settings or {}):
        p.sd_model = rt.models.ensure(rt.chosen_checkpoint(p.override_settings))
        return process_images_inner(p)


def process_images_inner(p: StableDiffusionProcessing) -> Processed:
    """All batches of `p`: each is sampled, decoded, published; then the grid. Returns what exists, also after an interrupt."""
    rt = runtime.current()
    apply_styles(p)
    p.fill_lists()
    p.init(p.all_prompts, p.all_seeds, p.all_subseeds)
    if rt.state.job_count == -1:
        rt.state.job_count = p.n_iter
    pictures: list[Image] = []
    infotexts: list[str] = []
    with torch.inference_mode():
        for iteration in range(p.n_iter):
            if rt.state.interrupted or rt.state.stopping_generation:
                break
            rt.state.skipped = False
            if p.n_iter > 1:
                rt.state.job = f"Batch {iteration + 1} out of {p.n_iter}"
            for image, text in make_batch(p, iteration):
                pictures.append(image)
                infotexts.append(text)
            rt.state.nextjob()
    return finished(p, pictures, infotexts)


def apply_styles(p: StableDiffusionProcessing) -> None:
    """Write the chosen styles into the prompts."""
    if not p.styles:
        return
    table = runtime.current().styles
    missing = [name for name in p.styles if name not in table.names()]
    if missing:
        raise RequestError("styles", f"There is no style named {missing[0]!r}.", remedy="Choose one from the Styles list.")
    p.main_prompt = p.prompt if isinstance(p.prompt, str) else p.prompt[0]
    p.prompt = _each(p.prompt, lambda text: table.applied_to_prompt(text, p.styles))
    p.negative_prompt = _each(p.negative_prompt, lambda text: table.applied_to_negative_prompt(text, p.styles))


def _each(prompt: str | list[str], change) -> str | list[str]:
    return [change(text) for text in prompt] if isinstance(prompt, list) else change(prompt)


def make_batch(p: StableDiffusionProcessing, iteration: int) -> list[tuple[Image, str]]:
    """The pictures of one batch with their infotexts; empty when it was skipped or all of it exists already."""
    indices = p.take_batch(iteration)
    if not indices:
        return []
    p.rng = p.make_noise()
    p.prompts, p.extra_network_data = extra_networks.parse_prompts(p.prompts) if not p.disable_extra_networks else (p.prompts, {})
    with extra_networks.activated(p, p.extra_network_data):
        setup_conditions(p, p.steps)
        try:
            latents = p.sample(p.c, p.uc, p.seeds, p.subseeds, p.subseed_strength, p.prompts)
        except Skipped:
            return []
        except Interrupted:
            return partial_batch(p, indices)
        return publish_batch(p, indices, latents)


def publish_batch(p: StableDiffusionProcessing, indices: list[int], latents: torch.Tensor) -> list[tuple[Image, str]]:
    """Decode and publish picture by picture, so that a later fault takes none of the earlier ones away."""
    rt = runtime.current()
    destination = Destination(folder=samples_folder(p), keep=rt.settings.samples_save and not p.do_not_save_samples)
    made = []
    for index, latent in zip(indices, latents, strict=True):
        image = as_picture(decoded(p.sd_model, latent[None], note=p.comment)[0])
        text = create_infotext(p, index)
        image.info["parameters"] = text
        deliver(p, image, index, text, destination)
        made.append((image, text))
    return made


def partial_batch(p: StableDiffusionProcessing, indices: list[int]) -> list[tuple[Image, str]]:
    """What an interrupted batch had reached: shown, marked, and saved only where the settings ask for it."""
    rt = runtime.current()
    reached = p.last_step
    if reached is None:
        return []
    keep = rt.settings.save_incomplete_images and rt.settings.samples_save and not p.do_not_save_samples
    destination = Destination(folder=samples_folder(p), keep=keep)
    made = []
    for index, latent in zip(indices, reached.denoised, strict=True):
        image = as_picture(decoded(p.sd_model, latent[None], note=p.comment)[0])
        p.extra_generation_params["Interrupted at step"] = reached.index + 1
        text = create_infotext(p, index)
        image.info["parameters"] = text
        deliver(p, image, index, text, destination)
        made.append((image, text))
    del p.extra_generation_params["Interrupted at step"]
    return made


def samples_folder(p: StableDiffusionProcessing) -> Path:
    """Where the pictures of `p` belong."""
    rt = runtime.current()
    named = rt.settings.outdir_samples or p.outpath_samples or rt.settings.outdir_txt2img_samples
    return rt.folders.data / named


def grids_folder(p: StableDiffusionProcessing) -> Path:
    """Where the grids of `p` belong."""
    rt = runtime.current()
    named = rt.settings.outdir_grids or p.outpath_grids or rt.settings.outdir_txt2img_grids
    return rt.folders.data / named


def finished(p: StableDiffusionProcessing, pictures: list[Image], infotexts: list[str]) -> Processed:
    """The result with its grid first where one is wanted."""
    rt = runtime.current()
    opts = rt.settings
    first = 0
    wanted = (opts.return_grid or opts.grid_save) and not p.do_not_save_grid
    if wanted and len(pictures) > (1 if opts.grid_only_if_multiple else 0) and not rt.state.interrupted:
        grid = image_grid(pictures, batch_size=p.batch_size, rows=None if opts.n_rows < 0 else opts.n_rows)
        text = create_infotext(p, 0)
        grid.info["parameters"] = text
        deliver(p, grid, 0, text, Destination(folder=grids_folder(p), keep=opts.grid_save, grid=True))
        if opts.return_grid:
            pictures, infotexts, first = [grid, *pictures], [text, *infotexts], 1
    p.job_timestamp, p.clip_skip = rt.state.job_timestamp, opts.CLIP_stop_at_last_layers
    result = Processed(p, pictures, p.all_seeds[0], infotexts[0] if infotexts else "", p.all_subseeds[0], index_of_first_image=first,
                       infotexts=infotexts, comments="\n".join(p.comments))
    result.interrupted = rt.state.interrupted
    return result
