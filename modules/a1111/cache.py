"""Small facts about files that extensions keep, under the names of A1111's `cache`: JSON files in the cache folder."""
import json
import os
import threading
from pathlib import Path

from modules import errors, runtime
from modules.atomic_files import write_atomically

_known: dict[str, dict] = {}
_lock = threading.Lock()


def _file(subsection: str) -> Path:
    safe = "".join(letter if letter.isalnum() or letter in "-_." else "_" for letter in subsection)
    return runtime.current().folders.cache / "extensions" / f"{safe}.json"


def cache(subsection: str) -> dict:
    """The dictionary of this name; what is written to it lasts once `dump_cache` was called."""
    with _lock:
        if subsection not in _known:
            try:
                stored = json.loads(_file(subsection).read_text("utf-8"))
            except (OSError, ValueError):
                stored = {}
            _known[subsection] = stored if isinstance(stored, dict) else {}
        return _known[subsection]


def dump_cache() -> None:
    """Write all dictionaries."""
    with _lock:
        for subsection, values in _known.items():
            path = _file(subsection)
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                write_atomically(path, json.dumps(values, indent=1, default=str).encode())
            except OSError as error:
                errors.report(f"{path.name} cannot be written", error)


def cached_data_for_file(subsection: str, title: str, filename: str, func):
    """What `func()` says about a file, asked again only when the file's time has changed."""
    known, changed = cache(subsection), os.path.getmtime(filename)
    entry = known.get(title)
    if entry and entry.get("mtime", 0) >= changed and "value" in entry:
        return entry["value"]
    value = func()
    if value is not None:
        known[title] = {"mtime": changed, "value": value}
        dump_cache()
    return value
