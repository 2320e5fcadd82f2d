"""Scripts and style sheets of extensions in the page's head, and the files that these ask for."""
from __future__ import annotations

import html
import mimetypes
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from fastapi import FastAPI
from fastapi.responses import FileResponse, JSONResponse, Response

from modules.extensions import translations
from modules.folders import PROGRAM

if TYPE_CHECKING:
    from modules.extensions.discovery import Extension
    from modules.runtime import Runtime

# What may be shown of folders that hold more than an extension's own files.
PICTURES = frozenset({".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".avif", ".jxl", ".mp4", ".webm", ".apng"})
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


def add_file_route(app: FastAPI, rt: Runtime) -> None:
    """`/file=<path>`, as scripts of extensions fetch their own files, and pages pictures."""
    def file(path: str) -> Response:
        found = served(rt, path)
        if found is None:
            return JSONResponse({"error": "NotFound", "detail": "There is no such file.", "body": "", "errors": ""}, status_code=404)
        return FileResponse(found, headers={"X-Content-Type-Options": "nosniff"})

    app.add_api_route("/file={path:path}", file, methods=["GET", "HEAD"], include_in_schema=False)


def served(rt: Runtime, path: str) -> Path | None:
    """The file that a path means, absolute or below the program or the data folder; None unless it may be fetched.

    Of extensions that is every file but hidden ones; of the folders of pictures, models and those that the command line allows
    pictures alone.
    """
    text = path.removeprefix("file=")
    for base in (PROGRAM, rt.folders.data):
        candidate = (base / text).resolve()
        if candidate.is_file() and _may_be_fetched(rt, candidate):
            return candidate
    return None


def _may_be_fetched(rt: Runtime, file: Path) -> bool:
    for extension in enabled(rt):
        folder = extension.path.resolve()
        if file.is_relative_to(folder):
            return not any(part.startswith(".") for part in file.relative_to(folder).parts)
    shown = [rt.folders.outputs, rt.folders.results, rt.folders.log, rt.folders.models, rt.folders.embeddings, rt.folders.temporary,
             *map(Path, rt.args.gradio_allowed_path)]
    is_users_sheet = file == (rt.folders.data / "user.css").resolve()
    return is_users_sheet or (file.suffix.lower() in PICTURES and any(file.is_relative_to(folder.resolve()) for folder in shown))
