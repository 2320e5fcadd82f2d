"""The script host. `extensions` lists what is installed, as the last start found it; a name that extensions read."""
from modules.extensions.discovery import Extension
from modules.folders import PROGRAM

extensions: list[Extension] = []
extensions_builtin_dir = str(PROGRAM / "extensions")
extensions_dir = str(PROGRAM / "extensions")


def active() -> list[Extension]:
    """Those that are switched on."""
    return [extension for extension in extensions if extension.enabled]
