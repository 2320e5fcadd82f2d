"""The same networks built by diffusers, with our weights under its names: the independent second opinion."""
import re

from hidden_torchvision import imported
from torch import Tensor

from modules.nn.families import UNetConfig, VaeConfig


def diffusers():
    """The package."""
    return imported("diffusers", "UNet2DConditionModel", "AutoencoderKL")


def relative_error(ours: Tensor, theirs: Tensor) -> float:
    """Length of the difference over length of the second."""
    return ((ours - theirs).norm() / theirs.norm()).item()


def empty_unet(config: UNetConfig, fact_dim: int | None = None):
    """diffusers' UNet2DConditionModel of these sizes; with `fact_dim` it takes facts about the picture, as SDXL does."""
    levels = range(len(config.channel_mult))
    down = tuple("CrossAttnDownBlock2D" if i in config.attention_levels else "DownBlock2D" for i in levels)
    up = tuple("CrossAttnUpBlock2D" if i in config.attention_levels else "UpBlock2D" for i in reversed(levels))
    widths = tuple(config.model_channels * m for m in config.channel_mult)
    facts = {} if fact_dim is None else {
        "addition_embed_type": "text_time", "addition_time_embed_dim": fact_dim, "projection_class_embeddings_input_dim": config.vector_dim}
    return diffusers().UNet2DConditionModel(
        in_channels=config.in_channels, out_channels=config.out_channels, down_block_types=down, up_block_types=up,
        block_out_channels=widths, layers_per_block=config.num_res_blocks, cross_attention_dim=config.context_dim,
        attention_head_dim=tuple(config.heads_of(width) for width in widths), norm_num_groups=config.norm_groups,
        **_depths(config),
        use_linear_projection=config.linear_projections, time_cond_proj_dim=config.guidance_dim or None, **facts)


def _depths(config: UNetConfig) -> dict:
    """Transformer blocks by level and block; diffusers wants numbers also where there are none."""
    depths, per_level = config.depths, config.num_res_blocks
    by_level = lambda row, size: [[depth or 1 for depth in row[i:i + size]] for i in range(0, len(row), size)]
    if config.block_depths is None:
        levels = [depths.down[i * per_level] or depths.middle for i in range(len(config.channel_mult))]
        return {"transformer_layers_per_block": tuple(levels)}
    return {"transformer_layers_per_block": by_level(depths.down, per_level), "mid_block_type": "UNetMidBlock2D",
            "reverse_transformer_layers_per_block": by_level(depths.up, per_level + 1)}


def peer_unet(config: UNetConfig, state: dict[str, Tensor], fact_dim: int | None = None):
    """diffusers' UNet2DConditionModel with the weights `state` of our UNetModel."""
    peer = empty_unet(config, fact_dim)
    peer.load_state_dict({_unet_name(key, config): value for key, value in state.items()}, strict=True)
    return peer.eval().requires_grad_(False)


def peer_vae(config: VaeConfig, state: dict[str, Tensor]):
    """diffusers' AutoencoderKL with the weights `state` of our AutoencoderKL."""
    levels = len(config.ch_mult)
    peer = diffusers().AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * levels, up_block_types=("UpDecoderBlock2D",) * levels,
        block_out_channels=tuple(config.ch * m for m in config.ch_mult), layers_per_block=config.num_res_blocks,
        latent_channels=config.embed_dim, norm_num_groups=config.norm_groups)
    peer.load_state_dict({_vae_name(k, levels): _vae_value(k, v) for k, v in state.items()}, strict=True)
    return peer.eval().requires_grad_(False)


_RES_PARTS = {
    "in_layers.0": "norm1", "in_layers.2": "conv1", "emb_layers.1": "time_emb_proj", "out_layers.0": "norm2", "out_layers.3": "conv2",
    "skip_connection": "conv_shortcut"}
_ENDS = {
    "label_emb.0.0": "add_embedding.linear_1", "label_emb.0.2": "add_embedding.linear_2",
    "time_embed.cond_proj": "time_embedding.cond_proj",
    "time_embed.0": "time_embedding.linear_1", "time_embed.2": "time_embedding.linear_2", "input_blocks.0.0": "conv_in",
    "out.0": "conv_norm_out", "out.2": "conv_out"}


def _unet_name(key: str, config: UNetConfig) -> str:
    for ours, theirs in _ENDS.items():
        if key.startswith(ours + "."):
            return theirs + key[len(ours):]
    for ours, theirs in _RES_PARTS.items():
        key = key.replace(f".{ours}.", f".{theirs}.")
    if match := re.fullmatch(r"middle_block\.(\d)\.(.*)", key):
        place = {"0": "resnets.0", "1": "attentions.0", "2": "resnets.1"}[match[1]]
        return f"mid_block.{place}.{match[2]}"
    side, block, layer, rest = re.fullmatch(r"(input|output)_blocks\.(\d+)\.(\d+)\.(.*)", key).groups()
    if side == "input":
        level, i = divmod(int(block) - 1, config.num_res_blocks + 1)
        if rest.startswith("op."):
            return f"down_blocks.{level}.downsamplers.0.conv.{rest[3:]}"
        return f"down_blocks.{level}.{'resnets' if layer == '0' else 'attentions'}.{i}.{rest}"
    level, i = divmod(int(block), config.num_res_blocks + 1)
    if rest.startswith("conv."):
        return f"up_blocks.{level}.upsamplers.0.{rest}"
    return f"up_blocks.{level}.{'resnets' if layer == '0' else 'attentions'}.{i}.{rest}"


def _vae_name(key: str, levels: int) -> str:
    key = key.replace("nin_shortcut", "conv_shortcut").replace("norm_out", "conv_norm_out")
    key = re.sub(r"down\.(\d+)\.block", r"down_blocks.\1.resnets", key)
    key = re.sub(r"down\.(\d+)\.downsample", r"down_blocks.\1.downsamplers.0", key)
    key = re.sub(r"up\.(\d+)\.block", lambda m: f"up_blocks.{levels - 1 - int(m[1])}.resnets", key)
    key = re.sub(r"up\.(\d+)\.upsample", lambda m: f"up_blocks.{levels - 1 - int(m[1])}.upsamplers.0", key)
    key = key.replace("mid.block_1", "mid_block.resnets.0").replace("mid.block_2", "mid_block.resnets.1")
    if "mid.attn_1" in key:
        for ours, theirs in {"norm": "group_norm", "q": "to_q", "k": "to_k", "v": "to_v", "proj_out": "to_out.0"}.items():
            key = key.replace(f"mid.attn_1.{ours}.", f"mid_block.attentions.0.{theirs}.")
    return key


def _vae_value(key: str, value: Tensor) -> Tensor:
    """Our attention projections are 1x1 convolutions, as in the files; diffusers has linear layers."""
    return value[:, :, 0, 0] if "attn_1" in key and value.ndim == 4 else value
