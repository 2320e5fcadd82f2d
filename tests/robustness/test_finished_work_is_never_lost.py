"""Promise 1: a finished picture, and a job that was accepted, survive whatever happens to the process."""
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from robustness.queue_process import PICTURES, content_of, open_queue

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.skipif(os.name == "nt", reason="processes are forked and killed the POSIX way")


def kill_again_and_again(folder: Path, kills: int) -> None:
    """Let processes work on the queue, each killed at a random moment."""
    maker = subprocess.Popen([sys.executable, "-m", "tests.robustness.queue_process"], cwd=ROOT, text=True,
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**os.environ, "OMP_NUM_THREADS": "1"})
    dice = random.Random(1)
    with maker:
        for _ in range(kills):
            print(folder, file=maker.stdin, flush=True)
            child = int(maker.stdout.readline())
            time.sleep(dice.uniform(0.01, 0.25))
            os.kill(child, signal.SIGKILL)
            assert maker.stdout.readline() == "ended\n"
        maker.stdin.close()


def check_that_nothing_is_lost(folder: Path, kills: int) -> None:
    accepted = (folder / "accepted.txt").read_text().split()
    queue = open_queue(folder)
    noted = {(job.id, picture.index): picture.path for job in queue.unfinished() for picture in job.pictures}
    queue.resume_unfinished()
    queue.start()
    jobs = {job_id: queue.get(job_id) for job_id in accepted}
    for job_id, job in jobs.items():
        assert job is not None and job.wait(30) and job.status == "done", job_id
        assert sorted(picture.index for picture in job.pictures) == list(range(PICTURES))
        for picture in job.pictures:
            assert Path(picture.path).read_bytes() == content_of(job_id, picture.index)
            assert noted.get((job_id, picture.index), picture.path) == picture.path
    queue.close()
    made = Counter(path.name.rsplit("-", 1)[0] for path in folder.glob("*.png"))
    # Only a picture that was on disk but not yet noted when the process died may have been made twice.
    assert sum(made.values()) - len(made) <= kills and not queue.notices


def test_ten_kills_lose_no_job_and_no_picture(tmp_path):
    kill_again_and_again(tmp_path, 10)
    check_that_nothing_is_lost(tmp_path, 10)


@pytest.mark.long
@pytest.mark.timeout(1200)
def test_three_hundred_kills_lose_no_job_and_no_picture(tmp_path):
    kill_again_and_again(tmp_path, 300)
    check_that_nothing_is_lost(tmp_path, 300)


def test_an_error_after_the_second_picture_keeps_both(tmp_path):
    queue = open_queue(tmp_path)

    def fail(job, state):
        for index in range(2):
            queue.note_picture(job, index, tmp_path / f"{index}.png")
        raise RuntimeError("the third picture")

    queue.register("fail", fail)
    job = queue.submit("fail", {}, {})
    queue.start()
    assert job.wait(10) and job.status == "failed" and [picture.index for picture in job.pictures] == [0, 1]
    queue.close()
    again = open_queue(tmp_path)
    assert [picture.index for picture in again.get(job.id).pictures] == [0, 1]
    again.close()
