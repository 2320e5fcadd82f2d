"""The server: routes, our scripts and style sheets in the page's head, and gradio behind them."""
from __future__ import annotations

import asyncio
import html
import os
import re
import socket
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")  # gradio looks at it when it is imported

import gradio as gr
import uvicorn
from fastapi import Depends, FastAPI
from fastapi.responses import JSONResponse, Response
from starlette.middleware.gzip import GZipMiddleware

from modules import script_callbacks
from modules.api.app import add_protection, add_routes, build_api_app
from modules.api.model_files import model_files_router
from modules.api.own_queue import admin_only
from modules.api.server_control import RESTART, end
from modules.api.subpath import path_within
from modules.ui import extension_files
from modules.ui.app import build_blocks, page_script
from modules.ui.card_routes import cards_router, check_may_write
from modules.ui.comparing import comparing_router
from modules.ui.download_routes import downloads_router
from modules.ui.enlarging import enlarging_router
from modules.ui.history_routes import history_router
from modules.ui.import_routes import import_router
from modules.ui.interrogate_routes import interrogate_router
from modules.ui.mask_canvas import canvas_router
from modules.ui.pictures import pictures_router
from modules.ui.prompt_help import prompt_help_router
from modules.ui.saving import saving_router
from modules.ui.settings_tools import settings_tools_router
from modules.ui.style_routes import styles_router
from modules.ui.theme import WEB, scripts, style_sheets, theme
from modules.ui.web_files import WebFiles

if TYPE_CHECKING:
    from modules.runtime import Runtime

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

# gradio's page names hosts of its maker in meta tags; nothing of ours does.
FOREIGN_META = re.compile(rb'<meta[^>]*(?:property="og:|name="twitter:)[^>]*>\s*')


def build_app(rt: Runtime) -> FastAPI:
    """Everything that is served, on one app. gradio takes "/" and is therefore mounted last."""
    if rt.args.nowebui:
        return build_api_app(rt)
    os.environ["GRADIO_TEMP_DIR"] = str(rt.folders.temporary)
    blocks, page = build_blocks(rt)
    app = FastAPI(title="Easel", docs_url=None, redoc_url=None)
    add_routes(app, rt)
    app.include_router(pictures_router(rt))
    for router in (saving_router, enlarging_router, comparing_router, canvas_router, prompt_help_router, styles_router, cards_router,
                   import_router, downloads_router, interrogate_router):
        app.include_router(router(rt))
    app.include_router(history_router(rt, page))
    app.include_router(settings_tools_router(rt, page.controls))
    app.include_router(model_files_router(rt, check_may_write))
    app.add_api_route("/internal/reload-ui", lambda: end(app, exit_status=RESTART), methods=["POST"], include_in_schema=False,
                      dependencies=[Depends(admin_only)])
    app.add_api_route("/easel/{path:path}", no_such_file, methods=["GET"], include_in_schema=False)
    script_callbacks.call("app_started", blocks, app, note=rt.notice)  # routes that extensions add come before gradio's
    app = gr.mount_gradio_app(app, blocks, path="/", ssr_mode=False, run_history=False, footer_links=[], theme=theme(),
                              max_file_size="256mb", favicon_path=str(WEB / "easel.svg"), show_error=True)
    app.add_middleware(HeadInjector, head=head_html(rt), before=lambda: page.bring_up_to_date(blocks))
    app.add_middleware(GZipMiddleware, minimum_size=2000, compresslevel=5)
    app.add_middleware(WebFiles)
    add_protection(app, rt.args)
    app.state.blocks = blocks
    return app


def run(app: FastAPI, rt: Runtime, listening: socket.socket, on_ready: Callable[[], None]) -> int:
    """Serve on a bound socket until the program is stopped; returns its exit status, RESTART after Reload UI."""
    config = uvicorn.Config(app, log_level=(rt.args.loglevel or "warning").lower(), ssl_keyfile=rt.args.tls_keyfile,
                            ssl_certfile=rt.args.tls_certfile, timeout_graceful_shutdown=3)
    server = AnnouncingServer(config, on_ready)
    app.state.server, app.state.exit_status = server, 0
    server.run(sockets=[listening])
    return app.state.exit_status


class AnnouncingServer(uvicorn.Server):
    """uvicorn's server, which says when it answers."""

    def __init__(self, config: uvicorn.Config, on_ready: Callable[[], None]):
        super().__init__(config)
        self.on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self.on_ready()


def no_such_file(path: str) -> Response:
    """What is asked for below /easel/ and is none of our files (web_files.py)."""
    return JSONResponse({"error": "NotFound", "detail": "There is no such file.", "body": "", "errors": ""}, status_code=404)


def head_html(rt: Runtime) -> str:
    """Tags for our style sheets and scripts. The address carries the file's time, so that a new version is fetched at once."""
    def address(file: Path) -> str:
        return html.escape(f"easel/{file.relative_to(WEB).as_posix()}?{int(file.stat().st_mtime)}")
    links = [f'<link rel="stylesheet" href="{address(file)}">' for file in style_sheets()]
    tags = [f'<script src="{address(file)}"></script>' for file in scripts()]
    return "\n".join([*links, f"<script>{page_script(rt)}</script>", *tags, extension_files.head_html(rt)])


class HeadInjector:
    """Writes our tags into the page as it is served: scripts then run while the document loads, as scripts of extensions expect."""

    def __init__(self, app: Any, head: str, before: Callable[[], object] = lambda: None):
        self.app = app
        self.head = head.encode()
        self.before = before  # called when a page is asked for

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "GET" or path_within(scope) not in ("", "/"):
            await self.app(scope, receive, send)
            return
        await asyncio.to_thread(self.before)
        plain = dict(scope, headers=[header for header in scope["headers"] if header[0] != b"accept-encoding"])
        start: MutableMapping[str, Any] = {}
        parts: list[bytes] = []

        async def collect(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
                return
            if message["type"] != "http.response.body":
                await send(message)
                return
            parts.append(message.get("body", b""))
            if message.get("more_body"):
                return
            body = self.edited(b"".join(parts))
            kept = [header for header in start["headers"] if header[0].lower() != b"content-length"]
            start["headers"] = [*kept, (b"content-length", str(len(body)).encode())]
            await send(start)
            await send({"type": "http.response.body", "body": body})

        await self.app(plain, receive, collect)

    def edited(self, page: bytes) -> bytes:
        """The page with our tags behind its base address, and without tags that name other hosts."""
        head, mark, rest = page.partition(b"</head>")
        head = FOREIGN_META.sub(b"", head)
        base = re.search(rb"<base[^>]*>", head)
        at = base.end() if base else head.find(b"<head>") + len(b"<head>")
        return head[:at] + b"\n" + self.head + head[at:] + mark + rest
