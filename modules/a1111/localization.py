"""Translations under the names of A1111's `localization`; see modules/extensions/translations.py."""
from modules import runtime
from modules._live import live
from modules.extensions import translations


def list_localizations(dirname: str | None = None) -> None:
    """Look for files again."""


def localization_js(current_localization_name: str) -> str:
    """The script that carries one translation."""
    return translations.script(_found().get(current_localization_name, ()))


def _found():
    rt = runtime.current()
    return translations.found(rt.folders, rt.args.localizations_dir, rt.extensions)


live(__name__, computed={"localizations": lambda: {name: [str(path) for path in files] for name, files in _found().items()}})
