"""The guard before every route: who is addressed, who asks, how much is sent, and the headers of every answer."""
import asyncio
import ipaddress
import json
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Message, Receive, Scope, Send

MIB = 1 << 20
CHUNK_WAIT_S = 30.0
BODY_WAIT_S = 600.0
SECURITY_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"SAMEORIGIN"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
)


@dataclass(frozen=True, kw_only=True)
class GuardOptions:
    """What is let in.

    host_names: names beside addresses and localhost that a request may be addressed to (a leading "." allows all below it).
    origins: further origins ("https://host:port") whose pages may use the server.
    body_bytes: the largest body; upload_bytes: the same for routes whose path ends in /upload.
    """

    host_names: frozenset[str] = frozenset()
    origins: frozenset[str] = frozenset()
    body_bytes: int = 128 * MIB
    upload_bytes: int = 256 * MIB
    chunk_wait_s: float = CHUNK_WAIT_S


@dataclass(frozen=True)
class Refusal:
    """An answer of the guard's own."""

    status: int
    sentence: str


def host_name(host: str) -> str:
    """The name in a Host header, without port and brackets, in lower case; "" when it is no host at all."""
    try:
        return (urlsplit(f"//{host}").hostname or "").rstrip(".")
    except ValueError:
        return ""


def is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name.partition("%")[0])
        return True
    except ValueError:
        return False


def host_is_allowed(host: str, options: GuardOptions) -> bool:
    """Whether the Host header names this machine. A name that somebody else's name server points here does not (DNS rebinding)."""
    name = host_name(host)
    if not name or "@" in host or "/" in host:
        return False
    if name == "localhost" or name.endswith(".localhost") or is_address(name):
        return True
    return any(name == allowed or (allowed.startswith(".") and name.endswith(allowed)) for allowed in options.host_names)


def origin_is_allowed(origin: str, host: str, options: GuardOptions) -> bool:
    """Whether a page of `origin` may talk to `host`: it comes from there, port included, or it is on the list."""
    if origin in options.origins:
        return True
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    default_port = {"http": "80", "https": "443"}.get(parts.scheme)
    if default_port is None:
        return False

    def with_port(netloc: str) -> str:
        return netloc.lower() if netloc.rpartition("]")[2].rpartition(":")[1] else f"{netloc.lower()}:{default_port}"

    return with_port(parts.netloc) == with_port(host)


class Guard:
    """ASGI middleware, the outermost one. Refuses with a JSON sentence; adds the security headers to every answer."""

    def __init__(self, app: ASGIApp, options: GuardOptions):
        self.app, self.options = app, options

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        refusal = self.refusal(scope, headers)
        if refusal and scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008})
        elif refusal:
            await refuse(send, refusal)
        elif scope["type"] == "websocket":
            await self.app(scope, receive, send)
        else:
            await LimitedExchange(self.app, self.options).run(scope, receive, send)

    def refusal(self, scope: Scope, headers: dict[bytes, str]) -> Refusal | None:
        """Why this request is not let in, judged by its headers alone."""
        host, origin = headers.get(b"host", ""), headers.get(b"origin")
        if not host_is_allowed(host, self.options):
            return Refusal(400, "This server is not known by the name that the request was sent to. Use its address or localhost, "
                                "or start it with --allowed-hosts and the name.")
        if origin is not None and not origin_is_allowed(origin, host, self.options):
            return Refusal(403, "A page of another site may not use this server. Start it with --cors-allow-origins to allow that site.")
        foreign = headers.get(b"sec-fetch-site") in ("cross-site", "same-site")
        if origin is None and foreign and scope.get("method") not in ("GET", "HEAD"):
            return Refusal(403, "A page of another site may not use this server.")
        length = headers.get(b"content-length", "")
        if length and (not length.isdecimal() or int(length[:20]) > limit_of(scope, self.options)):
            return too_large(limit_of(scope, self.options))
        return None


def limit_of(scope: Scope, options: GuardOptions) -> int:
    return options.upload_bytes if scope["path"].rstrip("/").endswith("/upload") else options.body_bytes


def too_large(limit: int) -> Refusal:
    return Refusal(413, f"The body of the request is too large; the limit is {limit // MIB} MB.")


class LimitedExchange:
    """One request and its answer: the body is counted and timed, the answer gets its headers."""

    def __init__(self, app: ASGIApp, options: GuardOptions):
        self.app, self.options = app, options
        self.refusal: Refusal | None = None
        self.has_answered = False
        self._received = 0
        self._is_complete = False
        self._began = time.monotonic()

    async def run(self, scope: Scope, receive: Receive, send: Send) -> None:
        limit = limit_of(scope, self.options)

        async def counted() -> Message:
            return await self._receive(receive, limit)

        async def with_headers(message: Message) -> None:
            await self._send(message, send)

        try:
            await self.app(scope, counted, with_headers)
        except Exception:  # whatever a route makes of a body that was cut off: the refusal is the answer
            if self.refusal is None:
                raise
        if self.refusal and not self.has_answered:
            await refuse(send, self.refusal)

    async def _receive(self, receive: Receive, limit: int) -> Message:
        if self._is_complete:
            return await receive()
        if self.refusal:
            return {"type": "http.disconnect"}
        try:
            message = await asyncio.wait_for(receive(), self.options.chunk_wait_s)
        except TimeoutError:
            self.refusal = Refusal(408, "The body of the request did not arrive in time.")
            return {"type": "http.disconnect"}
        self._received += len(message.get("body", b""))
        self._is_complete = not message.get("more_body", False)
        if self._received > limit:
            self.refusal = too_large(limit)
        elif not self._is_complete and time.monotonic() - self._began > BODY_WAIT_S:
            self.refusal = Refusal(408, "The body of the request did not arrive in time.")
        return {"type": "http.disconnect"} if self.refusal else message

    async def _send(self, message: Message, send: Send) -> None:
        if self.refusal and not self.has_answered:
            return  # whatever the routes make of the missing body, the guard's own answer follows
        if message["type"] == "http.response.start":
            self.has_answered = True
            names = {name for name, _ in message.get("headers", ())}
            message = {**message, "headers": [*message.get("headers", ()), *(pair for pair in SECURITY_HEADERS if pair[0] not in names)]}
        await send(message)


async def refuse(send: Send, refusal: Refusal) -> None:
    """Answer with the sentence; the connection is closed, since its body may not have been read."""
    body = json.dumps({"error": "Refused", "detail": refusal.sentence, "body": "", "errors": ""}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode()), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": refusal.status, "headers": [*headers, *SECURITY_HEADERS]})
    await send({"type": "http.response.body", "body": body})
