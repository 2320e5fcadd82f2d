"""Attention under the names of `ldm.modules.attention`."""
from ldm.util import default, exists
from modules.network_parts import BasicTransformerBlock, CrossAttention, FeedForward, SpatialTransformer
from modules.nn.attention import GEGLU

MemoryEfficientCrossAttention = CrossAttention
