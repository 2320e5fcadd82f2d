"""--subpath: the program below a path of another server, which hands requests on."""
from starlette.types import ASGIApp, Receive, Scope, Send


def prefix_of(subpath: str | None) -> str:
    """"/name" for any way to write it, "" for none."""
    name = (subpath or "").strip("/")
    return f"/{name}" if name else ""


class Subpath:
    """ASGI middleware before all that look at paths. Whether the other server cuts the beginning off before handing on does not matter."""

    def __init__(self, app: ASGIApp, prefix: str):
        self.app, self.prefix = app, prefix

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in ("http", "websocket"):
            path = scope["path"]
            if path != self.prefix and not path.startswith(self.prefix + "/"):
                path = self.prefix + path
            scope = {**scope, "path": path, "root_path": self.prefix}
        await self.app(scope, receive, send)


def path_within(scope: Scope) -> str:
    """The path of a request below the subpath."""
    return scope["path"].removeprefix(scope.get("root_path", ""))
