"""Pictures inside JSON: base64, with or without the head of a data URL, or an address where the settings allow it."""
import base64
import binascii
from typing import Any

from modules.api.remote_pictures import FetchOptions, fetched
from modules.errors import RequestError

HEAD = "data:"
ADDRESSES = ("http://", "https://")
MOST_ADDRESSES = 16


def is_address(value: Any) -> bool:
    """Whether a picture is given by its address."""
    return isinstance(value, str) and value.strip().lower().startswith(ADDRESSES)


def picture_bytes(field: str, value: Any, fetch: FetchOptions) -> bytes:
    """The file content behind a picture of a request. Call it in a thread: an address is asked here. Raises RequestError naming `field`."""
    if not isinstance(value, str) or not value.strip():
        raise RequestError(field, f"{field} must be a picture as base64 text.")
    text = value.strip()
    if is_address(text):
        return fetched(field, text, fetch)
    if text.startswith(HEAD):
        text = text.partition(",")[2]
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise RequestError(field, f"{field} is not base64.", remedy="Send the content of the picture file as base64.") from error


def picture_list(field: str, value: Any, fetch: FetchOptions, most: int = 256) -> list[bytes]:
    """The file contents of a list of pictures. Raises RequestError."""
    if not isinstance(value, list) or not value:
        raise RequestError(field, f"{field} must be a list of pictures as base64 text.", "There is no picture to begin with.")
    if len(value) > most:
        raise RequestError(field, f"{field} has {len(value)} pictures, the limit is {most}.")
    if sum(is_address(picture) for picture in value) > MOST_ADDRESSES:
        raise RequestError(field, f"{field} names more than {MOST_ADDRESSES} addresses.", remedy="Send the pictures as base64.")
    return [picture_bytes(field, picture, fetch) for picture in value]


def as_base64(content: bytes) -> str:
    """A file's content as text."""
    return base64.b64encode(content).decode("ascii")
