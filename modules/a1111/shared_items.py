"""Lists for drop-downs under the names of A1111's `shared_items`."""
from modules import runtime, scripts, sd_hijack, sd_models, sd_samplers, sd_unet, sd_vae, shared
from modules.infotext_utils import fields_of
from modules.upscaler import upscalers


def realesrgan_models_names() -> list[str]:
    """The names of the Real-ESRGAN upscalers."""
    return [upscaler.name for upscaler in upscalers() if "R-ESRGAN" in upscaler.name]


def postprocessing_scripts() -> list:
    """The steps of the Extras tab."""
    runner = scripts.scripts_postproc
    return list(runner.scripts) if runner is not None else []


def sd_vae_items() -> list[str]:
    """What may be chosen as a VAE."""
    return ["Automatic", "None", *sd_vae.vae_dict]


def refresh_vae_list() -> None:
    """Look at the folders of VAEs again."""
    sd_vae.refresh_vae_list()


def cross_attention_optimizations() -> list[str]:
    """What may be chosen as a way to compute attention; the program knows one."""
    return ["Automatic", "None"]


def sd_unet_items() -> list[str]:
    """What may be chosen instead of a checkpoint's U-Net."""
    return ["Automatic", *(option.label for option in sd_unet.unet_options), "None"]


def refresh_unet_list() -> None:
    """Look for replacements of the U-Net again."""
    sd_unet.list_unets()


def list_checkpoint_tiles(use_short: bool = False) -> list[str]:
    """The titles of all checkpoints, or their short names."""
    return sd_models.checkpoint_tiles(use_short)


def refresh_checkpoints() -> None:
    """Look at the folders of checkpoints again."""
    shared.refresh_checkpoints()


def list_samplers() -> list:
    """All samplers."""
    return sd_samplers.all_samplers


def reload_hypernetworks() -> None:
    """Nothing: the folders are looked at each time."""


def get_infotext_names() -> list[str]:
    """The keys that infotexts of this program may have."""
    names = [option.infotext for option in runtime.current().settings.data_labels.values() if option.infotext]
    pasted = [label for tab in ("txt2img", "img2img") for _, label in fields_of(tab) if isinstance(label, str)]
    return list(dict.fromkeys([*names, *pasted]))
