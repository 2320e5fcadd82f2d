"""Attention under the names of A1111's `sd_hijack_optimizations`."""
import torch

from modules import runtime
from modules.nn.attention import CrossAttention, attend


def get_available_vram() -> int:
    """Bytes that can still be allocated."""
    return runtime.current().hardware.free_memory()


def sub_quad_attention(q, k, v, q_chunk_size: int = 1024, kv_chunk_size=None, kv_chunk_size_min=None, chunk_threshold=None,
                       use_checkpoint: bool = True):
    """Attention of one head per row: q [B, T, d], k and v [B, S, d]."""
    return attend(q[:, None], k[:, None], v[:, None])[:, 0]


def get_xformers_flash_attention_op(q, k, v):
    """None: the package is not used."""


def split_cross_attention_forward(self, x, context=None, mask=None, **kwargs):
    """The network's own attention."""
    return CrossAttention.forward(self, x, context, mask)


scaled_dot_product_attention_forward = sub_quad_attention_forward = xformers_attention_forward = split_cross_attention_forward


def einsum_op(q, k, v):
    """softmax(q k^T) v of one head per row; q is scaled already."""
    return torch.bmm(torch.softmax(torch.bmm(q, k.transpose(1, 2)), dim=-1).to(v.dtype), v)
