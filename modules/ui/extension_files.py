"""Scripts and style sheets of extensions in the page's head, and the files that these ask for."""
from __future__ import annotations

import html
import mimetypes
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from fastapi.responses import FileResponse, Response

from modules.extensions import translations
from modules.folders import PROGRAM

if TYPE_CHECKING:
    from modules.extensions.discovery import Extension
    from modules.runtime import Runtime

LEFT = frozenset({".txt", ".json", ".csv"})

mimetypes.add_type("text/javascript", ".js")
mimetypes.add_type("text/javascript", ".mjs")


def enabled(rt: Runtime) -> list[Extension]:
    """The extensions that are switched on, in the order in which they were loaded."""
    return [extension for extension in rt.extensions if extension.is_enabled]


def scripts(extensions: Iterable[Extension], ending: str) -> list[Path]:
    """The browser scripts with this ending, extension by extension, each by name."""
    return [path for extension in extensions for path in extension.list_files("javascript", ending)]


def has_scripts(rt: Runtime) -> bool:
    """Whether any extension brings browser scripts, which expect the whole page to be there."""
    return bool(scripts(enabled(rt), ".js") or scripts(enabled(rt), ".mjs"))


def address(path: Path) -> str:
    """Where the page fetches a file: below the program relative to it, with its time so that a new version is fetched at once."""
    place = path.relative_to(PROGRAM) if path.is_relative_to(PROGRAM) else path
    return f"file={place.as_posix()}?{path.stat().st_mtime}"


def head_html(rt: Runtime) -> str:
    """Tags that follow those of the program: style sheets, the translation, classic scripts, modules, the user's own style sheet."""
    extensions = enabled(rt)
    sheets = [extension.path / "style.css" for extension in extensions]
    own = rt.folders.data / "user.css"
    links = [f'<link rel="stylesheet" property="stylesheet" href="{html.escape(address(path))}">'
             for path in [*sheets, own] if path.is_file()]
    classic = [f'<script type="text/javascript" src="{html.escape(address(path))}"></script>' for path in scripts(extensions, ".js")]
    modules = [f'<script type="module" src="{html.escape(address(path))}"></script>' for path in scripts(extensions, ".mjs")]
    return "\n".join([*links, *_sheets_of_blocks(), f"<script>{translation(rt)}</script>", *classic, *modules])


def _sheets_of_blocks() -> list[str]:
    """Style sheets that extensions gave to gr.Blocks."""
    from modules.ui.gradio3.construction import style_sheets

    return [f"<style>{text.replace('</', '<' + chr(92) + '/')}</style>" for text in style_sheets]


def translation(rt: Runtime) -> str:
    """The script that carries the chosen translation; an empty one for none."""
    files = translations.found(rt.folders, rt.args.localizations_dir, rt.extensions)
    return translations.script(files.get(str(rt.settings.data.get("localization") or ""), ()))


def served(rt: Runtime, path: str) -> Path | None:
    """The file of an extension that a path means, absolute or below the program or the data folder; None for all others.

    Hidden files are not served. A style sheet of the user's own counts too, and texts that extensions leave in the folder tmp for their
    scripts.
    """
    for base in (PROGRAM, rt.folders.data):
        try:
            file = (base / path.partition("?")[0]).resolve()
        except (OSError, ValueError):  # a name with NUL, too long, or a loop of links
            return None
        is_left = file.parent == base / "tmp" and file.suffix in LEFT
        if file == (rt.folders.data / "user.css").resolve() or is_left or any(_is_of(extension, file) for extension in enabled(rt)):
            return file if file.is_file() else None
    return None


def _is_of(extension: Extension, file: Path) -> bool:
    folder = extension.path.resolve()
    return file.is_relative_to(folder) and not any(part.startswith(".") for part in file.relative_to(folder).parts)


def answer(file: Path) -> Response:
    """A file of an extension as what its ending says: scripts are run and pages shown, as the extension itself could."""
    return FileResponse(file, headers={"X-Content-Type-Options": "nosniff", "Cache-Control": "no-cache"})
