"""The command line in the form that extensions read: folders as single paths, files as texts."""
import argparse

from modules import runtime

_known: list = []


def current() -> argparse.Namespace:
    """The values of the running program, the same object for its whole life; what extensions write to it stays in it."""
    rt = runtime.current()
    if not _known or _known[0] is not rt.args:
        _known[:] = [rt.args, _as_extensions_read(rt)]
    return _known[1]


def _as_extensions_read(rt) -> argparse.Namespace:
    first = lambda paths, otherwise=None: str(paths[0]) if paths else otherwise
    folders, args = rt.folders, rt.args
    return argparse.Namespace(**{
        **vars(args),
        "data_dir": str(folders.data), "models_dir": str(folders.models),
        "ckpt_dir": first(args.ckpt_dir), "vae_dir": first(args.vae_dir), "lora_dir": first(args.lora_dir, str(folders.lora)),
        "embeddings_dir": first(args.embeddings_dir, str(folders.embeddings)),
        "hypernetwork_dir": first(args.hypernetwork_dir, str(folders.hypernetworks)),
        "ui_config_file": str(folders.ui_config_file), "ui_settings_file": str(folders.config_file),
        "localizations_dir": str(args.localizations_dir or folders.data / "localizations"),
        "styles_file": [str(folders.styles_file)], "config": "", "ngrok": None, "ngrok_region": "", "nowebui": bool(args.nowebui),
        "textual_inversion_templates_dir": str(folders.data / "textual_inversion_templates"), 
        "lyco_dir": first(args.lora_dir, str(folders.lora)),
        "no_download_sd_model": True, "disable_extension_access": bool(args.listen and not args.enable_insecure_extension_access),
        "codeformer_models_path": str(folders.models / "Codeformer"), "gfpgan_models_path": str(folders.models / "GFPGAN"),
    })
