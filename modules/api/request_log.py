"""--api-log: one line on the error stream for every request to the API."""
import sys
import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from modules.api.subpath import path_within

PREFIX = "/sdapi/"
CLOSED_EARLY = 499  # nobody waited for the answer; nginx writes it so


class RequestLog:
    """ASGI middleware before guard and login, so that refusals are told too: who asked for what, the status, and the seconds it took.

    Bodies and queries are left out.
    """

    def __init__(self, app: ASGIApp):
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not path_within(scope).startswith(PREFIX):
            await self.app(scope, receive, send)
            return
        status, began = CLOSED_EARLY, time.perf_counter()

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, noted)
        finally:
            # As it was sent, with % signs: a decoded path could hold line breaks, and with them lines of its own.
            path = scope.get("raw_path", b"").decode("latin-1").partition("?")[0] or repr(scope["path"])
            user = f" {scope['easel_user']!r}" if "easel_user" in scope else ""
            host = (scope.get("client") or ("?",))[0]
            now, seconds = time.strftime("%Y-%m-%d %H:%M:%S"), time.perf_counter() - began
            print(f"{now} {host}{user} {scope['method']} {path} {status} {seconds:.3f} s", file=sys.stderr, flush=True)
