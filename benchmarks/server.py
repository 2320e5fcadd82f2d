"""A server with many clients: python benchmarks/server.py [--steps 150] [--repeat 8] [--followers 200] [--pages 20] [--jobs 1000]

Times one job alone, with followers of its event stream and with pages that poll; the answers of GET progress while a job runs; and
submitting and listing with a full queue. The clients run in a process of their own on the same machine. Alone and watched take turns, and
the fastest of each are compared: what else the machine does can only add to a time.
"""
import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path

import psutil

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from server_process import ServerProcess

JOBS = "/sdapi/v1/jobs"
PAGE_POLLS_EVERY_S = 0.5
HERE = "127.0.0.1"


class Server(ServerProcess):
    """The program on an empty data folder with the demo model."""

    def ask(self, method: str, path: str, body: object = None) -> dict:
        """The answer to one request, over a connection of its own."""
        status, answer = self.request(method, path, body, timeout=600)
        assert status < 300, answer
        return answer

    def job(self, steps: int, number: int = 0) -> str:
        """The id of a new job."""
        request = {"prompt": f"a red circle, {number}", "steps": steps, "width": 128, "height": 128, "sampler_name": "Euler"}
        return self.ask("POST", f"{JOBS}/txt2img", request)["id"]

    def seconds(self, job_id: str) -> float:
        """How long the work of a job took, when it is over."""
        while (job := self.ask("GET", f"{JOBS}/{job_id}"))["status"] in ("waiting", "running"):
            time.sleep(0.25)
        assert job["status"] == "done", job["error"]
        return job["seconds"]

    def cpu_seconds(self) -> float:
        """Processor time that the server has used so far; other programs on the machine hardly change it."""
        times = psutil.Process(self.process.pid).cpu_times()
        return times.user + times.system


async def request_text(writer: asyncio.StreamWriter, method: str, path: str, body: bytes = b"") -> None:
    head = f"{method} {path} HTTP/1.1\r\nHost: {HERE}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    writer.write(head.encode() + body)
    await writer.drain()


async def follow(port: int, job_id: str) -> None:
    """Read the events of a job until it ends."""
    reader, writer = await asyncio.open_connection(HERE, port)
    await request_text(writer, "GET", f"{JOBS}/{job_id}/events")
    text = b""
    while b"event: end" not in text:
        piece = await reader.read(1 << 16)
        if not piece:
            break
        text = text[-20:] + piece
    writer.close()


async def poll_as_a_page(port: int, job_id: str) -> None:
    """Ask for the progress of a job as the page does, previews included, until it is over."""
    reader, writer = await asyncio.open_connection(HERE, port)
    last_preview = -1
    while True:
        body = json.dumps({"id_task": job_id, "id_live_preview": last_preview, "live_preview": True}).encode()
        await request_text(writer, "POST", "/internal/progress", body)
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length"))
        state = json.loads(await reader.readexactly(length))
        last_preview = state["id_live_preview"]
        if state["completed"]:
            break
        await asyncio.sleep(PAGE_POLLS_EVERY_S)
    writer.close()


async def many(client: Callable, count: int, port: int, job_id: str) -> None:
    await asyncio.gather(*(client(port, job_id) for _ in range(count)))


@contextmanager
def clients(kind: str, count: int, port: int, job_id: str):
    """So many clients in a process of their own; they end with the job."""
    process = subprocess.Popen([sys.executable, __file__, "--as", kind, str(count), str(port), job_id]) if count else None
    yield
    if process:
        process.wait(60)


def cost_of_watching(server: Server, arguments: argparse.Namespace, kind: str, count: int) -> tuple[float, float]:
    """How many times longer a job takes with these clients than alone, and how many times more processor time the server needs."""
    alone, watched = [], []
    for number in range(arguments.repeat):
        began = server.cpu_seconds()
        seconds = server.seconds(server.job(arguments.steps, number))
        alone.append((seconds, server.cpu_seconds() - began))
        server.ask("POST", "/internal/queue/pause", {})
        job_id = server.job(arguments.steps, number)
        with clients(kind, count, server.port, job_id):
            time.sleep(2)  # all of them are connected before the work begins
            began = server.cpu_seconds()
            server.ask("POST", "/internal/queue/resume", {})
            seconds = server.seconds(job_id)
        watched.append((seconds, server.cpu_seconds() - began))
    (fastest, least_cpu), (fastest_watched, least_cpu_watched) = (map(min, zip(*runs, strict=True)) for runs in (alone, watched))
    return fastest_watched / fastest, least_cpu_watched / least_cpu


def progress_times(server: Server, steps: int) -> list[float]:
    """Milliseconds of each GET progress while a job runs."""
    job_id, times = server.job(steps), []
    while server.ask("GET", f"{JOBS}/{job_id}")["status"] in ("waiting", "running"):
        for _ in range(20):
            began = time.perf_counter()
            server.ask("GET", "/sdapi/v1/progress")
            times.append((time.perf_counter() - began) * 1000)
            time.sleep(0.02)
    return times


def full_queue_times(server: Server, count: int) -> tuple[list[float], list[float]]:
    """Milliseconds of each submission of `count` jobs, and of listing all of them."""
    server.ask("POST", "/internal/queue/pause", {})
    submits, lists = [], []
    for number in range(count):
        began = time.perf_counter()
        server.job(1, number)
        submits.append((time.perf_counter() - began) * 1000)
    for _ in range(20):
        began = time.perf_counter()
        listed = server.ask("GET", f"{JOBS}?limit={count}")
        lists.append((time.perf_counter() - began) * 1000)
        assert listed["total"] >= count
    server.ask("POST", "/internal/queue/cancel-all", {})
    server.ask("POST", "/internal/queue/resume", {})
    return submits, lists


def percentile(times: list[float], part: float) -> float:
    return sorted(times)[min(len(times) - 1, int(len(times) * part))]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name, default in (("steps", 150), ("repeat", 8), ("followers", 200), ("pages", 20), ("jobs", 1000), ("port", 7899)):
        parser.add_argument(f"--{name}", type=int, default=default)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, Server(Path(folder), "--api", port=arguments.port) as server:
        server.seconds(server.job(4))  # loads the model
        print(f"{'':52} {'measured':>10} {'wanted':>10}")
        for kind, count, most in (("follow", arguments.followers, 1.10), ("poll", arguments.pages, 1.05)):
            what = f"{count} {'followers of the event stream' if kind == 'follow' else 'polling pages'}"
            ratio, cpu_ratio = cost_of_watching(server, arguments, kind, count)
            print(f"{f'{what}: time of a job':52} {ratio:10.3f} {most:10.2f}")
            print(f"{f'{what}: processor time of the server':52} {cpu_ratio:10.3f}", flush=True)
        times = progress_times(server, arguments.steps * 2)
        print(f"{'GET progress while a job runs: p50, ms':52} {percentile(times, 0.5):10.1f}")
        print(f"{'GET progress while a job runs: p99, ms':52} {percentile(times, 0.99):10.1f} {20:10}", flush=True)
        submits, lists = full_queue_times(server, arguments.jobs)
        for what, row in (("submit", submits), ("list", lists)):
            print(f"{f'{arguments.jobs} waiting jobs: {what}, p50, ms':52} {percentile(row, 0.5):10.1f}")
            print(f"{f'{arguments.jobs} waiting jobs: {what}, p99, ms':52} {percentile(row, 0.99):10.1f} {50:10}", flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--as"]:
        kind, count, port, job_id = sys.argv[2:6]
        asyncio.run(many({"follow": follow, "poll": poll_as_a_page}[kind], int(count), int(port), job_id))
    else:
        main()
