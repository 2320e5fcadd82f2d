"""Folders of the program and of its data, under the names of A1111's `paths_internal`."""
import os

from modules import runtime
from modules._live import live
from modules.folders import PROGRAM, Folders

script_path = str(PROGRAM)
modules_path = str(PROGRAM / "modules")
extensions_builtin_dir = str(PROGRAM / "extensions")
cwd = os.getcwd()
sd_configs_path = sd_default_config = str(PROGRAM / "modules")
default_output_dir = "outputs"
roboto_ttf_file = ""
normalized_filepath = lambda filepath: str(os.path.abspath(filepath))


def folders() -> Folders:
    """Those of the running program; before there is one, as an installer sees it, those that the command line names."""
    try:
        return runtime.current().folders
    except RuntimeError:
        from modules import engine, launch_utils

        return engine.folders_of(launch_utils.args)


live(__name__, computed={
    "data_path": lambda: str(folders().data),
    "models_path": lambda: str(folders().models),
    "extensions_dir": lambda: str(folders().extensions),
    "sd_model_file": lambda: str(folders().demo_checkpoint),
})
