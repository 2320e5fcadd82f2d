"""Styles: named texts that are put around or behind the prompts, kept in CSV files."""
from __future__ import annotations

import csv
import glob
import hashlib
import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from modules.atomic_files import write_atomically, write_problem
from modules.errors import NotFound, UserError

PLACE = "{prompt}"
COLUMNS = ["name", "prompt", "negative_prompt"]
# How older files call the column of the prompt.
OLD_PROMPT_COLUMN = "text"
LONGEST_FIELD = 2**27
PREVIEW_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")


@dataclass(frozen=True, kw_only=True)
class Style:
    """Texts for both prompts under a name; `{prompt}` in a text stands for the user's own. `path` is the file it stands in."""

    name: str
    prompt: str = ""
    negative_prompt: str = ""
    path: Path | None = None


def merged(style_text: str, prompt: str) -> str:
    """A prompt with the text of a style around it, or behind it after a comma."""
    if PLACE in style_text:
        return style_text.replace(PLACE, prompt)
    return ", ".join(part for part in (prompt.strip(), style_text.strip()) if part)


def separated(style_text: str, prompt: str) -> str | None:
    """The prompt that `merged` was given, or None where the text of the style is not found in the result."""
    found, text = prompt.strip(), style_text.strip()
    if PLACE in text:
        before, _, after = text.partition(PLACE)
        fits = len(found) >= len(before) + len(after) and found.startswith(before) and found.endswith(after)
        return found[len(before):len(found) - len(after)] if fits else None
    if not text:
        return prompt
    return found[:-len(text)].removesuffix(", ") if found.endswith(text) else None


def without_style(style: Style, prompt: str, negative_prompt: str) -> tuple[str, str] | None:
    """Both prompts as they were before the style was applied, or None where it was not. A style without any text never fits."""
    if not style.prompt and not style.negative_prompt:
        return None
    positive, negative = separated(style.prompt, prompt), separated(style.negative_prompt, negative_prompt)
    return None if positive is None or negative is None else (positive, negative)


class StyleTable:
    """The styles of one or more CSV files; patterns like `styles/*.csv` stand for every file that they fit.

    New styles go into the first file. `notes` says which files could not be read, and why.
    """

    def __init__(self, files: Sequence[Path | str]):
        self.patterns = [str(file) for file in files]
        self.styles: dict[str, Style] = {}
        self.notes: list[str] = []
        self.reload()

    def reload(self) -> None:
        """Read the files again. Of two styles with one name the first counts."""
        self.styles, self.notes = {}, []
        for path in self._paths():
            try:
                sheet = _Sheet.read(path)
            except UserError as exc:
                self.notes.append(str(exc))
                continue
            for style in sheet.styles():
                self.styles.setdefault(style.name, style)

    def names(self) -> list[str]:
        """All names in the order of the files."""
        return list(self.styles)

    def groups(self) -> dict[str, list[str]]:
        """Names by the stem of their file, for lists of more than one file."""
        groups: dict[str, list[str]] = {}
        for style in self.styles.values():
            groups.setdefault(style.path.stem if style.path else "", []).append(style.name)
        return groups

    def find(self, name: str) -> Style | None:
        """The style of this name."""
        return self.styles.get(name)

    def apply_to_prompt(self, prompt: str, names: Iterable[str]) -> str:
        """The prompt with the styles applied in order; unknown names have no effect."""
        for style in self._known(names):
            prompt = merged(style.prompt, prompt)
        return prompt

    def apply_to_negative_prompt(self, negative_prompt: str, names: Iterable[str]) -> str:
        """The same for the negative prompt."""
        for style in self._known(names):
            negative_prompt = merged(style.negative_prompt, negative_prompt)
        return negative_prompt

    def apply(self, prompt: str, negative_prompt: str, names: Iterable[str]) -> tuple[str, str]:
        """Both prompts with the styles applied."""
        names = list(names)
        return self.apply_to_prompt(prompt, names), self.apply_to_negative_prompt(negative_prompt, names)

    def recognise(self, prompt: str, negative_prompt: str) -> tuple[list[str], str, str]:
        """Names of the styles found in the prompts, in the order in which to apply them, and the prompts without them."""
        names: list[str] = []
        left = list(self.styles.values())
        while found := next(((s, texts) for s in left if (texts := without_style(s, prompt, negative_prompt))), None):
            style, (prompt, negative_prompt) = found
            left.remove(style)
            names.insert(0, style.name)
        return names, prompt, negative_prompt

    def files(self) -> list[Path]:
        """The files, those of patterns as they are now; new styles go into the first unless another is named."""
        return self._paths()

    def preview(self, name: str) -> Path | None:
        """The picture that shows what the style does. It lies in a folder beside the style's file: `styles-previews/name.png`."""
        style = self.styles.get(name)
        if style is None or style.path is None:
            return None
        stem = _preview_stem(style.path, name)
        return next((path for path in (stem.with_name(stem.name + suffix) for suffix in PREVIEW_SUFFIXES) if path.is_file()), None)

    def set_preview(self, name: str, picture: bytes | None) -> None:
        """Keep the bytes of a PNG file as the style's picture; None removes the one that is there. Raises NotFound, UserError."""
        style = self.styles.get(name)
        if style is None or style.path is None:
            raise NotFound(f'There is no style named "{name}".')
        stem = _preview_stem(style.path, name)
        wanted = stem.with_name(stem.name + PREVIEW_SUFFIXES[0])
        try:
            if picture is not None:
                wanted.parent.mkdir(parents=True, exist_ok=True)
                write_atomically(wanted, picture)
            for suffix in PREVIEW_SUFFIXES[0 if picture is None else 1:]:
                stem.with_name(stem.name + suffix).unlink(missing_ok=True)
        except OSError as error:
            raise write_problem("the picture", wanted, error) from error

    def save(self, name: str, prompt: str, negative_prompt: str, file: Path | None = None) -> None:
        """Add or change a style in its file; a new one goes into `file`, which must be one of `files`.

        Raises UserError for an impossible name or a file that cannot be written.
        """
        name = _possible(name)
        path = file if file in self._paths() and name not in self.styles else self._path_of(name)
        sheet = _Sheet.read(path)
        sheet.put(name, prompt, negative_prompt)
        self._write(path, sheet)

    def save_all(self, styles: Iterable[Style]) -> None:
        """Add or change several styles, writing each file once. Raises UserError as `save`."""
        changed: dict[Path, _Sheet] = {}
        for style in styles:
            path = self._path_of(style.name)
            sheet = changed.get(path) or changed.setdefault(path, _Sheet.read(path))
            sheet.put(style.name, style.prompt, style.negative_prompt)
        for path, sheet in changed.items():
            self._write(path, sheet)

    def rename(self, name: str, new_name: str) -> None:
        """Give a style another name; its place in the file, further columns and picture stay. Raises NotFound, UserError."""
        new_name, style, picture = _possible(new_name), self.styles.get(name), self.preview(name)
        if style is None:
            raise NotFound(f'There is no style named "{name}".')
        if new_name == name:
            return
        if new_name in self.styles:
            raise UserError(f'There is a style named "{new_name}" already.', remedy="Choose another name.")
        path = self._path_of(name)
        sheet = _Sheet.read(path)
        sheet.rename(name, new_name)
        self._write(path, sheet)
        if picture is not None:
            stem = _preview_stem(path, new_name)
            try:
                picture.replace(stem.with_name(stem.name + picture.suffix))
            except OSError as error:
                raise write_problem(f'the picture of "{new_name}"', picture, error) from error

    def delete(self, name: str) -> None:
        """Remove a style from its file. Raises NotFound, or UserError when the file cannot be written."""
        if name not in self.styles:
            raise NotFound(f'There is no style named "{name}".')
        path = self._path_of(name)
        sheet = _Sheet.read(path)
        sheet.remove(name)
        self._write(path, sheet)

    def _known(self, names: Iterable[str]) -> list[Style]:
        return [self.styles[name] for name in names if name in self.styles]

    def _paths(self) -> list[Path]:
        found = [path for pattern in self.patterns for path in (sorted(glob.glob(pattern)) if glob.has_magic(pattern) else [pattern])]
        return [Path(path) for path in dict.fromkeys(found)]

    def _path_of(self, name: str) -> Path:
        style = self.styles.get(name)
        if style and style.path:
            return style.path
        paths = self._paths()
        if not paths:
            raise UserError("The style cannot be saved.", "No styles file is named.", "Start the program with --styles-file.")
        return paths[0]

    def _write(self, path: Path, sheet: _Sheet) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(path, sheet.content(), previous=path.with_name(path.name + ".bak"))
        except OSError as error:
            raise write_problem("the styles", path, error) from error
        self.reload()


def _possible(name: str) -> str:
    """The name without blanks around it. Raises UserError for one that no row can have."""
    name = name.strip()
    if not name or name.startswith("#") or not name.isprintable():
        raise UserError("The style cannot be saved.", "Its name is empty, starts with #, or has line breaks.", "Choose another name.")
    return name


def _preview_stem(file: Path, name: str) -> Path:
    """Where the picture of a style lies, without its ending. Names that no file can have get a mark of their own."""
    plain = re.sub(r'[\x00-\x1f<>:"/\\|?*]', "_", name).strip(" .")[:80]
    mark = "" if plain == name else "-" + hashlib.sha256(name.encode("utf-8", "replace")).hexdigest()[:8]
    return file.with_name(f"{file.stem}-previews") / f"{plain}{mark}"


class _Sheet:
    """The rows of one file as they are: comments, further columns and their order survive a change."""

    def __init__(self, path: Path, header: list[str], rows: list[list[str]]):
        self.path, self.header, self.rows = path, header, rows

    @classmethod
    def read(cls, path: Path) -> _Sheet:
        """A missing or empty file has no rows. Raises UserError for one that is no table of styles."""
        try:
            lines = _rows(path.read_bytes()) if path.exists() else []
        except (OSError, csv.Error) as error:
            raise UserError(f"{path.name} cannot be read.", str(error), "Mend or remove the file.") from error
        header = lines[0] if lines else list(COLUMNS)
        if "name" not in header:
            raise UserError(f"{path.name} is no table of styles.", 'Its first line names no column "name".', "Mend or remove the file.")
        return cls(path, header, [row for row in lines[1:] if row])

    def styles(self) -> list[Style]:
        """All rows but comments."""
        named = [(self._cell(row, "name"), row) for row in self.rows]
        return [self._style(name, row) for name, row in named if name.strip() and not name.startswith("#")]

    def _style(self, name: str, row: list[str]) -> Style:
        texts = {"prompt": self._cell(row, self._prompt_column()), "negative_prompt": self._cell(row, "negative_prompt")}
        return Style(name=name, path=self.path, **texts)

    def put(self, name: str, prompt: str, negative_prompt: str) -> None:
        """Change the row of this name, or add one."""
        row = next((row for row in self.rows if self._cell(row, "name") == name), None)
        if row is None:
            self.rows.append(row := [])
        for column, text in (("name", name), (self._prompt_column(), prompt), ("negative_prompt", negative_prompt)):
            self._set(row, column, text)

    def rename(self, name: str, new_name: str) -> None:
        """Write another name into the rows of this one."""
        for row in self.rows:
            if self._cell(row, "name") == name:
                self._set(row, "name", new_name)

    def remove(self, name: str) -> None:
        """Take out the rows of this name."""
        self.rows = [row for row in self.rows if self._cell(row, "name") != name]

    def content(self) -> bytes:
        """The file: UTF-8 with a byte order mark, by which spreadsheets know it."""
        text = io.StringIO(newline="")
        csv.writer(text).writerows([self.header, *self.rows])
        return text.getvalue().encode("utf-8-sig", errors="replace")

    def _prompt_column(self) -> str:
        return OLD_PROMPT_COLUMN if "prompt" not in self.header and OLD_PROMPT_COLUMN in self.header else "prompt"

    def _cell(self, row: list[str], column: str) -> str:
        place = self.header.index(column) if column in self.header else len(row)
        return row[place] if place < len(row) else ""

    def _set(self, row: list[str], column: str, text: str) -> None:
        if column not in self.header:
            self.header.append(column)
        place = self.header.index(column)
        row += [""] * (place + 1 - len(row))
        row[place] = text


def _rows(data: bytes) -> list[list[str]]:
    """Rows of a CSV file in UTF-8, or in the Western code page that spreadsheets write."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("cp1252", errors="replace")
    csv.field_size_limit(LONGEST_FIELD)
    return list(csv.reader(io.StringIO(text, newline="")))
