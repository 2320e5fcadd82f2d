"""Lists of files and a page's text under the names of A1111's `util`."""
import os
import re

from modules import paths_internal


def natural_sort_key(text: str, regex: re.Pattern = re.compile("([0-9]+)")) -> list:
    """A key that sorts v2 before v10."""
    return [int(part) if part.isdigit() else part.lower() for part in regex.split(text)]


def listfiles(dirname: str) -> list[str]:
    """The files of one folder by name, without hidden ones."""
    paths = [os.path.join(dirname, name) for name in sorted(os.listdir(dirname), key=natural_sort_key) if not name.startswith(".")]
    return [path for path in paths if os.path.isfile(path)]


def walk_files(path: str, allowed_extensions=None):
    """The files of a folder and of those below it; `allowed_extensions` such as [".pt"] limits them. Nothing for a missing folder."""
    endings = None if allowed_extensions is None else {ending.lower() for ending in allowed_extensions}
    for root, folders, names in os.walk(path, followlinks=True):
        folders.sort(key=natural_sort_key)
        for name in sorted(names, key=natural_sort_key):
            if endings is None or os.path.splitext(name)[1].lower() in endings:
                yield os.path.join(root, name)


def html_path(filename: str) -> str:
    """Where a page's text of the program would lie."""
    return os.path.join(paths_internal.script_path, "html", filename)


def html(filename: str) -> str:
    """The text of a file in html/, "" where there is none."""
    path = html_path(filename)
    if not os.path.exists(path):
        return ""
    with open(path, encoding="utf8") as file:
        return file.read()


def truncate_path(target_path: str, base_path: str = paths_internal.cwd) -> str:
    """The path from the base where it lies below it, the whole path otherwise."""
    absolute, base = os.path.abspath(target_path), os.path.abspath(base_path)
    return os.path.relpath(absolute, base) if absolute.startswith(base + os.sep) else absolute
