"""Pieces of networks under the names of `sgm.modules.diffusionmodules.util`."""
from ldm.modules.diffusionmodules.util import *  # noqa: F403
