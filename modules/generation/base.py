"""One run of the engine: the request (init fields) and the working state that grows out of it."""
from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import torch
from PIL.Image import Image

from modules import errors, runtime
from modules.generation.noise import NoiseSource
from modules.generation.seeds import fixed_seed, seeds_of_pictures, variation_chain
from modules.prompt.conditioning import BatchConditions, ComposedCond, ScheduledCond

LATENT_CHANNELS = 4
LATENT_PX = 8


@dataclass
class StableDiffusionProcessing:
    """A generation with its request and its working state.

    The init fields are the request: what a job stores and an infotext describes. `extra_generation_params` holds further
    infotext keys. All other attributes belong to the run; `copy.copy` is legal at any moment, and extensions may add attributes.
    """

    sd_model: Any = None
    outpath_samples: str | None = None
    outpath_grids: str | None = None
    prompt: str | list[str] = ""
    prompt_for_display: str | None = None
    negative_prompt: str | list[str] = ""
    styles: list[str] | None = None
    seed: int = -1
    subseed: int = -1
    subseed_strength: float = 0
    variations: str = ""
    seed_resize_from_h: int = -1
    seed_resize_from_w: int = -1
    seed_enable_extras: bool = True
    sampler_name: str | None = None
    scheduler: str | None = None
    batch_size: int = 1
    n_iter: int = 1
    steps: int = 50
    cfg_scale: float = 7.0
    width: int = 512
    height: int = 512
    restore_faces: bool | None = None
    tiling: bool | None = None
    do_not_save_samples: bool = False
    do_not_save_grid: bool = False
    extra_generation_params: dict[str, Any] | None = None
    overlay_images: list | None = None
    eta: float | None = None
    do_not_reload_embeddings: bool = False
    denoising_strength: float | None = None
    ddim_discretize: str | None = None
    s_min_uncond: float | None = None
    s_churn: float | None = None
    s_tmax: float | None = None
    s_tmin: float | None = None
    s_noise: float | None = None
    override_settings: dict[str, Any] | None = None
    override_settings_restore_afterwards: bool = True
    refiner_checkpoint: str | None = None
    refiner_switch_at: float | None = None
    disable_extra_networks: bool = False
    scripts_value: Any = field(default=None, repr=False)
    script_args_value: list | None = field(default=None, repr=False)

    is_img2img = False
    is_using_inpainting_conditioning = False
    follows_instructions = False
    # Extensions set these to [None, None], here or in `p`, to have texts read anew; what was read is kept elsewhere.
    cached_c: ClassVar[list] = [None, None]
    cached_uc: ClassVar[list] = [None, None]
    cached_hr_c: ClassVar[list] = [None, None]
    cached_hr_uc: ClassVar[list] = [None, None]

    def __post_init__(self) -> None:
        self.extra_generation_params = self.extra_generation_params or {}
        self.override_settings = self.override_settings or {}
        self.styles = list(self.styles or [])
        self.seed = -1 if self.seed in (None, "") else int(self.seed)
        self.subseed = -1 if self.subseed in (None, "") else int(self.subseed)
        self.checkpoint: Any = None
        self.comments: dict[str, None] = {}
        self.extra_network_data: dict[str, list] = {}
        self.all_prompts: list[str] = []
        self.all_negative_prompts: list[str] = []
        self.all_seeds: list[int] = []
        self.all_subseeds: list[int] = []
        self.prompts: list[str] = []
        self.negative_prompts: list[str] = []
        self.seeds: list[int] = []
        self.subseeds: list[int] = []
        self.iteration = 0
        self.indices: list[int] = []
        self.is_hr_pass = False
        self.main_prompt = ""
        self.main_negative_prompt = ""
        self.c: tuple[ComposedCond, ...] = ()
        self.uc: tuple[ScheduledCond, ...] = ()
        self.planned_steps: tuple[int, int | None] = (self.steps, None)
        self.rng: NoiseSource | None = None
        self.effects: Any = None
        self.sampler: Any = None
        self.job_timestamp = ""
        self.clip_skip = 1
        self.paste_to: tuple[int, int, int, int] | None = None
        self.color_corrections: list | None = None
        self.picture_count: int | None = None
        self.finished: dict[int, str] = {}
        self.last_step: Any = None
        self.shared_passes: Any = None  # modules.generation.shared_passes, where several runs of a job have work in common
        self.record: PictureRecord | None = None
        self.batch_index = 0
        self.face_restorer: str | None = None  # what restored the faces of the current picture
        self.scripts_setup_complete = False
        self.results_folder: Any = None
        self.own_folder: Path | None = None
        self.user = ""  # who asked for it, where users have logins
        self.kept_name = ""
        self.depth_map: Image | None = None  # grey, near is bright; for models that follow one

    def comment(self, text: str) -> None:
        """Say something about this run under its pictures, once."""
        self.comments[text] = None

    def init(self, all_prompts: list[str], all_seeds: list[int], all_subseeds: list[int]) -> None:
        """Prepare what all batches share; called once, after the lists of prompts and seeds stand."""

    def make_noise(self, width: int | None = None, height: int | None = None) -> NoiseSource:
        """The noise of the current batch at a size in pixels: its start and what the sampler asks for later."""
        rt = runtime.current()
        opts = rt.settings
        return NoiseSource(
            (LATENT_CHANNELS, (height or self.height) // LATENT_PX, (width or self.width) // LATENT_PX), self.seeds, subseeds=self.subseeds,
            subseed_strength=self.subseed_strength, seed_resize_from=(self.seed_resize_from_w, self.seed_resize_from_h),
            source=opts.randn_source, eta_noise_seed_delta=opts.eta_noise_seed_delta, device=rt.hardware.device,
            more_variations=variation_chain(self.variations))

    def sample(self, conditioning, unconditional_conditioning, seeds, subseeds, subseed_strength, prompts) -> torch.Tensor:
        """The latents [B, 4, h, w] of one batch."""
        raise TypeError("Only a txt2img or img2img processing can sample.")

    def beginnings(self) -> dict[str, Any]:
        """What has to be kept to make the pictures of this batch again, beside the request; empty for text alone."""
        return {}

    def close(self) -> None:
        """Let go of tensors."""
        self.c, self.uc, self.rng, self.sampler = (), (), None, None

    @property
    def conditions(self) -> BatchConditions:
        """The conditions of the current batch."""
        return BatchConditions(positive=self.c, negative=self.uc)

    @property
    def script_args(self) -> list:
        return self.script_args_value or []

    @script_args.setter
    def script_args(self, values: list) -> None:
        self.script_args_value = values
        self._set_scripts_up()

    @property
    def scripts(self) -> Any:
        return self.scripts_value

    @scripts.setter
    def scripts(self, runner: Any) -> None:
        self.scripts_value = runner
        self._set_scripts_up()

    def _set_scripts_up(self) -> None:
        """Call the `setup` hooks once, when scripts and their arguments are both there."""
        if self.scripts_value is not None and self.script_args_value is not None and not self.scripts_setup_complete:
            self.scripts_setup_complete = True
            self.scripts_value.setup_scrips(self)

    def fill_lists(self) -> None:
        """Draw open seeds and write one prompt, styles included, and one seed per picture into the `all_*` lists."""
        count = self.batch_size * self.n_iter
        prompts = _one_per_picture(self.prompt, count)
        negatives = _one_per_picture(self.negative_prompt, len(prompts))
        self.main_prompt, self.main_negative_prompt = prompts[0], negatives[0]
        self.all_prompts, self.all_negative_prompts = self.styled(prompts), self.styled(negatives, is_negative=True)
        self.all_seeds, self.all_subseeds = self._seeds_of(len(self.all_prompts))
        self.picture_count = None

    def _seeds_of(self, count: int) -> tuple[list[int], list[int]]:
        """Seeds and variation seeds of `count` pictures; a script may have given a list of either instead of a number."""
        first = lambda given: given[0] if isinstance(given, list) else fixed_seed(given)
        seeds, subseeds = seeds_of_pictures(first(self.seed), first(self.subseed), self.subseed_strength, count)
        if isinstance(self.seed, list):
            seeds = list(self.seed)
        else:
            self.seed = seeds[0]
        if isinstance(self.subseed, list):
            subseeds = list(self.subseed)
        else:
            self.subseed = subseeds[0]
        return seeds, subseeds

    def styled(self, texts: list[str], *, is_negative: bool = False) -> list[str]:
        """Prompts with the chosen styles written into them."""
        if not self.styles:
            return list(texts)
        table = runtime.current().styles
        apply = table.apply_to_negative_prompt if is_negative else table.apply_to_prompt
        return [apply(text, self.styles) for text in texts]

    def settle_lists(self) -> None:
        """Bring the lists to one length after scripts have changed them: that of the prompts; missing seeds rise from the last."""
        self.picture_count = len(self.all_prompts)
        missing = self.picture_count - len(self.all_negative_prompts)
        self.all_negative_prompts += self.all_negative_prompts[-1:] * missing
        for seeds in (self.all_seeds, self.all_subseeds):
            seeds += [seeds[-1] + i for i in range(1, self.picture_count - len(seeds) + 1)]

    def further_picture(self, position: int) -> int:
        """Enter a picture that a script added to the current batch at `position` into the lists; returns its index."""
        lists: list[tuple[list, list]] = [(self.all_prompts, self.prompts), (self.all_negative_prompts, self.negative_prompts),
                                          (self.all_seeds, self.seeds), (self.all_subseeds, self.subseeds)]
        for whole, batch in lists:
            whole.append(batch[min(position, len(batch) - 1)])
        return len(self.all_prompts) - 1

    def take_batch(self, iteration: int) -> list[int]:
        """Make batch number `iteration` the current one; returns the indices of its pictures, without those that exist already."""
        first = iteration * self.batch_size
        count = len(self.all_prompts) if self.picture_count is None else self.picture_count
        indices = [i for i in range(first, min(first + self.batch_size, count)) if i not in self.finished]
        self.iteration, self.indices = iteration, indices
        self.prompts = [self.all_prompts[i] for i in indices]
        self.negative_prompts = [self.all_negative_prompts[i] for i in indices]
        self.seeds = [self.all_seeds[i] for i in indices]
        self.subseeds = [self.all_subseeds[i] for i in indices]
        return indices

    def request(self) -> dict[str, Any]:
        """The init fields as a mapping."""
        return {name: copy.copy(getattr(self, name)) for name in self.__dataclass_fields__ if name not in ("sd_model", "scripts_value")}


@dataclass
class PictureRecord:
    """Where finished pictures of a job are noted at once: `note(index, path, infotext)`.

    Runs that scripts begin inside a run are `depth` 2 and more; their pictures are the script's affair. `numbers_itself`: a selected
    script makes several runs, so pictures are numbered in the order in which they are made.
    """

    note: Callable[[int, str, str], object]
    numbers_itself: bool = False
    depth: int = 0
    count: int = 0

    @property
    def is_outermost(self) -> bool:
        """Whether the pictures of the present run are pictures of the job."""
        return self.depth == 1

    def add(self, index: int, path: str, infotext: str) -> None:
        """Note a picture of the present run."""
        if self.is_outermost:
            self.note(self.count if self.numbers_itself else index, path, infotext)
            self.count += 1

    def add_between_runs(self, path: str, infotext: str) -> None:
        """Note a picture that the selected script itself made and saved."""
        if self.numbers_itself and self.depth == 0:
            self.note(self.count, path, infotext)
            self.count += 1


def _one_per_picture(prompt: str | list[str], count: int) -> list[str]:
    if isinstance(prompt, list):
        if not prompt:
            raise errors.RequestError("prompt", "The list of prompts is empty.")
        return list(prompt)
    return [prompt] * count
