"""The U-Net's way of joining under the name of A1111's `sd_hijack_unet`; extensions replace `th.cat`."""
from modules.nn.unet import th
