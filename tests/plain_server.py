"""One plain server for the modules of tests that need nothing special of it, put back for each as it was when it started."""
import time
from pathlib import Path
from typing import Any

import tiny_model
from server_process import ServerProcess

# Below the data folder: what belongs to the person at the page, and nothing that the server keeps open.
RESTORED = ("cache/tmp", "embeddings", "extensions", "log", "models", "outputs", "styles-previews", "tags")


class PlainServer:
    """A server with the API on tiny data. It starts when it is first asked for, and anew when a test ended it."""

    def __init__(self, folder: Path):
        self.folder, self.starts = folder, 0
        self.server: ServerProcess | None = None

    def fresh(self) -> ServerProcess:
        """The server with the files and settings of its first moment, and nothing to do."""
        if self.server is None or not self.is_restored(self.server):
            self.close()
            self.starts += 1
            self.server = ServerProcess(tiny_model.make_data_dir(self.folder / f"data{self.starts}"), "--api").start()
            self.files, self.settings, self.styles = set(self.own_files()), self.options(), self.style_names()
        return self.server

    def is_restored(self, server: ServerProcess) -> bool:
        """Whether it could be put back. A server that keeps styles in memory, or that a failed test left in no good state, is given up."""
        try:
            self.restore(server)
            return self.options() == self.settings and self.style_names() == self.styles
        except (OSError, AssertionError):
            return False

    def restore(self, server: ServerProcess) -> None:
        for path in ("queue/discard", "queue/cancel-all", "queue/resume", "interrupt"):
            server.post(f"/internal/{path}", {})
        end = time.monotonic() + 60
        while server.get("/internal/queue")[1]["jobs"]:
            assert time.monotonic() < end, "a job of an earlier module does not end"
            time.sleep(0.05)
        while listed := server.get("/internal/gallery/pictures?count=500")[1]["pictures"]:
            assert time.monotonic() < end, "pictures of an earlier module cannot be deleted"
            server.post("/internal/gallery/delete", {"ids": [picture["id"] for picture in listed]})
        server.post("/internal/gallery/empty-bin", {"all": True})
        for path in set(self.own_files()) - self.files:
            path.unlink()
        server.post("/sdapi/v1/refresh-checkpoints", {})
        now = self.options()
        server.post("/sdapi/v1/options", {name: value for name, value in self.settings.items() if now.get(name) != value})

    def own_files(self) -> list[Path]:
        assert self.server is not None
        folder = self.server.data_dir
        return [*folder.glob("styles*.csv*"), *(path for name in RESTORED for path in (folder / name).rglob("*") if path.is_file())]

    def options(self) -> dict[str, Any]:
        assert self.server is not None
        return self.server.get("/sdapi/v1/options")[1]

    def style_names(self) -> list[str]:
        assert self.server is not None
        return [style["name"] for style in self.server.get("/internal/styles")[1]["styles"]]

    def close(self) -> None:
        if self.server is not None:
            self.server.close()
