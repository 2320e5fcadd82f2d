"""Scripts and style sheets of the page, ours and gradio's: kept in memory and packed once, since a page asks for two hundred of them."""
from __future__ import annotations

import gzip
import re
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from modules.api.subpath import path_within
from modules.ui.theme import WEB

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

TYPES = {".js": b"text/javascript; charset=utf-8", ".css": b"text/css; charset=utf-8", ".svg": b"image/svg+xml"}
ASSETS = Path(gr.__file__).parent / "templates" / "frontend" / "assets"
# Where they lie below the server's address, and how long a browser keeps them: gradio's names change with their content.
PLACES = {"/easel/": (WEB, b"public, max-age=86400"), "/assets/": (ASSETS, b"public, max-age=31536000, immutable")}
PLAIN_PATH = re.compile(r"(?:[\w-]+/)*[\w-][\w.-]*")
LEAST_PACKED = 2000  # bytes; below that packing gains nothing


@dataclass(frozen=True)
class KeptFile:
    """A file as it was at a time of change, and the same packed (None where that gains nothing)."""

    changed_ns: int
    body: bytes
    packed: bytes | None
    headers: tuple[tuple[bytes, bytes], ...]


class WebFiles:
    """Answers GET of these files; everything else, and what there is none for, goes on to `app` (ASGI)."""

    def __init__(self, app: Any):
        self.app = app
        self._kept: dict[Path, KeptFile] = {}

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        file = self._file(path_within(scope)) if scope["type"] == "http" and scope["method"] == "GET" else None
        if file is None:
            await self.app(scope, receive, send)
            return
        accepted = next((value for name, value in scope["headers"] if name == b"accept-encoding"), b"")
        packed = file.packed if b"gzip" in accepted else None
        body, encoding = (packed, ((b"content-encoding", b"gzip"),)) if packed else (file.body, ())
        headers = [*file.headers, *encoding, (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    def _file(self, path: str) -> KeptFile | None:
        for place, (folder, kept_for) in PLACES.items():
            name = path.removeprefix(place)
            if name != path and PLAIN_PATH.fullmatch(name) and Path(name).suffix in TYPES:
                return self._read(folder / name, kept_for)
        return None

    def _read(self, path: Path, kept_for: bytes) -> KeptFile | None:
        try:
            changed_ns = path.stat().st_mtime_ns
            known = self._kept.get(path)
            if known is None or known.changed_ns != changed_ns:
                known = self._kept[path] = _kept(path.read_bytes(), changed_ns, TYPES[path.suffix], kept_for)
        except OSError:
            return None
        return known


def _kept(body: bytes, changed_ns: int, content_type: bytes, kept_for: bytes) -> KeptFile:
    headers = ((b"content-type", content_type), (b"cache-control", kept_for), (b"vary", b"Accept-Encoding"))
    packed = gzip.compress(body, 6, mtime=0) if len(body) >= LEAST_PACKED else None
    return KeptFile(changed_ns, body, packed, headers)
