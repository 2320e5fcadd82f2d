"""Makes processes that work on a queue until they are killed: imports once, then forks one for each line on standard input."""
import os
import sys
import time
from pathlib import Path

from modules.jobs.queue import JobQueue

PICTURES = 4


def open_queue(folder: Path) -> JobQueue:
    """The queue of the folder, with a handler that publishes PICTURES files per job, whole or not at all."""
    queue = JobQueue.open(folder, history=100_000)

    def draw(job, state) -> dict:
        for index in range(PICTURES):
            if job.picture(index):
                continue
            path = folder / f"{job.id}-{index}-{time.time_ns()}.png"
            path.with_suffix(".tmp").write_bytes(content_of(job.id, index))
            os.replace(path.with_suffix(".tmp"), path)
            queue.note_picture(job, index, path)
            time.sleep(0.001)
        return {"drawn": PICTURES}

    queue.register("draw", draw)
    return queue


def content_of(job_id: str, index: int) -> bytes:
    return f"{job_id} {index};".encode() * 2000


def work(folder: Path) -> None:
    """Resume what was left, then submit and draw for ever. Ids that were accepted are appended to a list of their own."""
    queue = open_queue(folder)
    queue.resume_unfinished()
    queue.start()
    with (folder / "accepted.txt").open("ab", buffering=0) as accepted:
        while True:
            if len(queue.waiting()) < 5:
                job = queue.submit("draw", {"prompt": "a cat"}, {"clip_skip": 1})
                accepted.write(f"{job.id}\n".encode())
            time.sleep(0.0005)


if __name__ == "__main__":
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            work(Path(line.rstrip("\n")))
        print(child, flush=True)
        os.waitpid(child, 0)
        print("ended", flush=True)
