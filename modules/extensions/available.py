"""The list of extensions that can be installed: an index file in the community's format, from an https address or this machine."""
from __future__ import annotations

import json
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from modules.errors import RequestError, UserError
from modules.version import version_text

MOST_BYTES = 20 << 20
MOST_ENTRIES = 10_000
WAIT_S = 30


@dataclass(frozen=True, kw_only=True)
class Offer:
    """One entry of an index; texts are those of its author."""

    name: str
    url: str
    description: str = ""
    tags: tuple[str, ...] = ()
    added: str = ""
    created: str = ""
    updated: str = ""
    stars: int = 0


@dataclass(frozen=True, kw_only=True)
class ExtensionIndex:
    """An index: what its tags mean, and its entries."""

    tags: dict[str, str]
    offers: tuple[Offer, ...]


def read_index(place: str, *, allows_files: bool) -> ExtensionIndex:
    """The index at an https address or, if allowed, in a file of this machine. Raises RequestError, UserError."""
    content = _content(place.strip(), allows_files)
    try:
        data = json.loads(content)
        entries = data["extensions"]
        tags = {str(tag): str(meaning) for tag, meaning in (data.get("tags") or {}).items()}
        offers = tuple(offer for offer in map(_offer, entries[:MOST_ENTRIES]) if offer is not None)
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise UserError("The index cannot be read.", "It is no list of extensions.", "Check the address.") from error
    return ExtensionIndex(tags=tags, offers=offers)


def _content(place: str, allows_files: bool) -> bytes:
    if "://" in place:
        return _fetched(place)
    path = Path(place).expanduser()
    try:
        if allows_files and path.is_file() and path.stat().st_size <= MOST_BYTES:
            return path.read_bytes()
    except (OSError, ValueError):
        pass  # no file either
    raise RequestError("url", f'There is no index at "{place[:200]}".', "It is no https address, and no file on this machine.")


class _HttpsOnly(urllib.request.HTTPRedirectHandler):
    """Follows only to where the answer comes over https; nothing else is asked."""

    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:
        if urlsplit(newurl).scheme.lower() != "https":
            raise UserError("The index could not be fetched.", "Its server sent us to an address without https.")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _fetched(address: str) -> bytes:
    if urlsplit(address).scheme.lower() != "https":
        raise RequestError("url", "The index is fetched over https only.")
    request = urllib.request.Request(address, headers={"User-Agent": f"Easel/{version_text()}"})
    try:
        with urllib.request.build_opener(_HttpsOnly).open(request, timeout=WAIT_S) as answer:
            content = answer.read(MOST_BYTES + 1)
    except (urllib.error.URLError, OSError, ValueError) as error:
        why = f"{getattr(error, 'reason', error)}."[:300]
        raise UserError("The index could not be fetched.", why, "Check the address and the connection.") from error
    if len(content) > MOST_BYTES:
        raise UserError("The index could not be fetched.", f"It has more than {MOST_BYTES >> 20} MB.")
    return content


def _offer(entry: Any) -> Offer | None:
    if not isinstance(entry, dict) or not isinstance(entry.get("url"), str) or not entry["url"]:
        return None
    text = lambda key: str(entry.get(key) or "")[:2000]
    tags = entry.get("tags")
    stars = entry.get("stars")
    return Offer(name=text("name") or entry["url"], url=entry["url"][:2000], description=text("description"),
                 tags=tuple(str(tag)[:60] for tag in tags[:20]) if isinstance(tags, list) else (), added=text("added")[:10],
                 created=text("created")[:10], updated=text("commit_time")[:10], stars=stars if isinstance(stars, int) else 0)
