"""Hypernetworks under the names of A1111's `hypernetworks.hypernetwork`; the program applies them by itself."""


def list_hypernetworks(path: str) -> dict[str, str]:
    """Files by name."""
    from modules.modelloader import friendly_name
    from modules.util import walk_files

    return {friendly_name(file): file for file in walk_files(path, [".pt", ".safetensors"])}


def load_hypernetworks(names, multipliers=None) -> None:
    """Nothing: a prompt's <hypernet:...> does it."""


def apply_hypernetworks(hypernetworks, context, layer=None):
    """The context twice, unchanged: for keys and for values."""
    return context, context
