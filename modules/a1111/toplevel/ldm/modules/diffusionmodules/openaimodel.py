"""The U-Net under the names of `ldm.modules.diffusionmodules.openaimodel`."""
from torch import nn

from ldm.modules.attention import SpatialTransformer
from ldm.modules.diffusionmodules.util import avg_pool_nd, checkpoint, conv_nd, linear, normalization, timestep_embedding, zero_module
from ldm.util import exists
from modules.nn.unet import Downsample, ResBlock, TimestepEmbedSequential, UNetModel, Upsample, th


class TimestepBlock(nn.Module):
    """A block that is given the time."""


class AttentionBlock(nn.Module):
    """Attention without text; no network here has it."""
