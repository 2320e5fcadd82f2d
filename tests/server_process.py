"""A real server of the program in its own process, for tests that talk to it over HTTP or with a browser."""
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
GUARD = Path(__file__).resolve().parent / "socket_guard"


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


class ServerProcess:
    """`webui.py` on a free port of the loopback address, with its output in a file. Use it as a context manager.

    Whatever the process tries to reach outside this machine is refused, and fails the test when the server is closed.
    """

    def __init__(self, data_dir: Path, *args: str, port: int | None = None, env: dict[str, str] | None = None, wait_s: float = 120):
        self.data_dir, self.port, self.wait_s = data_dir, port or free_port(), wait_s
        self.url = f"http://127.0.0.1:{self.port}"
        self.log_file = data_dir / f"server-{self.port}.log"
        self.attempts_file = data_dir / f"server-{self.port}-attempts.txt"
        self.command = [sys.executable, str(ROOT / "webui.py"), "--port", str(self.port), "--data-dir", str(data_dir), *args]
        search = os.pathsep.join(filter(None, (str(GUARD), os.environ.get("PYTHONPATH", ""))))
        ours = {"PYTHONPATH": search, "EASEL_SOCKET_GUARD": str(self.attempts_file), "PYTHONUNBUFFERED": "1"}
        self.env = {**os.environ, **ours, **(env or {})}
        self.env.pop("COMMANDLINE_ARGS", None)
        self.process: subprocess.Popen | None = None

    def __enter__(self) -> "ServerProcess":
        return self.start()

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def start(self) -> "ServerProcess":
        """Start the process and return when it answers. Raises AssertionError with the log when it ends before that."""
        with self.log_file.open("ab") as log:
            self.process = subprocess.Popen(
                self.command, cwd=self.data_dir, env=self.env, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
            )
        end = time.monotonic() + self.wait_s
        while not self.answers():
            if self.process.poll() is not None:
                raise AssertionError(f"the server ended with {self.process.returncode}:\n{self.log()}")
            if time.monotonic() > end:
                self.kill()
                raise AssertionError(f"no answer after {self.wait_s:.0f} s:\n{self.log()}")
            time.sleep(0.1)
        return self

    def answers(self) -> bool:
        """Whether the page is served; a login that is asked for counts."""
        try:
            with urllib.request.urlopen(self.url + "/", timeout=30) as reply:
                return reply.status < 500
        except urllib.error.HTTPError as error:
            return error.code < 500
        except OSError:
            return False

    def log(self) -> str:
        return self.log_file.read_text(encoding="utf-8", errors="replace") if self.log_file.exists() else ""

    def attempts(self) -> list[str]:
        """Hosts outside this machine that the process tried to reach."""
        return self.attempts_file.read_text().splitlines() if self.attempts_file.exists() else []

    def forget_attempts(self) -> None:
        """For a test that wanted one."""
        self.attempts_file.unlink(missing_ok=True)

    def kill(self) -> None:
        """As the power switch does."""
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    @contextmanager
    def killed(self) -> Iterator[None]:
        """Killed now, and started again on the same port and folder after the block."""
        self.kill()
        try:
            yield
        finally:
            self.start()

    def terminate(self, wait_s: float = 20) -> int | None:
        """As Ctrl+C does; killed when that takes longer than `wait_s`. Returns the exit code."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT if os.name != "nt" else signal.SIGTERM)
            try:
                self.process.wait(wait_s)
            except subprocess.TimeoutExpired:
                self.kill()
        return self.process.returncode if self.process else None

    def close(self) -> None:
        self.terminate()
        assert not self.attempts(), f"the server tried to reach {sorted(set(self.attempts()))}"

    def request(self, method: str, path: str, body: Any = None, timeout: float = 120, **headers: str) -> tuple[int, Any]:
        """Status and answer; the answer is parsed where it is JSON."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, {"Content-Type": "application/json", **headers}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=timeout) as reply:
                return reply.status, parsed(reply.read())
        except urllib.error.HTTPError as error:
            return error.code, parsed(error.read())

    def get(self, path: str, **keywords: Any) -> tuple[int, Any]:
        return self.request("GET", path, **keywords)

    def post(self, path: str, body: Any = None, **keywords: Any) -> tuple[int, Any]:
        return self.request("POST", path, body, **keywords)


def parsed(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return body
