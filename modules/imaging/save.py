"""The one place that writes a finished picture into a folder of the user."""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from PIL import Image

from modules.atomic_files import NAME_LIMIT_BYTES, publish, safe_name, write_atomically, write_problem
from modules.errors import report
from modules.imaging.encode import Encoded, Encoding, encode
from modules.imaging.filenames import GRID_NUMBER, PICTURE_NUMBER, NameContext, file_name, files_in, folder_parts, next_number

# Room in a name for the number, the ending, and a number against collisions.
ROOM_BYTES = 24
OTHER_FOLDER = "choose another folder in Settings, Paths for saving"


@dataclass(frozen=True, kw_only=True)
class BigCopy:
    """When a picture gets a JPG copy of handy size: its file is larger than `file_mb`, or a side is longer than `side_px`."""

    file_mb: float = 4.0
    side_px: int = 4000


@dataclass(frozen=True, kw_only=True)
class SaveOptions:
    """Everything about saving that settings decide. `pattern` makes the file name, `folder_pattern` the sub-folders ("" for none)."""

    encoding: Encoding = field(default_factory=Encoding)
    pattern: str = "[seed]-[prompt_spaces]"
    folder_pattern: str = ""
    add_number: bool = True
    replaces: bool = False
    embeds_infotext: bool = True
    text_beside: bool = False
    big_copy: BigCopy | None = field(default_factory=BigCopy)
    max_prompt_words: int = 8
    grid_pattern: str = ""

    @classmethod
    def from_settings(cls, settings: Any, *, grid: bool = False) -> SaveOptions:
        """The options that `settings` (attributes as in the catalogue) ask for, for pictures or for grids."""
        in_folders = settings.grid_save_to_dirs if grid else settings.save_to_dirs
        pattern = settings.samples_filename_pattern or ("[seed]" if in_folders else "[seed]-[prompt_spaces]")
        limits = BigCopy(file_mb=settings.img_downscale_threshold, side_px=settings.target_side_length)
        return cls(
            encoding=Encoding(
                format=settings.grid_format if grid else settings.samples_format, quality=settings.jpeg_quality,
                webp_lossless=settings.webp_lossless, png_compress_level=settings.png_compress_level),
            pattern=pattern, grid_pattern=pattern if settings.grid_extended_filename else "",
            folder_pattern=settings.directories_filename_pattern if in_folders else "",
            add_number=settings.save_images_add_number, replaces=settings.save_images_replace_action == "Replace",
            embeds_infotext=settings.enable_pnginfo, text_beside=settings.save_txt,
            big_copy=limits if settings.export_for_4chan else None, max_prompt_words=settings.directories_max_prompt_words)


@dataclass(frozen=True, kw_only=True)
class SavedPicture:
    """Where a picture lies now. `text_path`: the infotext beside it. `notes`: what a person must be told."""

    path: Path
    text_path: Path | None = None
    copy_path: Path | None = None
    notes: tuple[str, ...] = ()


def save_picture(
    image: Image.Image,
    options: SaveOptions,
    context: NameContext,
    infotext: str,
    *,
    folder: Path,
    suffix: str = "",
    grid: bool = False,
    forced_name: str = "",
) -> SavedPicture:
    """Write `image` into `folder` (or the sub-folder that the options ask for), whole and synced, under a name that was free.

    `suffix` follows the pattern in the name; `forced_name` replaces number and pattern. An existing file is replaced only when
    the options say so and no number is added. Raises UserError when the folder cannot take the picture; nothing is left then.
    """
    context = replace(context, max_prompt_words=options.max_prompt_words)
    folder = folder.joinpath(*folder_parts(options.folder_pattern, context, image))
    encoded = encode(image, infotext if options.embeds_infotext else "", options.encoding)
    wants_text = bool(infotext) and (options.text_beside or encoded.is_shortened)
    try:
        path = _publish(encoded, folder, _name(image, options, context, suffix, grid, forced_name), options, wants_text)
    except OSError as error:
        raise write_problem("the picture", folder, error, alternative=OTHER_FOLDER) from error
    notes = [encoded.note] if encoded.note else []
    text_path = _beside(path, ".txt", f"{infotext}\n".encode("utf-8", "replace"), notes) if wants_text else None
    copy_path = _big_copy(image, infotext, options, path, len(encoded.content), notes)
    return SavedPicture(path=path, text_path=text_path, copy_path=copy_path, notes=tuple(notes))


def probable_path(image: Image.Image, options: SaveOptions, context: NameContext, *, folder: Path, suffix: str = "",
                  grid: bool = False) -> Path:
    """Where `save_picture` would write this picture now, as long as nobody else takes the number."""
    context = replace(context, max_prompt_words=options.max_prompt_words)
    folder = folder.joinpath(*folder_parts(options.folder_pattern, context, image))
    name = _name(image, options, context, suffix, grid, "")
    numbered = GRID_NUMBER if name.is_grid else PICTURE_NUMBER
    stem = name.with_number(next_number(files_in(folder), numbered)) if name.numbering else name.stem
    return folder / f"{stem}.{options.encoding.format}"


@dataclass(frozen=True)
class _Name:
    """A fixed stem, or one that follows a number."""

    stem: str
    numbering: str = ""  # format of the number, "" for none
    is_grid: bool = False

    def with_number(self, number: int) -> str:
        """The whole stem of picture `number`."""
        numbered = self.numbering.format(number)
        separator = "-" if self.stem and not self.stem.startswith("-") else ""
        return f"{numbered}{separator}{self.stem}"


def _name(image: Image.Image, options: SaveOptions, context: NameContext, suffix: str, grid: bool, forced_name: str) -> _Name:
    suffix = safe_name(suffix, 60) if suffix else ""
    limit = NAME_LIMIT_BYTES - ROOM_BYTES - len(suffix.encode())
    if forced_name:
        return _Name(safe_name(forced_name, limit) + suffix)
    stem = file_name(options.grid_pattern if grid else options.pattern, context, image, limit)
    if grid:
        return _Name(stem + suffix, "grid-{:04d}", is_grid=True)
    return _Name(stem + suffix, "{:05d}" if options.add_number or not stem else "")


def _publish(encoded: Encoded, folder: Path, name: _Name, options: SaveOptions, wants_text: bool) -> Path:
    ending = f".{encoded.extension}"
    taken: Callable[[Path], bool] | None = (lambda path: path.with_suffix(".txt").exists()) if wants_text else None
    if name.numbering:
        numbered = GRID_NUMBER if name.is_grid else PICTURE_NUMBER
        return publish(folder, lambda number: name.with_number(number) + ending, encoded.content, taken=taken,
                       first=lambda: next_number(files_in(folder), numbered))
    if options.replaces:
        write_atomically(folder / (name.stem + ending), encoded.content)
        return folder / (name.stem + ending)
    return publish(folder, name.stem + ending, encoded.content, taken=taken)


def _beside(path: Path, ending: str, content: bytes, notes: list[str]) -> Path | None:
    """A further file with the name of a saved picture. Its failure is a note: the picture is safe."""
    try:
        return publish(path.parent, path.stem + ending, content)
    except OSError as error:
        report(f"Nothing could be written beside {path}", error)
        notes.append(str(write_problem(f"the {ending} file of {path.name}", path.parent, error)))
        return None


def _big_copy(image: Image.Image, infotext: str, options: SaveOptions, path: Path, size_bytes: int, notes: list[str]) -> Path | None:
    limits = options.big_copy
    if limits is None or path.suffix in (".jpg", ".jpeg"):
        return None
    longest = max(image.size)
    if longest <= limits.side_px and size_bytes <= limits.file_mb * 1024 * 1024:
        return None
    if longest > limits.side_px:
        width, height = (max(1, round(side * limits.side_px / longest)) for side in image.size)
        image = image.convert("RGB").resize((width, height), Image.Resampling.LANCZOS)
    encoded = encode(image, infotext if options.embeds_infotext else "", replace(options.encoding, format="jpg"))
    return _beside(path, f".{encoded.extension}", encoded.content, notes)


def remember_parameters(path: Path, infotext: str) -> None:
    """Keep the parameters of the last picture for the arrow button (params.txt). Raises UserError."""
    try:
        write_atomically(path, infotext.encode("utf-8", "replace"))
    except OSError as error:
        raise write_problem("the parameters of the last picture", path, error) from error
