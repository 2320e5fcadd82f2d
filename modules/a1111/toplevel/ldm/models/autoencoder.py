"""The autoencoder under the names of `ldm.models.autoencoder`."""
from modules.nn.vae import AutoencoderKL
