"""Text encoders under the names of `ldm.modules.encoders.modules`."""
from abc import ABC, abstractmethod

from torch import nn

from modules.nn.clip_text import ClipConditioner as FrozenCLIPEmbedder
from modules.nn.open_clip_text import OpenClipConditioner as FrozenOpenCLIPEmbedder


class AbstractEncoder(nn.Module, ABC):
    """An encoder of texts."""

    @abstractmethod
    def encode(self, *args, **kwargs):
        """The encoded texts."""
