"""What samplers share, under the names of A1111's `sd_samplers_common`."""
import torch

from modules import runtime
from modules.errors import Interrupted as InterruptedException
from modules.generation.decode import as_picture, decoded
from modules.generation.live_sampler import Sampler, SamplerData
from modules.processing import images_tensor_to_samples as images_tensor_to_samples
from modules.sampling.passes import second_pass_steps

approximation_indexes = {"Full": 0, "Approx NN": 1, "Approx cheap": 2, "TAESD": 3}


def setup_img2img_steps(p, steps: int | None = None) -> tuple[int, int]:
    """(steps of the schedule, steps that are run less one) of an img2img pass."""
    exact = runtime.current().settings.img2img_fix_steps
    plan = second_pass_steps(steps or p.steps, p.denoising_strength, exact_steps=exact, given_steps=steps)
    return plan.schedule_steps, plan.encode_steps


def samples_to_images_tensor(sample, approximation=None, model=None):
    """Pixels [B, 3, H, W] in -1..1 of latents."""
    model = model or _model()
    return decoded(model, sample) * 2 - 1


def single_sample_to_image(sample, approximation=None):
    """The picture of a latent [4, h, w]."""
    return as_picture(decoded(_model(), sample[None])[0])


def decode_first_stage(model, x):
    """Pixels [B, 3, H, W] in -1..1 of latents."""
    return samples_to_images_tensor(x, model=model)


def sample_to_image(samples, index: int = 0, approximation=None):
    """The picture of one latent of a batch."""
    return single_sample_to_image(samples[index], approximation)


def samples_to_image_grid(samples, approximation=None):
    """All pictures of a batch on one sheet."""
    from modules import images

    return images.image_grid([single_sample_to_image(sample, approximation) for sample in samples])


def store_latent(decoded_latent) -> None:
    """Let the state of the job have a latent, as the last step leaves it there."""
    runtime.current().state.current_latent = decoded_latent


def is_sampler_using_eta_noise_seed_delta(p) -> bool:
    """Whether the setting ENSD counts for the sampler."""
    return bool(getattr(getattr(p.sampler, "row", None), "uses_ensd", False))


def apply_refiner(cfg_denoiser, sigma=None) -> bool:
    """False: the engine changes to the refiner by itself."""
    return False


def replace_torchsde_browinan() -> None:
    """Nothing: Brownian noise is the engine's own."""


class TorchHijack:
    """A stand-in for torch of which samplers take their noise."""

    def __init__(self, p):
        self.rng = p.rng

    def __getattr__(self, name):
        return getattr(torch, name)

    def randn_like(self, x):
        """The next noise of the run."""
        return self.rng.next()


def _model():
    from modules import shared

    return shared.sd_model
