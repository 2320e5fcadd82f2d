"""LatentDiffusion: U-Net, autoencoder and text encoder under the checkpoint's prefixes."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from modules.nn.conditioners import GeneralConditioner, TextConditioner, text_encoder
from modules.nn.families import Architecture, Extra
from modules.nn.unet import UNetModel
from modules.nn.vae import AutoencoderKL, Posterior
from modules.prompt.conditioning import Conditioning, conditioning_from

T = TypeVar("T")

# How extensions tell the kinds of models apart.
CONDITIONING_KEYS: dict[Extra, str] = {"none": "crossattn", "inpainting": "hybrid", "depth": "hybrid", "instruct": "hybrid"}
# Where the U-Net and the VAE stand among the names of a checkpoint.
UNET, VAE = "model.diffusion_model.", "first_stage_model."
SCHEDULE_NAMES = (
    "betas", "alphas_cumprod", "alphas_cumprod_prev", "sqrt_alphas_cumprod", "sqrt_one_minus_alphas_cumprod",
    "log_one_minus_alphas_cumprod", "sqrt_recip_alphas_cumprod", "sqrt_recipm1_alphas_cumprod", "posterior_variance",
    "posterior_log_variance_clipped", "posterior_mean_coef1", "posterior_mean_coef2")


def noise_schedule(linear_start: float, linear_end: float, timesteps: int) -> dict[str, Tensor]:
    """The tables of a diffusion over `timesteps` steps, float32 [timesteps] each, under the names that checkpoints use.

    Betas are evenly spaced in their square roots; the rest follows Ho et al. 2020 (arXiv:2006.11239), eq. 4 to 7.
    """
    betas = np.linspace(linear_start**0.5, linear_end**0.5, timesteps, dtype=np.float64) ** 2
    alphas = 1.0 - betas
    alphas_cumprod = np.cumprod(alphas)
    before: np.ndarray = np.append(1.0, alphas_cumprod[:-1])
    posterior_variance = betas * (1.0 - before) / (1.0 - alphas_cumprod)
    tables = {
        "betas": betas,
        "alphas_cumprod": alphas_cumprod,
        "alphas_cumprod_prev": before,
        "sqrt_alphas_cumprod": np.sqrt(alphas_cumprod),
        "sqrt_one_minus_alphas_cumprod": np.sqrt(1.0 - alphas_cumprod),
        "log_one_minus_alphas_cumprod": np.log(1.0 - alphas_cumprod),
        "sqrt_recip_alphas_cumprod": np.sqrt(1.0 / alphas_cumprod),
        "sqrt_recipm1_alphas_cumprod": np.sqrt(1.0 / alphas_cumprod - 1.0),
        "posterior_variance": posterior_variance,
        "posterior_log_variance_clipped": np.log(np.maximum(posterior_variance, 1e-20)),
        "posterior_mean_coef1": betas * np.sqrt(before) / (1.0 - alphas_cumprod),
        "posterior_mean_coef2": (1.0 - before) * np.sqrt(alphas) / (1.0 - alphas_cumprod),
    }
    return {name: torch.from_numpy(table.astype(np.float32)) for name, table in tables.items()}


class DiffusionWrapper(nn.Module):
    """The level of the tree that checkpoints call `model`."""

    def __init__(self, unet: UNetModel, conditioning_key: str):
        super().__init__()
        self.diffusion_model = unet
        self.conditioning_key = conditioning_key

    def forward(self, x: Tensor, t: Tensor, cond: Conditioning) -> Tensor:
        if cond.concat is not None:
            x = torch.cat([x, cond.concat.to(x)], dim=1)
        return self.diffusion_model(x, t, context=cond.crossattn, y=cond.vector)


class Execution:
    """How the networks of a model are run: this one just runs them. Another may move weights first, or try again after a fault.

    looks_for_nan: whether broken numbers are to be found and told.
    """

    looks_for_nan = True

    def predict(self, model: LatentDiffusion, x: Tensor, t: Tensor, cond: Conditioning) -> Tensor:
        """The U-Net's answer."""
        return model.model(x, t, cond)

    def encode(self, model: LatentDiffusion, pixels: Tensor) -> Posterior:
        """The VAE's answer for pixels [B, 3, H, W] in -1..1."""
        return model.first_stage_model.encode(pixels)

    def decode(self, model: LatentDiffusion, latent: Tensor) -> Tensor:
        """The VAE's answer for latents [B, 4, h, w] that are not scaled."""
        return model.first_stage_model.decode(latent)

    def read(self, model: LatentDiffusion, encode: Callable[[], T]) -> T:
        """What `encode`, which asks the text encoder, gives."""
        return encode()


class LatentDiffusion(nn.Module):
    """A whole model. Build it with `torch.device("meta")` as the default device and load with assign=True to allocate nothing twice.

    `cond_stage_model` reads texts. SDXL's files call it `conditioner`; the same object has both names then.
    """

    cond_stage_model: TextConditioner
    # Extensions ask for them.
    is_sd3 = False
    lowvram = False

    def __init__(self, architecture: Architecture):
        super().__init__()
        self.architecture = architecture
        self.parameterization = architecture.parameterization
        self.scale_factor = architecture.scale_factor
        self.is_zero_snr = architecture.is_zero_snr
        self.num_timesteps = architecture.timesteps
        self.native_size_px = architecture.native_size_px
        self.cond_stage_key = "edit" if architecture.extra == "instruct" else "txt"
        self.checkpoint: Any = None
        self.execution = Execution()
        self.runs_on: torch.device | None = None  # where it is not where the weights wait
        tables = noise_schedule(architecture.linear_start, architecture.linear_end, architecture.timesteps)
        for name, table in tables.items():
            self.register_buffer(name, table)
        self.model = DiffusionWrapper(UNetModel(architecture.unet), CONDITIONING_KEYS[architecture.extra])
        self.first_stage_model = AutoencoderKL(architecture.vae)
        if self.is_sdxl:
            self.conditioner = GeneralConditioner(architecture.texts)
            # Not registered a second time: parameters have the names of the file alone.
            self.__dict__["cond_stage_model"] = self.conditioner
        else:
            self.cond_stage_model = text_encoder(architecture.text)

    @property
    def is_sd1(self) -> bool:
        return self.architecture.family == "sd1"

    @property
    def is_sd2(self) -> bool:
        return self.architecture.family == "sd2"

    @property
    def is_sdxl(self) -> bool:
        """Whether it is SDXL or its refiner."""
        return self.architecture.family in ("sdxl", "refiner")

    @property
    def is_ssd(self) -> bool:
        """Whether it is SDXL distilled to a network with a single residual block in the middle, as Segmind's are."""
        return self.is_sdxl and self.architecture.unet.depths.middle is None

    @property
    def embeds_guidance(self) -> bool:
        """Whether the U-Net is told the guidance scale instead of being asked with and without the text."""
        return self.architecture.unet.guidance_dim > 0

    @property
    def is_sdxl_inpaint(self) -> bool:
        return self.is_sdxl and self.architecture.is_inpainting

    @property
    def sd_checkpoint_info(self) -> Any:
        """The checkpoint, as extensions call it."""
        return self.checkpoint

    @property
    def sd_model_hash(self) -> str:
        """The beginning of the checkpoint's hash; "" while it is not known."""
        return self.checkpoint.short_hash if self.checkpoint is not None else ""

    @property
    def sd_model_checkpoint(self) -> str:
        """The path of the checkpoint."""
        return str(self.checkpoint.path) if self.checkpoint is not None else ""

    @property
    def network_layer_mapping(self) -> dict[str, nn.Module]:
        """Every layer by its name in network files, which extensions also read off the layer itself as `network_layer_name`."""
        found = {name.replace(".", "_"): module for name, module in self.model.named_modules()}
        for number, encoder in enumerate(getattr(self.cond_stage_model, "embedders", [self.cond_stage_model])):
            prefix = f"{number}_" if self.is_sdxl else ""
            if hasattr(encoder, "wrapped"):
                found |= {prefix + name.replace(".", "_"): module for name, module in encoder.wrapped.named_modules()}
        for name, module in found.items():
            module.network_layer_name = name  # type: ignore[assignment]
        return found

    def get_learned_conditioning(self, texts: list[str]) -> Tensor:
        """Texts without schedule as vectors [B, 77 n, C]; the name that extensions call."""
        from modules.prompt.encode import encode

        return torch.cat([cond.crossattn for cond in encode(self.cond_stage_model, list(texts))])

    @property
    def device(self) -> torch.device:
        """Where the U-Net works."""
        return self.runs_on or self.model.diffusion_model.out[2].weight.device

    @property
    def dtype(self) -> torch.dtype:
        """The dtype of the U-Net's weights."""
        return self.model.diffusion_model.dtype

    def apply_model(self, x: Tensor, t: Tensor, cond: Conditioning) -> Tensor:
        """The U-Net's prediction for noisy latents x [B, 4, h, w] at timesteps t [B]; the result has x's dtype.

        Runs without autograd's bookkeeping unless gradients are enabled. Extensions may give `cond` as a mapping.
        """
        cond = conditioning_from(cond)
        if torch.is_grad_enabled():
            return self.execution.predict(self, x, t, cond).to(x.dtype)
        with torch.inference_mode():
            predicted = self.execution.predict(self, x, t, cond).to(x.dtype)
        # A tensor made in inference mode may not be changed in place outside of it; callers do that with latents.
        return predicted.clone()

    def encode_first_stage(self, pixels: Tensor) -> Posterior:
        """pixels [B, 3, H, W] in -1..1 -> distribution over scaled latents, the ones that the U-Net works on; float32."""
        posterior = self.execution.encode(self, pixels)
        return Posterior(mean=posterior.mean.float(), logvar=posterior.logvar.float()).scaled(self.scale_factor)

    def get_first_stage_encoding(self, posterior: Posterior) -> Tensor:
        """A latent drawn from what encode_first_stage gave; the name that extensions call."""
        return posterior.sample()

    def decode_first_stage(self, latent: Tensor) -> Tensor:
        """Scaled latents [B, 4, h, w] -> pixels [B, 3, 8 h, 8 w], nominally in -1..1."""
        return self.execution.decode(self, latent / self.scale_factor)

    def q_sample(self, x: Tensor, t: Tensor, noise: Tensor | None = None) -> Tensor:
        """x with the noise of timestep t [B] (int64) added. Ho et al. 2020, eq. 4."""
        noise = torch.randn_like(x) if noise is None else noise
        return self.sqrt_alphas_cumprod[t][:, None, None, None] * x + self.sqrt_one_minus_alphas_cumprod[t][:, None, None, None] * noise
