"""What network a file holds: sizes from keys and shapes, the rest from its metadata, a yaml beside it, or the family's standard."""
from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from torch import Tensor

from modules.checkpoints.problems import WeightsError
from modules.checkpoints.stated import Stated, count, number, one_of, stated
from modules.nn.clip_text import ClipTextConfig
from modules.nn.families import FAMILIES, Architecture, BlockDepths, Family, Parameterization, UNetConfig, VaeConfig
from modules.nn.latent_diffusion import UNET, VAE

Shapes = Mapping[str, tuple[int, ...]]
# The numbers of a tensor by its name.
Numbers = Callable[[str], Tensor]

# Where the text encoders of each family are. The first family whose places all exist is the file's.
TEXTS: dict[Family, tuple[str, ...]] = {
    "sdxl": ("conditioner.embedders.0.transformer.text_model.", "conditioner.embedders.1.model."),
    "refiner": ("conditioner.embedders.0.model.",),
    "sd2": ("cond_stage_model.model.",),
    "sd1": ("cond_stage_model.transformer.text_model.",),
}
NOT_THIS = "Choose a Stable Diffusion 1, 2 or XL checkpoint."
# Tensors without numbers by which trainers tell that a network predicts v, and that its noise schedule ends without signal.
V_MARK, ZERO_SNR_MARK = "v_pred", "ztsnr"
# Networks with these need other samplers' arithmetic: they see noise on the scale of Karras et al. 2022 (arXiv:2206.00364).
EDM_MARKS = ("edm_mean", "edm_vpred.")
# Of the networks published as Stable Diffusion 2, those that predict v have a wide spread here (0.09 lies between the two kinds).
TELLING_BIAS = UNET + "output_blocks.11.1.transformer_blocks.0.norm1.bias"
V_SPREAD = 0.09
SD2_V_SIZE_PX = 768

# A key, or its beginning, that only this kind of file has -> what the file is, and what to do about it.
FOREIGN = (
    *((mark, "a network with a noise schedule of another kind (EDM)", NOT_THIS) for mark in EDM_MARKS),
    ("conditioner.embedders.", "a part of a Stable Diffusion XL checkpoint", "Choose a complete checkpoint."),
    ("cond_stage_model.model.", "a part of a Stable Diffusion 2 checkpoint", "Choose a complete checkpoint."),
    (UNET + "joint_blocks.", "a Stable Diffusion 3 checkpoint", NOT_THIS),
    (UNET + "double_blocks.", "a Flux checkpoint", NOT_THIS),
    ("double_blocks.", "a Flux model", NOT_THIS),
    ("lora_", "a LoRA", "Put it into the folder models/Lora and name it in the prompt."),
    ("control_model.", "a ControlNet", "Choose a Stable Diffusion checkpoint."),
    ("emb_params", "an embedding (textual inversion)", "Put it into the folder embeddings and name it in the prompt."),
    ("string_to_param", "an embedding (textual inversion)", "Put it into the folder embeddings and name it in the prompt."),
    ("down_blocks.", "a U-Net or VAE in the layout of diffusers", "Choose a single-file checkpoint."),
    ("decoder.conv_in.", "a VAE", "Put it into the folder models/VAE and choose it as SD VAE."),
    ("text_model.", "a text encoder alone", "Choose a complete checkpoint."),
)


def detect(path: Path, shapes: Shapes, metadata: Mapping[str, str], numbers: Numbers | None = None) -> Architecture:
    """The architecture of the checkpoint at `path` with these tensors. Raises WeightsError where it is none that is known.

    numbers: reads a tensor of the file; without it Stable Diffusion 2 networks that say nothing of themselves count as eps.
    """
    family = _family(path, shapes)
    try:
        said, row = stated(path, metadata), FAMILIES[family]
        texts = [_text(shapes, said, place, config, name)
                 for place, config, name in zip(TEXTS[family], row.texts, ("text", "second_text"))]
        found = replace(
            row, unet=_unet(shapes, said, row.unet), vae=_vae(shapes, said), text=texts[0], second_text=texts[1] if texts[1:] else None,
            scale_factor=number(said, "scale_factor", row.scale_factor), linear_start=number(said, "linear_start", row.linear_start),
            linear_end=number(said, "linear_end", row.linear_end), timesteps=count(said, "timesteps", row.timesteps),
            is_zero_snr=ZERO_SNR_MARK in shapes)
        prediction: Parameterization = one_of(said, "parameterization", ("eps", "v"), _likely_prediction(found, shapes, numbers))
        native = SD2_V_SIZE_PX if family == "sd2" and prediction == "v" else row.native_size_px
        _refuse_strange_inputs(found)
        return replace(found, parameterization=prediction, native_size_px=count(said, "native_size", native))
    except KeyError as error:
        raise WeightsError(path, f"It is not complete: the tensor {error.args[0]} is missing.", "Choose a complete checkpoint.") from error
    except (ValueError, IndexError) as error:
        raise WeightsError(path, f"Its sizes are not those of a Stable Diffusion network: {error}.", "Choose another file.") from error


def _family(path: Path, shapes: Shapes) -> Family:
    """By where the text encoders are. Refuses files of other kinds by what they look like."""
    has_unet = UNET + "input_blocks.0.0.weight" in shapes
    if has_unet and not any(key.startswith(EDM_MARKS) for key in shapes):
        for family, places in TEXTS.items():
            if all(any(key.startswith(place) for key in shapes) for place in places):
                return family
    for beginning, kind, remedy in FOREIGN:
        if any(key.startswith(beginning) for key in shapes):
            raise WeightsError(path, f"It looks like {kind}.", remedy)
    if has_unet:
        raise WeightsError(path, "Its text encoder is missing.", "Choose a complete checkpoint.")
    some = ", ".join(sorted(shapes)[:3]) or "none"
    raise WeightsError(path, f"It is not a Stable Diffusion checkpoint; its tensors are called {some[:200]}.", "Choose another file.")


def _refuse_strange_inputs(found: Architecture) -> None:
    more = found.unet.in_channels - found.vae.embed_dim
    if more and found.extra == "none":
        raise ValueError(f"its U-Net takes {found.unet.in_channels} channels")
    if bool(found.unet.vector_dim) != bool(found.picture_facts) or (found.picture_facts and (found.fact_dim <= 0 or found.fact_dim % 2)):
        raise ValueError(f"its U-Net takes {found.unet.vector_dim} numbers beside the text")


def _likely_prediction(found: Architecture, shapes: Shapes, numbers: Numbers | None) -> Parameterization:
    """What the U-Net predicts where nothing is said about it: by a mark among the tensors, for SD2 by the spread of one bias, else eps."""
    if V_MARK in shapes:
        return "v"
    if found.family != "sd2" or found.extra != "none" or numbers is None or TELLING_BIAS not in shapes:
        return "eps"
    return "v" if float(numbers(TELLING_BIAS).float().std(unbiased=False)) > V_SPREAD else "eps"


def _unet(shapes: Shapes, said: Stated, row: UNetConfig) -> UNetConfig:
    first = shapes[UNET + "input_blocks.0.0.weight"]
    width = first[0]
    levels = _levels(shapes, width)
    counts = {len(level) for level in levels}
    if len(counts) != 1:
        raise ValueError("levels of its U-Net have different numbers of blocks")
    mults = tuple(level[-1][0] // width for level in levels)
    by_level = _depths_by_level(shapes, levels)
    attention = tuple(number for number, depth in enumerate(by_level) if depth)
    crossed = [key for key in shapes if key.startswith(UNET) and key.endswith("transformer_blocks.0.attn2.to_k.weight")]
    depths = tuple(filter(None, by_level)) or (1,)
    config = UNetConfig(
        in_channels=first[1], out_channels=shapes[UNET + "out.2.weight"][0], model_channels=width, channel_mult=mults,
        num_res_blocks=counts.pop(), attention_levels=attention, block_depths=_uneven_depths(shapes, levels),
        transformer_depth=depths[0] if len(set(depths)) == 1 else depths,
        context_dim=shapes[crossed[0]][1] if crossed else row.context_dim,
        linear_projections=any(len(shape) == 2 for key, shape in shapes.items() if key.startswith(UNET) and key.endswith("proj_in.weight")),
        vector_dim=shapes.get(UNET + "label_emb.0.0.weight", (0, 0))[1],
        guidance_dim=shapes.get(UNET + "time_embed.cond_proj.weight", (0, 0))[1],
        num_heads=count(said, "unet.num_heads", row.num_heads), head_width=_head_width(said, row),
        norm_groups=count(said, "unet.norm_num_groups", 32))
    with_attention = [width * mults[level] for level in attention] + [width * mults[-1]]
    if config.head_width:
        _refuse_uneven("unet.head_width", config.head_width, with_attention)
    else:
        _refuse_uneven("unet.num_heads", config.num_heads, with_attention)
    _refuse_uneven("unet.norm_num_groups", config.norm_groups, [width, *(width * m for m in mults)])
    return config


def _head_width(said: Stated, row: UNetConfig) -> int | None:
    """The stated width of attention heads, the family's where neither width nor number is stated."""
    if "unet.head_width" in said:
        return count(said, "unet.head_width", 64)
    return None if "unet.num_heads" in said else row.head_width


def _levels(shapes: Shapes, width: int) -> list[list[tuple[int, int]]]:
    """For each size of feature map, its blocks on the way down as (channels, depth of the transformer or 0)."""
    levels: list[list[tuple[int, int]]] = [[]]
    for place in range(1, 1000):
        block = f"{UNET}input_blocks.{place}."
        if block + "0.op.weight" in shapes:
            levels.append([])
        elif block + "0.in_layers.2.weight" in shapes:
            levels[-1].append((shapes[block + "0.in_layers.2.weight"][0], _depth(shapes, block + "1.")))
        else:
            break
    if not all(levels) or any(channels % width for level in levels for channels, _ in level):
        raise ValueError("the blocks of its U-Net have an order that is not known")
    return levels


def _depth(shapes: Shapes, transformer: str) -> int:
    """How many blocks a transformer has."""
    return _numbered(shapes, transformer + "transformer_blocks.{}.norm1.weight")


def _depths_by_level(shapes: Shapes, levels: list[list[tuple[int, int]]]) -> list[int]:
    """Blocks of the largest transformer of each level on the way down or up, so that one that the file lacks is missed later."""
    per_level = len(levels[0]) + 1
    found = []
    for above, level in zip(reversed(range(len(levels))), levels):
        first = above * per_level
        up = (_depth(shapes, f"{UNET}output_blocks.{place}.1.") for place in range(first, first + per_level))
        found.append(max(*(depth for _, depth in level), *up))
    return found


def _uneven_depths(shapes: Shapes, levels: list[list[tuple[int, int]]]) -> BlockDepths | None:
    """Blocks of every transformer of a distilled network, which is told by a middle of a single block; None for others."""
    if UNET + "middle_block.2.in_layers.2.weight" in shapes or UNET + "middle_block.1.norm.weight" in shapes:
        return None
    down = tuple(depth for level in levels for _, depth in level)
    up = tuple(_depth(shapes, f"{UNET}output_blocks.{place}.1.") for place in range(len(down) + len(levels)))
    return BlockDepths(down=down, middle=None, up=up)


def _numbered(shapes: Shapes, pattern: str) -> int:
    """How many of the keys exist that the pattern gives for 0, 1, 2, ..."""
    found = 0
    while pattern.format(found) in shapes:
        found += 1
    return found


def _vae(shapes: Shapes, said: Stated, prefix: str = VAE) -> VaeConfig:
    first, quant = shapes[prefix + "encoder.conv_in.weight"], shapes[prefix + "post_quant_conv.weight"]
    ch = first[0]
    levels = _numbered(shapes, prefix + "encoder.down.{}.block.0.conv1.weight")
    mults = tuple(shapes[f"{prefix}encoder.down.{level}.block.0.conv1.weight"][0] // ch for level in range(levels))
    config = VaeConfig(
        image_channels=first[1], ch=ch, ch_mult=mults, num_res_blocks=_numbered(shapes, prefix + "encoder.down.0.block.{}.conv1.weight"),
        z_channels=quant[0], embed_dim=quant[1], norm_groups=count(said, "vae.norm_num_groups", 32))
    _refuse_uneven("vae.norm_num_groups", config.norm_groups, [ch, *(ch * m for m in mults)])
    return config


def _text(shapes: Shapes, said: Stated, place: str, row: ClipTextConfig, name: str) -> ClipTextConfig:
    """One text encoder. `name`: "text" or "second_text", as statements call it."""
    if row.layout == "open_clip":
        tokens, positions, layer = "token_embedding.weight", "positional_embedding", "transformer.resblocks.{}.mlp.c_fc.weight"
    else:
        tokens, positions, layer = (
            "embeddings.token_embedding.weight", "embeddings.position_embedding.weight", "encoder.layers.{}.mlp.fc1.weight")
    vocabulary, width = shapes[place + tokens]
    config = replace(
        row, vocab_size=vocabulary, hidden_size=width, intermediate_size=shapes[place + layer.format(0)][0],
        num_hidden_layers=_numbered(shapes, place + layer), max_position_embeddings=shapes[place + positions][0],
        projection_dim=shapes[place + "text_projection"][1] if row.projection_dim else 0,
        num_attention_heads=count(said, f"{name}.num_attention_heads", max(width // 64, 1)),
        hidden_act=one_of(said, f"{name}.hidden_act", ("quick_gelu", "gelu"), row.hidden_act))
    _refuse_uneven(f"{name}.num_attention_heads", config.num_attention_heads, [config.hidden_size])
    return config


def _refuse_uneven(name: str, parts: int, widths: list[int]) -> None:
    for width in widths:
        if width % parts:
            raise ValueError(f"{name} is {parts}, which does not divide its width {width}")
