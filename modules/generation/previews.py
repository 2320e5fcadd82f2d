"""Live previews of a run: which decoder they use, and how often they are made."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor

from modules import runtime
from modules.jobs.preview import Previewer, PreviewOptions, linear_decoder
from modules.nn.preview_factors import latent_rgb_factors


def start_previews(model: Any) -> None:
    """Have the steps that follow shown as the settings say, decoded for `model`."""
    rt = runtime.current()
    opts = rt.settings
    if not opts.live_previews_enable or opts.show_progress_every_n_steps < 1:
        rt.state.previewer = None
        return
    options = PreviewOptions(every_n_steps=opts.show_progress_every_n_steps, format=opts.live_previews_image_format,
                             whole_batch=opts.show_progress_grid)
    rt.state.previewer = Previewer(decoder(model, opts.show_progress_type), options)


def decoder(model: Any, method: str) -> Callable[[Tensor], Tensor]:
    """Latents [B, 4, h, w] to pixels [B, 3, H, W] in -1..1: the whole VAE for "Full", else the cheapest."""
    return model.decode_first_stage if method == "Full" else linear_decoder(*latent_rgb_factors(model))
