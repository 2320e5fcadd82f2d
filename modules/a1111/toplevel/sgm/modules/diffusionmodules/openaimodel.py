"""The U-Net under the names of `sgm.modules.diffusionmodules.openaimodel`."""
from ldm.modules.diffusionmodules.openaimodel import *  # noqa: F403
