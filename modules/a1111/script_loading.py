"""Loading of single files under the names of A1111's `script_loading`."""
import importlib.util
import os


def load_module(path: str):
    """The module of a python file, under its name without folders."""
    spec = importlib.util.spec_from_file_location(os.path.basename(path), path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def preload_extensions(extensions_dir: str, parser, extension_list=None) -> None:
    """Let preload.py of every extension in a folder add its flags."""
    from pathlib import Path

    from modules.extensions.preloading import FILE, add_flags

    for file in sorted(Path(extensions_dir).glob(f"*/{FILE}")):
        if extension_list is None or file.parent.name in extension_list:
            add_flags(file, parser)
