"""The autoencoder's parts under the names of `sgm.modules.diffusionmodules.model`."""
from ldm.modules.diffusionmodules.model import *  # noqa: F403
