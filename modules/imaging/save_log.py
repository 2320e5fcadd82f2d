"""What the Save button writes: a copy of the picture, and a row in log.csv."""
import csv
import io
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from modules.atomic_files import folder_lock, publish, write_atomically, write_problem

LOG_NAME = "log.csv"
OTHER_FOLDER = "choose another folder in Settings, Paths for saving"
COLUMNS = ("prompt", "seed", "width", "height", "sampler", "cfgs", "steps", "filename", "negative_prompt", "sd_model_name", "sd_model_hash")


def copy_picture(source: Path, folder: Path) -> Path:
    """Copy a saved picture into `folder` under its own name, or with a number when that is taken. Raises UserError."""
    try:
        return publish(folder, source.name, source.read_bytes())
    except OSError as error:
        raise write_problem("a copy of the picture", folder, error, alternative=OTHER_FOLDER) from error


def append_to_log(folder: Path, row: Mapping[str, Any]) -> Path:
    """Add a row (COLUMNS as keys, further keys become further columns) to log.csv in `folder`; returns its path.

    Safe for several processes: one at a time writes, a row is written whole or taken back, and a log with other columns gets the
    missing ones. Raises UserError.
    """
    path = folder / LOG_NAME
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with folder_lock(folder):
            columns = _columns_of(path)
            missing = [name for name in dict.fromkeys([*COLUMNS, *row]) if name not in columns]
            if missing:
                columns += missing
                _write_with_columns(path, columns)
            _append(path, _line([str(row.get(name, "")) for name in columns]))
    except OSError as error:
        raise write_problem("the log of saved pictures", path, error) from error
    return path


def _line(values: list[str]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(value.replace("\0", "") for value in values)
    return text.getvalue().encode("utf-8", "replace")


def _columns_of(path: Path) -> list[str]:
    if not path.exists():
        return []
    with open(path, "rb") as file:
        return next(csv.reader([file.readline().decode("utf-8-sig", "replace")]), [])


def _write_with_columns(path: Path, columns: list[str]) -> None:
    """The log with a new first line; the rows of before stay as they are and end early."""
    _, _, rows = path.read_bytes().partition(b"\n") if path.exists() else (b"", b"", b"")
    write_atomically(path, _line(columns) + rows)


def _append(path: Path, line: bytes) -> None:
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0), 0o666)
    try:
        size = os.fstat(handle).st_size
        if size and os.lseek(handle, size - 1, os.SEEK_SET) >= 0 and os.read(handle, 1) != b"\n":
            line = b"\n" + line  # the row before was cut off by a kill
        try:
            written = os.write(handle, line)
            if written != len(line):
                raise OSError(28, "No space left on device")
            os.fsync(handle)
        except OSError:
            os.ftruncate(handle, size)
            raise
    finally:
        os.close(handle)
