"""Names of tensors as some files have them, and the names that our networks use."""
from __future__ import annotations

import re
from collections.abc import Iterable

from modules.nn.latent_diffusion import UNET

AVERAGED = "model_ema.diffusion_model"
# Some files leave out one level of the text encoder's names.
_TEXT_WITHOUT_LEVEL = re.compile(r"^(cond_stage_model|conditioner\.embedders\.0)\.transformer\.(embeddings|encoder|final_layer_norm)\.")
# Averaged weights are kept under names without dots: the words in them, longer ones before their beginnings.
_WORDS = re.compile(
    r"input_blocks|output_blocks|middle_block|time_embed|label_emb|in_layers|out_layers|emb_layers|skip_connection|"
    r"transformer_blocks|attn[12]|to_(?:q|k|v|out)|norm[123]?|proj_in|proj_out|cond_proj|proj|ff|net|op|conv|out|weight|bias|\d+")
_TWO_NUMBERS = ("input_blocks", "output_blocks", "label_emb")


def our_name(name: str) -> str:
    """The name that our networks use for a tensor, averages left as they are."""
    return _TEXT_WITHOUT_LEVEL.sub(r"\1.transformer.text_model.\2.", name)


def our_names(names: Iterable[str]) -> dict[str, str]:
    """Name in the file -> our name. A U-Net that is there only as its running average is taken from there."""
    names = list(names)
    has_unet = any(name.startswith(UNET) for name in names)
    return {name: _ours(name, is_average_alone=not has_unet) for name in names}


def _ours(name: str, *, is_average_alone: bool) -> str:
    if is_average_alone and name.startswith(AVERAGED):
        return UNET + with_dots(name.removeprefix(AVERAGED))
    return our_name(name)


def with_dots(name: str) -> str:
    """The name of a parameter of the U-Net from its form without dots: "input_blocks10in_layers0weight"."""
    words = _WORDS.findall(name)
    if "".join(words) != name:
        return name
    parts: list[str] = []
    for word in words:
        # The second of two numbers, the place within a block, has one digit.
        parts += [word[:-1], word[-1]] if word.isdigit() and len(word) > 1 and parts[-1:] and parts[-1] in _TWO_NUMBERS else [word]
    return ".".join(parts)
