"""Start and end of the script host: extensions found, files loaded, scripts of the tabs made."""
from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

from modules import extensions, script_callbacks, scripts
from modules.atomic_files import write_atomically
from modules.extensions import metadata, old_imports, old_settings, timing, translations
from modules.extensions.discovery import Extension, all_disabled_by, discover, is_from_outside, origin
from modules.extensions.loading import Loaded, load_all, make_importable, script_files
from modules.folders import Folders
from modules.scripts import ScriptRunner
from modules.scripts_postprocessing import ScriptPostprocessingRunner


def start(folders: Folders, settings: Any, args: argparse.Namespace, notice: Callable[[str], None]) -> list[Extension]:
    """Load scripts and extensions, let them register settings and axes, and make the scripts of both tabs.

    The running program must be known already, since scripts ask for it while they are loaded. `notice` is told of each file
    that cannot be loaded; none of them keeps the program from starting.
    """
    script_callbacks.clear_callbacks()
    timing.forget()
    found = discover(folders, settings.disabled_extensions, all_disabled_by(args, settings.disable_all_extensions))
    extensions.extensions[:], extensions.extensions_dir = found, str(folders.extensions)
    for sentence in metadata.missing_requirements(found):
        notice(sentence)
    enabled = [extension.path for extension in found if extension.is_enabled]
    old_settings.register_translation(settings, list(translations.found(folders, args.localizations_dir, found)))
    if any(is_from_outside(path / "scripts") for path in enabled):
        old_imports.allow()
        old_settings.register(settings)
        make_files_that_are_read(folders)
    make_importable(folders.program / "extensions", folders.extensions)
    for loaded in load_all(script_files(folders.program, enabled)):
        if loaded.error is not None:
            notice(sentence_about(loaded))
    script_callbacks.call("ui_settings", note=notice)
    called = len(script_callbacks.callback_map["ui_settings"])
    script_callbacks.call("before_ui", note=notice)
    scripts.scripts_txt2img = scripts.scripts_current = ScriptRunner(notice)
    scripts.scripts_txt2img.initialize_scripts(is_img2img=False)
    scripts.scripts_img2img = ScriptRunner(notice)
    scripts.scripts_img2img.initialize_scripts(is_img2img=True)
    script_callbacks.call("ui_settings", note=notice, since=called)  # of those that scripts registered when they were made
    scripts.scripts_postproc = ScriptPostprocessingRunner(notice=notice)
    scripts.scripts_postproc.initialize_scripts()
    return found


def make_files_that_are_read(folders: Folders) -> None:
    """Extensions read the files of settings while they are loaded."""
    for path in (folders.config_file, folders.ui_config_file):
        if not path.exists():
            write_atomically(path, b"{}")


def sentence_about(loaded: Loaded) -> str:
    """What a person is told of a file that cannot be loaded."""
    error = loaded.error
    missing = f' It needs the Python package "{error.name}".' if isinstance(error, ModuleNotFoundError) and error.name else ""
    return f"{origin(loaded.file.path)} is left out, since it cannot be loaded: {str(error) or type(error).__name__}.{missing}"


def stop() -> None:
    """Tell scripts that they are unloaded, and forget them."""
    script_callbacks.call("script_unloaded")
    script_callbacks.clear_callbacks()
    scripts.scripts_data.clear()
    scripts.postprocessing_scripts_data.clear()
    scripts.scripts_txt2img = scripts.scripts_img2img = scripts.scripts_current = scripts.scripts_postproc = None
