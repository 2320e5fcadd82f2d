"""Files of weights that community extensions ask for, in the right layout and with random numbers in it."""
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

from modules.nn.families import SD1
from modules.nn.latent_diffusion import LatentDiffusion
from modules.nn.meta import on_meta

UNET = "model.diffusion_model."
# The layers that read the picture of a ControlNet: (place in the sequence, channels in, channels out), all with 3x3 kernels.
HINT_LAYERS = ((0, 3, 16), (2, 16, 16), (4, 16, 32), (6, 32, 32), (8, 32, 96), (10, 96, 96), (12, 96, 256), (14, 256, 320))


def write_controlnet(path: Path) -> None:
    """A ControlNet for Stable Diffusion 1 (Zhang et al. 2023, arXiv:2302.05543) whose zero convolutions are not zero: 0.7 GB."""
    shapes = _encoder_shapes()
    widths = [shapes[name][0] for name in _last_layers(shapes)]
    for place, width in enumerate(widths):
        shapes |= {f"zero_convs.{place}.0.weight": (width, width, 1, 1), f"zero_convs.{place}.0.bias": (width,)}
    shapes |= {"middle_block_out.0.weight": (1280, 1280, 1, 1), "middle_block_out.0.bias": (1280,)}
    for place, before, after in HINT_LAYERS:
        shapes |= {f"input_hint_block.{place}.weight": (after, before, 3, 3), f"input_hint_block.{place}.bias": (after,)}
    _save(path, {f"control_model.{name}": shape for name, shape in shapes.items()})


def _encoder_shapes() -> dict[str, tuple[int, ...]]:
    with on_meta():
        model = LatentDiffusion(SD1)
    names = {name.removeprefix(UNET): tuple(tensor.shape) for name, tensor in model.state_dict().items() if name.startswith(UNET)}
    return {name: shape for name, shape in names.items() if name.startswith(("time_embed.", "input_blocks.", "middle_block."))}


def _last_layers(shapes: dict[str, tuple[int, ...]]) -> list[str]:
    """For each block of the way down, a bias as long as what leaves the block is wide."""
    first = [("0.bias",), ("0.out_layers.3.bias",), ("0.op.bias",)]
    return [next(name for [end] in first if (name := f"input_blocks.{block}.{end}") in shapes) for block in range(12)]


def write_adapter(path: Path, width: int) -> None:
    """A T2I-Adapter (Mou et al. 2023, arXiv:2302.08453) for a U-Net of `width`, 2, 4 and 4 times `width` channels."""
    widths = [width, 2 * width, 4 * width, 4 * width]
    shapes: dict[str, tuple[int, ...]] = {"conv_in.weight": (width, 192, 3, 3), "conv_in.bias": (width,)}
    for level, after in enumerate(widths):
        for place in (2 * level, 2 * level + 1):
            before = widths[level - 1] if level and place % 2 == 0 else after
            if before != after:
                shapes |= {f"body.{place}.in_conv.weight": (after, before, 1, 1), f"body.{place}.in_conv.bias": (after,)}
            shapes |= {f"body.{place}.block1.weight": (after, after, 3, 3), f"body.{place}.block1.bias": (after,),
                       f"body.{place}.block2.weight": (after, after, 1, 1), f"body.{place}.block2.bias": (after,)}
    _save(path, shapes)


def _save(path: Path, shapes: dict[str, tuple[int, ...]]) -> None:
    generator = torch.Generator().manual_seed(1)
    save_file({name: _random(shape, generator).half() for name, shape in shapes.items()}, path)


def _random(shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    """Normal numbers by which a layer keeps the variance of what it is given; biases are small."""
    inputs = torch.Size(shape[1:]).numel() if len(shape) > 1 else 10000
    return torch.randn(shape, generator=generator) / inputs**0.5
