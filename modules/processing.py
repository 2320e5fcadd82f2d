"""The conductor: one generation from prompts to saved pictures, as one readable page."""
from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import torch
from PIL.Image import Image

from modules import extra_networks, runtime, script_callbacks
from modules.errors import Cancelled, Interrupted, Skipped
from modules.generation import lora_network, pasting

# names that extensions expect here
from modules.generation.base import LATENT_CHANNELS as opt_C
from modules.generation.base import LATENT_PX as opt_f
from modules.generation.base import StableDiffusionProcessing
from modules.generation.care import care_of
from modules.generation.conditions import setup_conditions
from modules.generation.decode import as_picture, decoded
from modules.generation.describe import create_infotext, write_last_parameters
from modules.generation.effects import Effects, apply_effects
from modules.generation.finishing import HIDDEN, concealed, watermarked, with_faces
from modules.generation.image_to_image import StableDiffusionProcessingImg2Img
from modules.generation.inpaint import put_back
from modules.generation.networks import activated
from modules.generation.noise import NoiseSource, slerp
from modules.generation.outputs import Destination, Made, deliver, earlier_pictures, grids_folder, samples_folder
from modules.generation.previews import start_previews
from modules.generation.result import Processed
from modules.generation.script_calls import call_scripts
from modules.generation.seeds import fixed_seed
from modules.generation.text_to_image import StableDiffusionProcessingTxt2Img
from modules.imaging.color import apply_color_correction, setup_color_correction
from modules.imaging.grids import grid_size, image_grid
from modules.imaging.masks import mask_of
from modules.scripts import PostprocessBatchListArgs, PostprocessImageArgs, PostSampleArgs, any_overrides
from modules.version import VERSION

get_fixed_seed = fixed_seed

__all__ = ["Processed", "StableDiffusionProcessing", "StableDiffusionProcessingImg2Img", "StableDiffusionProcessingTxt2Img",
           "apply_color_correction", "apply_overlay", "create_binary_mask", "create_infotext", "create_random_tensors",
           "decode_first_stage", "fix_seed", "fixed_seed", "get_fixed_seed", "images_tensor_to_samples", "opt_C", "opt_f", "process_images",
           "process_images_inner", "program_version", "setup_color_correction", "slerp"]


def create_binary_mask(image: Image, round: bool = True) -> Image:
    """The mask that a picture stands for; a name that extensions expect here."""
    return mask_of(image, rounded=round)


def apply_overlay(image: Image, paste_loc: tuple[int, int, int, int] | None, overlay: Image | None) -> tuple[Image, Image]:
    """A picture under the kept part of the original, and as it was; a name that extensions expect here."""
    return put_back(image, overlay, paste_loc), image.copy()


def program_version() -> str:
    """The version as infotexts name it; a name that extensions expect here."""
    return f"easel-{VERSION}"


def decode_first_stage(model: Any, x: torch.Tensor) -> torch.Tensor:
    """Pixels [B, 3, H, W] in -1..1 of latents; a name that extensions expect here."""
    return decoded(model, x) * 2 - 1


def images_tensor_to_samples(image: torch.Tensor, approximation: int | None = None, model: Any = None) -> torch.Tensor:
    """Latents [B, 4, h, w] of pixels [B, 3, H, W] in 0..1; a name that extensions expect here."""
    model = model or runtime.current().models.ensure(runtime.current().chosen_checkpoint())
    parameter = next(model.first_stage_model.parameters())
    pixels = image.to(parameter.device, parameter.dtype) * 2 - 1
    return torch.cat([model.encode_first_stage(one[None]).mode() for one in pixels])


def create_random_tensors(shape: Sequence[int], seeds: Sequence[int], subseeds: Sequence[int] | None = None, subseed_strength: float = 0.0,
                          seed_resize_from_h: int = 0, seed_resize_from_w: int = 0, p: Any = None) -> torch.Tensor:
    """The start noise of these seeds; a name that extensions expect here."""
    rt = runtime.current()
    source = NoiseSource(shape, seeds, subseeds, subseed_strength, (seed_resize_from_w, seed_resize_from_h), rt.settings.randn_source,
                         rt.settings.eta_noise_seed_delta, rt.hardware.device)
    if p is not None:
        p.rng = source
    return source.first()


def fix_seed(p: StableDiffusionProcessing) -> None:
    """Draw the seeds that are open; scripts call this before they make copies of `p`."""
    p.seed, p.subseed = fixed_seed(p.seed), fixed_seed(p.subseed)


def process_images(p: StableDiffusionProcessing) -> Processed:
    """Run `p` under its override settings, with its checkpoint loaded. Raises UserError for what the user can mend."""
    rt = runtime.current()
    call_scripts(p, "before_process")
    with run_of(p), rt.settings.overriding(p.override_settings or {}), rt.models.careful(care_of(p)), lora_network.network.kept():
        named = p.override_settings.get("sd_model_checkpoint")
        p.sd_model = rt.models.ensure(rt.chosen_checkpoint(named), fall_back=not named)
        p.checkpoint = p.sd_model.checkpoint
        if not p.do_not_reload_embeddings:
            rt.embeddings.refresh(p.sd_model.architecture.text_width)
        return process_images_inner(p)


def process_images_inner(p: StableDiffusionProcessing) -> Processed:
    """All batches of `p`: each is sampled, decoded, published; then the grid. Returns what exists, also after an interrupt."""
    rt = runtime.current()
    p.fill_lists()
    call_scripts(p, "process")  # may replace the lists of prompts and seeds by longer ones, and n_iter with them
    p.settle_lists()
    rt.state.skipped = False  # a Skip of what is over by now; `init` looks at it too
    p.init(p.all_prompts, p.all_seeds, p.all_subseeds)
    if isinstance(p, StableDiffusionProcessingImg2Img):
        pasting.save_init_pictures(p)
    write_last_parameters(p)
    if rt.state.job_count == -1:
        rt.state.job_count = p.n_iter
    made = dict(earlier_pictures(p))
    pasting.recall_proofs(made.values())
    start_previews(p.sd_model)
    with torch.inference_mode():
        for iteration in range(p.n_iter):
            if rt.state.interrupted or rt.state.stopping_generation:
                break
            rt.state.skipped = False
            if p.n_iter > 1:
                rt.state.job = f"Batch {iteration + 1} out of {p.n_iter}"
            made |= make_batch(p, iteration)
            rt.state.nextjob()
    processed = collected(p, [made[index] for index in sorted(made)])
    call_scripts(p, "postprocess", processed)
    return processed


@contextmanager
def run_of(p: StableDiffusionProcessing) -> Iterator[None]:
    """The scope of one run. Inside another run of the same job it neither resumes pictures nor counts as the job's."""
    record = p.record
    if record is None:
        yield
        return
    record.depth += 1
    try:
        if not record.is_outermost or record.numbers_itself:
            p.finished = {}
        yield
    finally:
        record.depth -= 1


def make_batch(p: StableDiffusionProcessing, iteration: int) -> dict[int, Made]:
    """The pictures of one batch by their indices; empty when it was skipped or all of it exists already."""
    indices = p.take_batch(iteration)
    if not indices:
        return {}
    p.sd_model = runtime.current().models.ensure(p.checkpoint)  # a refiner or second pass may have used another
    batch = {"batch_number": iteration, "prompts": p.prompts, "seeds": p.seeds, "subseeds": p.subseeds}
    p.rng = p.make_noise()
    call_scripts(p, "before_process_batch", **batch)
    if not p.disable_extra_networks:
        p.prompts, p.extra_network_data = extra_networks.parse_prompts(p.prompts)
        batch["prompts"] = p.prompts
    with Effects.of(p) as p.effects, activated(p, p.extra_network_data):
        apply_effects(p)
        call_scripts(p, "after_extra_networks_activate", extra_network_data=p.extra_network_data, **batch)
        call_scripts(p, "process_batch", **batch)
        lora_network.network.follow(p)
        setup_conditions(p, p.steps)
        try:
            latents = p.sample(p.c, p.uc, p.seeds, p.subseeds, p.subseed_strength, p.prompts)
        except Skipped:
            return {}
        except Interrupted:
            return partial_batch(p, indices)
        try:
            return publish_batch(p, indices, latents)
        except Cancelled:
            return {}


BATCH_HOOKS = ("post_sample", "postprocess_batch", "postprocess_batch_list")


def publish_batch(p: StableDiffusionProcessing, indices: list[int], latents: torch.Tensor) -> dict[int, Made]:
    """Decode and publish picture by picture, so that a later fault takes none of the earlier ones away.

    A script that works on whole batches has all of them decoded first; it may add pictures.
    """
    keep = runtime.current().settings.samples_save and not p.do_not_save_samples
    if not any_overrides(p.scripts, *BATCH_HOOKS):
        made: dict[int, Made] = {}
        with suppress(Cancelled):  # pressed between two tiles of the VAE: what is finished stays
            for index, latent in zip(indices, latents, strict=True):
                if made:  # the first one is finished whatever was pressed: all of its steps are done
                    runtime.current().state.check()
                made[index] = publish(p, index, decoded(p.sd_model, latent[None])[0], keep)
        return made
    samples = PostSampleArgs(latents)
    call_scripts(p, "post_sample", samples)
    pixels = decoded(p.sd_model, samples.samples)
    call_scripts(p, "postprocess_batch", images=pixels, batch_number=p.iteration)
    p.prompts = [p.all_prompts[i] for i in indices]  # a script that adds pictures adds their prompts here, tags included
    p.negative_prompts = [p.all_negative_prompts[i] for i in indices]
    batch = PostprocessBatchListArgs(list(pixels))
    call_scripts(p, "postprocess_batch_list", batch, batch_number=p.iteration)
    places = [*indices, *(p.further_picture(position) for position in range(len(indices), len(batch.images)))]
    made = {}
    for position, (index, picture) in enumerate(zip(places, batch.images, strict=False)):
        p.batch_index = position
        made[index] = publish(p, index, picture, keep)
    return made


def publish(p: StableDiffusionProcessing, index: int, pixels: torch.Tensor, keep: bool) -> Made:
    """Finish one picture of pixels [3, H, W]: scripts, in img2img the rest of the original, infotext, file."""
    picture = PostprocessImageArgs(with_faces(p, as_picture(pixels), index, keep), index)
    call_scripts(p, "postprocess_image", picture)
    paste = pasting.Paste(p, index, keep) if isinstance(p, StableDiffusionProcessingImg2Img) else None
    picture.image = paste.back(picture.image) if paste else picture.image
    call_scripts(p, "postprocess_image_after_composite", picture)
    picture.image = watermarked(p, concealed(p, picture.image, index))
    if paste:
        paste.prove(picture.image)
    text = create_infotext(p, p.all_prompts, p.all_seeds, p.all_subseeds, index=index, all_negative_prompts=p.all_negative_prompts)
    picture.image.info["parameters"] = text
    deliver(p, picture.image, index, text, Destination(folder=samples_folder(p), keep=keep))
    if paste:
        paste.prove_file(picture.image)
    return Made(image=picture.image, infotext=text, further=paste.further if paste and HIDDEN not in p.extra_generation_params else ())


def partial_batch(p: StableDiffusionProcessing, indices: list[int]) -> dict[int, Made]:
    """What an interrupted batch had reached: shown, marked, and saved only where the settings ask for it."""
    opts = runtime.current().settings
    reached = p.last_step
    if reached is None:
        return {}
    keep = opts.save_incomplete_images and opts.samples_save and not p.do_not_save_samples
    p.extra_generation_params["Interrupted at step"] = reached.i + 1
    try:
        return {index: publish(p, index, decoded(p.sd_model, latent[None])[0], keep)
                for index, latent in zip(indices, reached.denoised, strict=True)}
    finally:
        del p.extra_generation_params["Interrupted at step"]


def collected(p: StableDiffusionProcessing, made: list[Made]) -> Processed:
    """The result of a run, with its grid first where one is wanted."""
    rt = runtime.current()
    opts = rt.settings
    first = 0
    wanted = (opts.return_grid or opts.grid_save) and not p.do_not_save_grid
    if wanted and len(made) > (1 if opts.grid_only_if_multiple else 0) and not rt.state.interrupted:
        grid = grid_of(p, [picture.image for picture in made])
        if opts.return_grid:
            made, first = [grid, *made], 1
    p.job_timestamp, p.clip_skip = rt.state.job_timestamp, opts.CLIP_stop_at_last_layers
    images = [image for picture in made for image in (picture.image, *picture.further)]
    infotexts = [picture.infotext for picture in made for _ in (picture.image, *picture.further)]
    result = Processed(p, images, p.all_seeds[0], infotexts[0] if infotexts else "", p.all_subseeds[0],
                       index_of_first_image=first, infotexts=infotexts, comments="\n".join(p.comments))
    result.interrupted = rt.state.interrupted
    return result


def grid_of(p: StableDiffusionProcessing, pictures: list[Image]) -> Made:
    """All pictures of the run in one, published."""
    opts = runtime.current().settings
    columns, rows = grid_size(len(pictures), rows=opts.n_rows, batch_size=p.batch_size, prevent_empty_spots=opts.grid_prevent_empty_spots)
    params = script_callbacks.ImageGridLoopParams(list(pictures), columns, rows)
    script_callbacks.call("image_grid", params, note=p.comment)
    if params.cols != columns and params.rows == rows:
        params.rows = -(-len(params.imgs) // max(1, params.cols))
    grid = watermarked(p, image_grid(params.imgs, rows=params.rows, max_megapixels=opts.img_max_size_mp))
    text = create_infotext(p, p.all_prompts, p.all_seeds, p.all_subseeds, index=0, use_main_prompt=True,
                           all_negative_prompts=p.all_negative_prompts)
    grid.info["parameters"] = text
    deliver(p, grid, 0, text, Destination(folder=grids_folder(p), keep=opts.grid_save, grid=True))
    return Made(image=grid, infotext=text)
