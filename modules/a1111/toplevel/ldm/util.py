"""Small functions under the names of `ldm.util`."""
import importlib


def exists(value) -> bool:
    """Whether it is not None."""
    return value is not None


def default(value, otherwise):
    """The value, or the other one, which may be a function."""
    if value is not None:
        return value
    return otherwise() if callable(otherwise) else otherwise


def get_obj_from_str(string: str, reload: bool = False):
    """What a dotted name stands for."""
    module, _, name = string.rpartition(".")
    return getattr(importlib.import_module(module), name)


def instantiate_from_config(config):
    """An object from {"target": dotted name, "params": {...}}."""
    return get_obj_from_str(config["target"])(**config.get("params", {}))
