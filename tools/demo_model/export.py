"""Stage 6: the trained parts as one fp16 file in the layout of Stable Diffusion 1 checkpoints."""
import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from modules.nn.latent_diffusion import SCHEDULE_NAMES
from tools.demo_model.networks import described, new_model

POSITION_IDS = "cond_stage_model.transformer.text_model.embeddings.position_ids"


def export(vae: Path, unet: Path, out: Path, card: dict[str, Any] | None = None) -> int:
    """Write the checkpoint; returns its bytes. `card` (figures reached, training time, recipe) is kept in the file's metadata."""
    trained = torch.load(unet, weights_only=True)
    model = new_model()
    model.first_stage_model.load_state_dict(torch.load(vae, weights_only=True))
    model.model.diffusion_model.load_state_dict(trained["ema_unet"])
    model.cond_stage_model.transformer.load_state_dict(trained["ema_text"])
    state = {key: value.contiguous() if key in SCHEDULE_NAMES else value.half().contiguous() for key, value in model.state_dict().items()}
    state[POSITION_IDS] = torch.arange(77)[None]
    metadata = {
        "format": "pt", "architecture": json.dumps(described()), "modelspec.sai_model_spec": "1.0.0", "modelspec.title": "Demo model",
        "modelspec.architecture": "stable-diffusion-v1", "modelspec.license": "Apache-2.0", "modelspec.resolution": "128x128",
        "modelspec.prediction_type": "epsilon",
        "modelspec.description": "Tiny latent diffusion model trained from nothing on pictures that its own renderer draws",
    }
    if card:
        metadata["easel.model_card"] = json.dumps(card)
    part = out.with_suffix(".part")
    save_file(state, part, metadata=metadata)
    part.replace(out)
    return out.stat().st_size
