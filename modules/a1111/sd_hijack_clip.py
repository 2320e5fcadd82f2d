"""Text encoders under the names of A1111's `sd_hijack_clip`."""
from modules.nn.clip_text import ClipConditioner as FrozenCLIPEmbedderWithCustomWords
from modules.nn.open_clip_text import OpenClipConditioner as FrozenOpenCLIPEmbedderWithCustomWords
from modules.prompt.chunks import Chunk as PromptChunk

FrozenCLIPEmbedderWithCustomWordsBase = FrozenCLIPEmbedderWithCustomWords
FrozenCLIPEmbedderForSDXLWithCustomWords = FrozenCLIPEmbedderWithCustomWords
TextConditionalModel = FrozenCLIPEmbedderWithCustomWords
