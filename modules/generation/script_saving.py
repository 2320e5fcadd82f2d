"""Saving a picture that a script made itself."""
from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from PIL.Image import Image

from modules import runtime, script_callbacks
from modules.generation.outputs import PARAMETERS, name_context
from modules.imaging.filenames import NameContext, file_name, files_in, next_number
from modules.imaging.save import SaveOptions, save_picture

MOST_NAME_BYTES = 180


@dataclass(frozen=True, kw_only=True)
class _Name:
    """How the file is to be called: `forced` alone, or `basename`, a number and what the settings' pattern gives."""

    basename: str
    forced: str | None
    is_short: bool

    def of(self, folder: Path, options: SaveOptions, context: NameContext, image: Image) -> str:
        """The forced name of a file in `folder`, "" for the settings' own pattern."""
        if self.forced is not None or not self.basename:
            return self.forced or ""
        parts = [self.basename, f"{get_next_sequence_number(folder, self.basename):04d}"]
        if not self.is_short:
            parts.append(file_name(options.pattern, context, image, MOST_NAME_BYTES))
        return "-".join(filter(None, parts))


def save_image(image: Image, path: str | Path, basename: str, seed: int | None = None, prompt: str | None = None, extension: str = "png",
               info: str | None = None, short_filename: bool = False, no_prompt: bool = False, grid: bool = False,
               pnginfo_section_name: str = PARAMETERS, p: Any = None, existing_info: dict | None = None,
               forced_filename: str | None = None, suffix: str = "", save_to_dirs: bool | None = None) -> tuple[str, str | None]:
    """Write `image` into the folder `path`, named after `basename`, number, seed and prompt; returns the paths of picture and text.

    The text stored with it is `info`, else what `existing_info` holds under `pnginfo_section_name`. Sets `image.already_saved_as`.
    Raises UserError when the folder cannot take the picture.
    """
    opts = runtime.current().settings
    options = SaveOptions.from_settings(opts, grid=grid)
    if save_to_dirs is None:
        save_to_dirs = bool(options.folder_pattern) and not no_prompt
    in_folders = options.folder_pattern or opts.directories_filename_pattern
    options = replace(options, encoding=replace(options.encoding, format=extension), folder_pattern=in_folders if save_to_dirs else "")
    context = _context(p, image, seed, prompt, basename)
    folder = runtime.current().folders.data / (path or opts.outdir_save)
    text = info if info is not None else (existing_info or {}).get(pnginfo_section_name) or ""
    name = _Name(basename=basename, forced=forced_filename, is_short=short_filename or (no_prompt and seed is None))
    wish = script_callbacks.ImageSaveParams(image, p, str(folder / f"{name.of(folder, options, context, image)}.{extension}"),
                                            {**(existing_info or {}), pnginfo_section_name: text})
    script_callbacks.call("before_image_saved", wish)
    text = wish.pnginfo.get(pnginfo_section_name) or ""
    saved = save_picture(wish.image, options, context, text, folder=folder, suffix=suffix, grid=grid,
                         forced_name=name.of(folder, options, context, image))
    script_callbacks.call("image_saved", replace(wish, filename=str(saved.path)))
    image.already_saved_as, image.is_saved = str(saved.path), True
    record = getattr(p, "record", None)
    if record is not None and not grid:
        record.add_between_runs(str(saved.path), text)
    return str(saved.path), str(saved.text_path) if saved.text_path else None


def get_next_sequence_number(path: str | Path, basename: str) -> int:
    """One more than the highest number among the files of a folder whose names begin with `basename`, 0 where there is none."""
    prefix = f"{re.escape(basename)}-" if basename else ""
    return next_number(files_in(Path(path)), re.compile(rf"{prefix}(\d+)(?=[-.])"))


def _context(p: Any, image: Image, seed: int | None, prompt: str | None, basename: str) -> NameContext:
    """What the file name may speak of: what is known of the run, and what the script states."""
    known = name_context(p, 0, image) if getattr(p, "all_prompts", None) and getattr(p, "checkpoint", None) else NameContext()
    stated: dict[str, Any] = {"seed": seed, "prompt": prompt, "basename": basename}
    return replace(known, **{key: value for key, value in stated.items() if value is not None})
