"""One run of the engine: the request (init fields) and the working state that grows out of it."""
from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch

from modules import errors
from modules.generation.noise import NoiseSource
from modules.generation.seeds import fixed_seed, seeds_of_pictures
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
        self.is_hr_pass = False
        self.main_prompt = ""
        self.main_negative_prompt = ""
        self.c: tuple[ComposedCond, ...] = ()
        self.uc: tuple[ScheduledCond, ...] = ()
        self.planned_steps: tuple[int, int | None] = (self.steps, None)
        self.rng: NoiseSource | None = None
        self.sampler: Any = None
        self.paste_to: tuple[int, int, int, int] | None = None
        self.color_corrections: list | None = None
        self.finished: dict[int, str] = {}
        self.last_step: Any = None
        self.on_picture: Callable[[int, str, str], None] | None = None
        self.results_folder: Any = None

    def comment(self, text: str) -> None:
        """Say something about this run under its pictures, once."""
        self.comments[text] = None

    def init(self, all_prompts: list[str], all_seeds: list[int], all_subseeds: list[int]) -> None:
        """Prepare what all batches share; called once, after the lists of prompts and seeds stand."""

    def sample(self, conditioning, unconditional_conditioning, seeds, subseeds, subseed_strength, prompts) -> torch.Tensor:
        """The latents [B, 4, h, w] of one batch."""
        raise TypeError("Only a txt2img or img2img processing can sample.")

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

    @property
    def scripts(self) -> Any:
        return self.scripts_value

    @scripts.setter
    def scripts(self, runner: Any) -> None:
        self.scripts_value = runner

    def fill_lists(self) -> None:
        """Draw open seeds and write one prompt and one seed per picture into the `all_*` lists."""
        count = self.batch_size * self.n_iter
        self.all_prompts = _one_per_picture(self.prompt, count)
        self.all_negative_prompts = _one_per_picture(self.negative_prompt, len(self.all_prompts))
        self.seed, self.subseed = fixed_seed(self.seed), fixed_seed(self.subseed)
        self.all_seeds, self.all_subseeds = seeds_of_pictures(self.seed, self.subseed, self.subseed_strength, len(self.all_prompts))

    def take_batch(self, iteration: int) -> list[int]:
        """Make batch number `iteration` the current one; returns the indices of its pictures, without those that exist already."""
        first = iteration * self.batch_size
        indices = [i for i in range(first, min(first + self.batch_size, len(self.all_prompts))) if i not in self.finished]
        self.iteration = iteration
        self.prompts = [self.all_prompts[i] for i in indices]
        self.negative_prompts = [self.all_negative_prompts[i] for i in indices]
        self.seeds = [self.all_seeds[i] for i in indices]
        self.subseeds = [self.all_subseeds[i] for i in indices]
        return indices

    def request(self) -> dict[str, Any]:
        """The init fields as a mapping."""
        return {name: copy.copy(getattr(self, name)) for name in self.__dataclass_fields__ if name not in ("sd_model", "scripts_value")}


def _one_per_picture(prompt: str | list[str], count: int) -> list[str]:
    if isinstance(prompt, list):
        if not prompt:
            raise errors.RequestError("prompt", "The list of prompts is empty.")
        return list(prompt)
    return [prompt] * count
