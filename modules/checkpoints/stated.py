"""What is said about a network beside its tensors: in the file's metadata, or in a yaml beside it."""
from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from modules.checkpoints.problems import DOWNLOAD_AGAIN, WeightsError

MAX_YAML_BYTES = 1 << 20
PREDICTIONS = {"epsilon": "eps", "eps": "eps", "v": "v", "v_prediction": "v"}

Stated = Mapping[str, Any]


def stated(path: Path, metadata: Mapping[str, str]) -> dict[str, Any]:
    """What metadata or yaml say, under flat names ("unet.num_heads"); metadata win. Raises WeightsError for what cannot be read."""
    if "architecture" in metadata:
        try:
            content = json.loads(metadata["architecture"])
        except (ValueError, RecursionError) as error:
            raise WeightsError(path, "The key architecture in its metadata is not JSON.", DOWNLOAD_AGAIN) from error
        return _from_metadata(content) if isinstance(content, dict) else {}
    for suffix in (".yaml", ".yml"):
        if path.with_suffix(suffix).is_file():
            return _from_yaml(read_yaml(path, path.with_suffix(suffix))) | _from_modelspec(metadata)
    return _from_modelspec(metadata)


def _from_metadata(content: dict[str, Any]) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in content.items():
        if isinstance(value, dict):
            flat.update({f"{key}.{inner}": inner_value for inner, inner_value in value.items()})
        else:
            flat[key] = value
    if "prediction" in flat:
        flat["parameterization"] = flat["prediction"]
    return flat


def _from_modelspec(metadata: Mapping[str, str]) -> dict[str, Any]:
    """The two entries of the Stable Diffusion model metadata standard (modelspec 1.0) that shapes cannot tell."""
    found: dict[str, Any] = {}
    prediction = PREDICTIONS.get(metadata.get("modelspec.prediction_type", "").lower())
    if prediction is None and metadata.get("modelspec.architecture", "").startswith("stable-diffusion-v2-768-v"):
        prediction = "v"
    if prediction:
        found["parameterization"] = prediction
    size = re.fullmatch(r"(\d{2,4})x(\d{2,4})", metadata.get("modelspec.resolution", ""))
    if size:
        found["native_size"] = max(int(size[1]), int(size[2]))
    return found


def read_yaml(path: Path, beside: Path) -> dict[str, Any]:
    """The mapping in a model's yaml file. Raises WeightsError naming the yaml."""
    import yaml

    try:
        if beside.stat().st_size > MAX_YAML_BYTES:
            raise WeightsError(path, f"{beside.name} beside it is larger than {MAX_YAML_BYTES >> 20} MB.", "Remove that file.")
        content = yaml.safe_load(beside.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        raise WeightsError(path, f"{beside.name} beside it cannot be read.", "Correct or remove that file.") from error
    return content if isinstance(content, dict) else {}


def _from_yaml(content: dict[str, Any]) -> dict[str, Any]:
    """The settings that shapes cannot tell, from the usual layouts: model.params.<part>.params of SD1 and 2, and that of SDXL."""
    params = _inside(content, "model", "params")
    unet = _inside(params, "unet_config", "params") or _inside(params, "network_config", "params")
    text = _inside(params, "cond_stage_config", "params")
    found = {
        **{name: params.get(name) for name in ("parameterization", "scale_factor", "linear_start", "linear_end", "timesteps")},
        # In these files -1 stands for "given by the other of the two".
        "unet.num_heads": _unless_minus_one(unet.get("num_heads")), "unet.head_width": _unless_minus_one(unet.get("num_head_channels")),
        "unet.norm_num_groups": unet.get("norm_num_groups"),
        "vae.norm_num_groups": _inside(params, "first_stage_config", "params", "ddconfig").get("norm_num_groups"),
        "text.num_attention_heads": text.get("num_attention_heads"), "text.hidden_act": text.get("hidden_act"),
        "native_size": params.get("native_size"),
    }
    scaling = str(_inside(params, "denoiser_config", "params", "scaling_config").get("target", ""))
    if scaling.endswith(".VScaling"):
        found["parameterization"] = "v"
    return {name: value for name, value in found.items() if value is not None}


def _unless_minus_one(value: Any) -> Any:
    return None if value == -1 else value


def _inside(content: Any, *keys: str) -> dict[str, Any]:
    for key in keys:
        content = content.get(key) if isinstance(content, dict) else None
    return content if isinstance(content, dict) else {}


def count(stated: Stated, name: str, default: int) -> int:
    """A whole number from 1 on. Raises ValueError with the name."""
    value = stated.get(name, default)
    if type(value) is not int or not 1 <= value <= 1 << 16:
        raise ValueError(f"{name} is given as {str(value)[:40]}")
    return value


def number(stated: Stated, name: str, default: float) -> float:
    """A number above 0. Raises ValueError with the name."""
    value = stated.get(name, default)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < 1e6:
        raise ValueError(f"{name} is given as {str(value)[:40]}")
    return float(value)


def one_of(stated: Stated, name: str, choices: tuple[str, ...], default: str) -> Any:
    """One of a few words. Raises ValueError with the name."""
    value = stated.get(name, default)
    if value not in choices:
        raise ValueError(f"{name} is given as {str(value)[:40]}")
    return value
