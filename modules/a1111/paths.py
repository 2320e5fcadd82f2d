"""Folders under the names of A1111's `paths`."""
from modules import paths_internal
from modules._live import live
from modules.paths_internal import (
    cwd,
    extensions_builtin_dir,
    modules_path,
    normalized_filepath,
    roboto_ttf_file,
    script_path,
    sd_configs_path,
    sd_default_config,
)

sd_path = script_path
paths: dict[str, str] = {}

live(__name__, computed={
    "data_path": lambda: paths_internal.data_path,
    "models_path": lambda: paths_internal.models_path,
    "extensions_dir": lambda: paths_internal.extensions_dir,
    "sd_model_file": lambda: paths_internal.sd_model_file,
})
