"""The autoencoder's parts under the names of `ldm.modules.diffusionmodules.model`."""
from modules.nn.vae import AttnBlock, Decoder, Downsample, Encoder, ResnetBlock, Upsample, nonlinearity

MemoryEfficientAttnBlock = AttnBlock
