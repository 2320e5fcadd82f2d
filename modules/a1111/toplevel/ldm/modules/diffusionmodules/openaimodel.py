"""The U-Net under the names of `ldm.modules.diffusionmodules.openaimodel`."""
from torch import nn

from ldm.modules.attention import SpatialTransformer
from ldm.modules.diffusionmodules.util import avg_pool_nd, checkpoint, conv_nd, linear, normalization, timestep_embedding, zero_module
from ldm.util import exists
from modules.network_parts import Downsample, ResBlock, Upsample
from modules.nn.unet import TimestepEmbedSequential, UNetModel, th


class TimestepBlock(nn.Module):
    """A block that is given the time."""


class AttentionBlock(nn.Module):
    """Attention without text; no network here has it."""
