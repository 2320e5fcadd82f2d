"""Attention under the names of `sgm.modules.attention`."""
from ldm.modules.attention import (
    BasicTransformerBlock,
    CrossAttention,
    FeedForward,
    MemoryEfficientCrossAttention,
    SpatialTransformer,
    default,
    exists,
)
