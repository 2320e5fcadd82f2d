"""Folders of the program and of its data, under the names of A1111's `paths_internal`."""
import os

from modules import runtime
from modules._live import live
from modules.folders import PROGRAM

script_path = str(PROGRAM)
modules_path = str(PROGRAM / "modules")
extensions_builtin_dir = str(PROGRAM / "extensions")
cwd = os.getcwd()
normalized_filepath = lambda filepath: str(os.path.abspath(filepath))

live(__name__, computed={
    "data_path": lambda: str(runtime.current().folders.data),
    "models_path": lambda: str(runtime.current().folders.models),
    "extensions_dir": lambda: str(runtime.current().folders.extensions),
})
