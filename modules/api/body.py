"""Request bodies: JSON read with limits, so that no text of a client can end in anything but a value or a sentence."""
import json
from typing import Any

from fastapi import Request

from modules.errors import UserError

MAX_NUMBER_CHARS = 400


class MalformedBody(UserError):
    """The body is no JSON object that can be read."""

    status = 422

    def __init__(self, why: str):
        super().__init__(what="The body of the request cannot be read.", why=why)


def parsed_object(content: bytes) -> dict[str, Any]:
    """The JSON object in `content`. Raises MalformedBody.

    NaN and infinities are read as such, since clients write them: the check of each field refuses them by name.
    """
    if not content.strip():
        raise MalformedBody("It is empty; a JSON object was expected.")
    try:
        value = json.loads(content, object_pairs_hook=_without_duplicates, parse_int=_whole_number)
    except RecursionError:
        raise MalformedBody("It is nested too deeply.") from None
    except UnicodeDecodeError:
        raise MalformedBody("It is not UTF-8 text.") from None
    except json.JSONDecodeError as error:
        raise MalformedBody(f"It is not JSON: {error.msg} at character {error.pos}.") from None
    if not isinstance(value, dict):
        raise MalformedBody("A JSON object was expected.")
    return value


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise MalformedBody(f"The name {twice[:80]!r} occurs twice in one object.")
    return members


def _whole_number(digits: str) -> int:
    if len(digits) > MAX_NUMBER_CHARS:
        raise MalformedBody(f"A number has more than {MAX_NUMBER_CHARS} digits.")
    return int(digits)


async def json_object(request: Request) -> dict[str, Any]:
    """Dependency: the body as a JSON object, whatever content type the client wrote over it."""
    return parsed_object(await request.body())


async def optional_json_object(request: Request) -> dict[str, Any]:
    """Dependency: the same for routes that clients call without a body."""
    content = await request.body()
    return parsed_object(content) if content.strip() else {}
