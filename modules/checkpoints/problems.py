"""What can be wrong with a file of weights, as sentences."""
from pathlib import Path

from modules.errors import UserError

DOWNLOAD_AGAIN = "Download it again."


class WeightsError(UserError):
    """A file that cannot be used as weights. `why` is the reason alone, for lists where the name stands beside it."""

    def __init__(self, path: Path, why: str, remedy: str = "Choose another file."):
        self.path = path
        super().__init__(f"Cannot load {path.name}.", why, remedy)


def problem_of_first_bytes(start: bytes, size_bytes: int) -> str | None:
    """The reason why a file that begins so is no file of weights of any kind, or None."""
    text = start.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if size_bytes == 0:
        return "The file is empty."
    if text.startswith(b"version https://git-lfs"):
        return "It is a pointer of git-lfs, not the file itself: the download fetched only the reference."
    if text.startswith((b"<!doctype", b"<html", b"<head", b"<?xml", b"<body", b"<script")):
        return "It is a web page, not a file of weights: the download got an error or login page."
    if not start.strip(b"\0"):
        return "It begins with zeros only: a download was cut off."
    return None
