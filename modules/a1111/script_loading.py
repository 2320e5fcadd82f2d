"""Loading of single files under the names of A1111's `script_loading`."""
import importlib.util
import os


def load_module(path: str):
    """The module of a python file, under its name without folders."""
    spec = importlib.util.spec_from_file_location(os.path.basename(path), path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
