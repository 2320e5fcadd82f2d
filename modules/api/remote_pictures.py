"""Pictures that a request names by their address: off unless a setting allows them, and never from this machine or its network."""
from __future__ import annotations

import contextlib
import http.client
import time
from dataclasses import dataclass
from urllib.parse import SplitResult, urljoin, urlsplit

from modules.errors import RequestError
from modules.public_addresses import NotPublic, connection_to
from modules.runtime import Runtime
from modules.version import version_text

MOST_BYTES = 64 << 20
MOST_REDIRECTS = 3
WAIT_S = 10.0  # for a connection, and for each piece of the answer
WHOLE_S = 30.0
PIECE_BYTES = 1 << 16
REDIRECTS = (301, 302, 303, 307, 308)
MOST_URL_CHARS = 2000


@dataclass(frozen=True, kw_only=True)
class FetchOptions:
    """What the settings say. allows_local: also addresses of this machine and its network."""

    is_enabled: bool = False
    allows_local: bool = False
    user_agent: str = ""


def fetch_options(rt: Runtime) -> FetchOptions:
    """The settings of this program."""
    settings = rt.settings.data
    is_enabled, forbids_local = bool(settings.get("api_enable_requests")), settings.get("api_forbid_local_requests", True)
    return FetchOptions(is_enabled=is_enabled, allows_local=not forbids_local,
                        user_agent=str(settings.get("api_useragent") or f"Easel/{version_text()}"))


def fetched(field: str, address: str, options: FetchOptions) -> bytes:
    """The content at `address`, at most 64 MB within 30 s. Takes its time, so call it in a thread. Raises RequestError naming `field`."""
    if not options.is_enabled:
        raise RequestError(field, f"{field} is an address, and pictures are not fetched.", "The setting api_enable_requests is off.",
                           "Send the picture as base64.")
    end = time.monotonic() + WHOLE_S
    for _ in range(MOST_REDIRECTS + 1):
        parts = checked_address(field, address)
        try:
            found, location = _asked(field, parts, options, end)
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise _refused(field, f"{type(error).__name__}: {error}"[:200]) from error
        if location is None:
            return found
        address = urljoin(address, location)
    raise _refused(field, f"It was sent on more than {MOST_REDIRECTS} times")


def _refused(field: str, why: str) -> RequestError:
    return RequestError(field, f"The picture of {field} could not be fetched.", f"{why}.")


def checked_address(field: str, address: str) -> SplitResult:
    """The parts of an address that may be asked. Raises RequestError."""
    try:
        parts = urlsplit(address)
        is_plain = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port is not False
    except ValueError:
        is_plain = False
    if not is_plain or len(address) > MOST_URL_CHARS or any(ord(sign) <= 32 or ord(sign) >= 127 for sign in address) or parts.username:
        raise _refused(field, "It is no plain http or https address")
    return parts


def _asked(field: str, parts: SplitResult, options: FetchOptions, end: float) -> tuple[bytes, str | None]:
    """(content, None), or (nothing, where to ask instead)."""
    host, port = str(parts.hostname), parts.port or (443 if parts.scheme == "https" else 80)
    try:
        connection = connection_to(host, port, is_tls=parts.scheme == "https", allows_local=options.allows_local, wait_s=WAIT_S)
    except NotPublic as error:
        raise _refused(field, "It lies on this machine or in its own network") from error
    with contextlib.closing(connection):
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request("GET", path, headers={"User-Agent": options.user_agent, "Accept": "image/*"})
        answer = connection.getresponse()
        if answer.status in REDIRECTS and (location := answer.getheader("Location")):
            return b"", location
        if answer.status != 200:
            raise _refused(field, f"The answer was {answer.status}")
        return _content(field, answer, end), None


def _content(field: str, answer: http.client.HTTPResponse, end: float) -> bytes:
    pieces, size = [], 0
    while piece := answer.read1(PIECE_BYTES):
        size += len(piece)
        if size > MOST_BYTES:
            raise _refused(field, f"It has more than {MOST_BYTES >> 20} MB")
        if time.monotonic() > end:
            raise _refused(field, f"It took more than {WHOLE_S:.0f} s")
        pieces.append(piece)
    return b"".join(pieces)
