"""The queue on disk: restarts, damage, two programs on one folder, full disks."""
import sqlite3
import threading

import pytest

from modules.errors import NotFound, UserError
from modules.jobs.job import FinishedPicture
from modules.jobs.store import Store, is_plain_json


def test_a_job_is_on_disk_before_it_runs(open_queue, tmp_path):
    queue = open_queue()
    job = queue.submit("echo", {"prompt": "a cat \ud800 \0"}, {"clip_skip": 2}, title="cat")
    with sqlite3.connect(tmp_path / "queue" / "queue.sqlite") as other:
        assert other.execute("SELECT id, status FROM jobs").fetchall() == [(job.id, "waiting")]
    queue.close()
    found = open_queue().unfinished()[0]
    assert (found.id, found.title, found.request, found.settings) == (job.id, "cat", {"prompt": "a cat \ud800 \0"}, {"clip_skip": 2})


def test_after_a_restart_nothing_starts_by_itself_and_resume_makes_the_missing_pictures(open_queue, tmp_path):
    queue, made = open_queue(), []
    job = queue.submit("draw", {"n_iter": 3}, {"clip_skip": 2}, job_id="task(x)")
    for index in range(2):
        path = tmp_path / f"{index}.png"
        path.write_bytes(b"whole")
        queue.note_picture(job, index, path, f"infotext {index} \ud800")
    (tmp_path / "1.png").unlink()
    queue.close()

    again = open_queue()
    again.register("draw", lambda job, state: made.extend(n for n in range(3) if job.picture(n) is None) or {})
    again.start()
    [left] = again.unfinished()
    assert left.status == "unfinished" and not again.jobs() and left.wait(0)
    assert left.picture(0) == FinishedPicture(index=0, path=str(tmp_path / "0.png"), infotext="infotext 0 \ud800")
    assert again.resume_unfinished("task(x)") == [left] and left.wait(10)
    assert made == [1, 2] and left.settings == {"clip_skip": 2} and left.status == "done" and not again.unfinished()


def test_discarding_forgets_the_job_for_good(open_queue):
    queue = open_queue()
    queue.submit("echo", {}, {}, job_id="a"), queue.submit("echo", {}, {}, job_id="b"), queue.submit("echo", {}, {}, job_id="c")
    queue.close()
    again = open_queue()
    again.discard("a")
    with pytest.raises(NotFound):
        again.discard("a")
    with pytest.raises(NotFound):
        again.resume_unfinished("a")
    assert [job.id for job in again.unfinished()] == ["b", "c"]
    again.discard()
    again.close()
    assert open_queue().unfinished() == []


def test_later_means_that_it_is_offered_again(open_queue):
    queue = open_queue()
    queue.submit("echo", {}, {}, job_id="a")
    queue.close()
    open_queue().close()
    assert [job.id for job in open_queue().unfinished()] == ["a"]


def test_a_request_that_json_cannot_hold_runs_but_cannot_be_resumed(open_queue):
    queue, seen = open_queue(), []
    queue.register("look", lambda job, state: seen.append(job.request["image"]) or {})
    value = threading.Lock()
    first = queue.submit("look", {"image": value}, {})
    queue.start()
    assert first.wait(10) and seen == [value] and not first.resumable
    queue.pause()
    queue.submit("look", {"image": {1, 2}}, {}, job_id="left")
    queue.close()
    again = open_queue()
    with pytest.raises(UserError, match="cannot be stored"):
        again.resume_unfinished("left")
    assert again.resume_unfinished() == [] and [job.id for job in again.unfinished()] == ["left"]


def test_a_transient_job_is_done_and_forgotten_and_never_offered_again(open_queue):
    queue = open_queue()
    queue.submit("echo", {}, {}, job_id="left", is_transient=True)
    queue.close()
    again = open_queue()
    assert again.unfinished() == []
    again.start()
    job = again.submit("echo", {}, {}, is_transient=True)
    assert job.wait(10) and job.status == "done" and again.recent() == [] and again.get(job.id) is None


@pytest.mark.parametrize("value, plain", [
    ({"a": [1, 2.5, "x", None, True, (1, 2)]}, True), ({1: 2}, False), ({"a": {1}}, False), (b"x", False), ({"a": [object()]}, False),
])
def test_what_json_can_hold(value, plain):
    assert is_plain_json(value) == plain


def test_results_are_still_there_after_a_restart(open_queue):
    queue = open_queue()
    queue.start()
    jobs = [queue.submit("echo", {"n": n}, {}) for n in range(3)]
    assert all(job.wait(10) for job in jobs)
    queue.close()
    again = open_queue()
    assert [job.id for job in again.recent()] == [job.id for job in reversed(jobs)]
    assert again.get(jobs[0].id).result == {"said": {"n": 0}} and again.get(jobs[0].id).wait(0)


def test_a_second_program_on_the_same_folder_takes_no_jobs_of_the_first(open_queue):
    first = open_queue()
    first.submit("echo", {}, {}, job_id="mine")
    second = open_queue()
    assert not second.unfinished() and second.get("mine") is None
    assert any("Another Easel" in notice for notice in second.notices) and not first.notices
    second.start()
    assert second.submit("echo", {}, {}).wait(10)
    first.start()
    assert first.get("mine").wait(10) and first.get("mine").status == "done"


def test_the_jobs_of_a_program_that_has_ended_are_offered_to_the_next(open_queue):
    first, second = open_queue(), open_queue()
    first.submit("echo", {}, {}, job_id="of the first")
    first.close()
    second.submit("echo", {}, {}, job_id="of the second")
    second.close()
    assert {job.id for job in open_queue().unfinished()} == {"of the first", "of the second"}


@pytest.mark.parametrize("content", [b"this is no database at all", b"SQLite format 3\0" + b"\xff" * 5000, b"\0" * 4096])
def test_a_damaged_file_is_set_aside_and_the_program_starts(open_queue, tmp_path, content):
    (tmp_path / "queue").mkdir()
    (tmp_path / "queue" / "queue.sqlite").write_bytes(content)
    queue = open_queue()
    queue.start()
    assert queue.submit("echo", {}, {}).wait(10)
    aside = list((tmp_path / "queue").glob("queue.damaged-*.sqlite"))
    assert len(aside) == 1 and aside[0].read_bytes() == content and any(aside[0].name in notice for notice in queue.notices)


def test_a_file_with_holes_in_it_is_set_aside(open_queue, tmp_path):
    queue = open_queue()
    for _ in range(100):
        queue.submit("echo", {"prompt": "x" * 500}, {})
    queue.close()
    path = tmp_path / "queue" / "queue.sqlite"
    whole = path.read_bytes()
    path.write_bytes(whole[:8192] + b"\xee" * 8192 + whole[16384:])
    again = open_queue()
    again.start()
    assert again.submit("echo", {}, {}).wait(10) and again.notices


def test_a_folder_that_cannot_be_made_leaves_a_queue_in_memory(open_queue, tmp_path):
    (tmp_path / "queue").write_text("a file, not a folder")
    queue = open_queue()
    queue.start()
    assert queue.submit("echo", {}, {}).wait(10) and "cannot be kept on disk" in queue.notices[0]


def test_one_unreadable_row_costs_one_job(open_queue, tmp_path):
    queue = open_queue()
    queue.submit("echo", {}, {}, job_id="good"), queue.submit("echo", {}, {}, job_id="bad")
    queue.close()
    with sqlite3.connect(tmp_path / "queue" / "queue.sqlite") as other:
        other.execute("UPDATE jobs SET request = '{' WHERE id = 'bad'")
    assert [job.id for job in open_queue().unfinished()] == ["good"]


def test_a_full_disk_neither_loses_the_job_nor_stops_the_worker(open_queue, monkeypatch):
    def full(*args):
        raise sqlite3.OperationalError("database or disk is full")

    queue = open_queue()
    queue.start()
    monkeypatch.setattr(Store, "save", full)
    monkeypatch.setattr(Store, "save_picture", full)
    job = queue.submit("echo", {}, {})
    queue.note_picture(job, 0, "x.png")
    assert job.wait(10) and job.status == "done" and "disk is full" in queue.notices[0] and len(queue.notices) == 1
    monkeypatch.undo()
    later = queue.submit("echo", {}, {})
    assert later.wait(10)
    queue.close()
    assert [job.id for job in open_queue().recent()] == [later.id]


def test_equal_settings_are_stored_once(open_queue, tmp_path):
    queue = open_queue()
    for n in range(20):
        queue.submit("echo", {}, {"clip_skip": 1 + n // 10})
    with sqlite3.connect(tmp_path / "queue" / "queue.sqlite") as other:
        assert other.execute("SELECT count(*) FROM settings").fetchone() == (2,)
