"""Attention under the names of `ldm.modules.attention`."""
from ldm.util import default, exists
from modules.nn.attention import GEGLU, BasicTransformerBlock, CrossAttention, FeedForward, SpatialTransformer

MemoryEfficientCrossAttention = CrossAttention
