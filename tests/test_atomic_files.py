import os
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modules import atomic_files
from modules.atomic_files import OutsideFolder, publish, remove_orphans, resolve_inside, safe_name, write_atomically, write_problem


def names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


@pytest.fixture(params=["links", "no links"])
def file_system(request, monkeypatch):
    if request.param == "no links":
        monkeypatch.setattr(os, "link", lambda *_: (_ for _ in ()).throw(OSError(1, "Operation not permitted")))


def test_the_old_file_stays_whole_when_any_step_fails(tmp_path, monkeypatch):
    path = tmp_path / "config.json"
    write_atomically(path, b"old")
    for step in ("fsync", "replace"):
        with monkeypatch.context() as patch:
            patch.setattr(os, step, lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
            with pytest.raises(OSError):
                write_atomically(path, b"new")
        assert path.read_bytes() == b"old"
        assert names(tmp_path) == ["config.json"]


def test_the_previous_content_is_kept_when_asked_for(tmp_path, file_system):
    path, previous = tmp_path / "config.json", tmp_path / "config.json.bak"
    for content in (b"1", b"2", b"3"):
        write_atomically(path, content, previous=previous)
    assert (path.read_bytes(), previous.read_bytes(), names(tmp_path)) == (b"3", b"2", ["config.json", "config.json.bak"])


def test_a_failure_after_keeping_the_previous_content_leaves_no_trace(tmp_path, faults):
    path, previous = tmp_path / "config.json", tmp_path / "config.json.bak"
    write_atomically(path, b"1")
    for operation in ("link", "replace", "open", "fsync"):
        for fault in faults.each(operation):
            with fault, suppress(OSError):
                write_atomically(path, path.read_bytes() + b"1", previous=previous)
            assert set(path.read_bytes()) == {ord("1")}
            assert set(names(tmp_path)) <= {"config.json", "config.json.bak"}


def test_a_link_stays_a_link_and_the_mode_stays(tmp_path):
    real, link = tmp_path / "real.json", tmp_path / "link.json"
    real.write_bytes(b"old")
    real.chmod(0o640)
    link.symlink_to(real)
    write_atomically(link, b"new")
    assert link.is_symlink() and real.read_bytes() == b"new" and real.stat().st_mode & 0o777 == 0o640


def test_publishing_takes_the_next_free_number(tmp_path):
    (tmp_path / "0.png").write_bytes(b"there")
    assert publish(tmp_path, lambda number: f"{number}.png", b"new").name == "1.png"
    assert (tmp_path / "0.png").read_bytes() == b"there"


def test_publishing_a_fixed_name_twice_adds_a_number(tmp_path):
    assert [publish(tmp_path, "a.b.png", b"x").name for _ in range(3)] == ["a.b.png", "a.b-1.png", "a.b-2.png"]


def test_a_name_can_be_passed_over_for_other_reasons(tmp_path):
    (tmp_path / "0.txt").touch()
    path = publish(tmp_path, lambda number: f"{number}.png", b"x", taken=lambda path: path.with_suffix(".txt").exists())
    assert path.name == "1.png"


def test_many_threads_publish_without_losing_a_file(tmp_path, file_system):
    def work(worker: int) -> None:
        for i in range(20):
            publish(tmp_path, lambda number: f"{number:05}.png", f"{worker}:{i}".encode())

    threads = [threading.Thread(target=work, args=(worker,)) for worker in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert names(tmp_path) == [f"{number:05}.png" for number in range(100)]
    assert len({path.read_bytes() for path in tmp_path.iterdir()}) == 100


def test_a_number_counted_under_the_lock_is_never_shared(tmp_path):
    def first() -> int:
        return len(list(tmp_path.glob("*.png")))

    def work(worker: int) -> None:
        for _ in range(10):
            publish(tmp_path, lambda number: f"{number:03}-{worker}.png", b"x", first=first)

    threads = [threading.Thread(target=work, args=(worker,)) for worker in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({name.split("-")[0] for name in names(tmp_path)}) == 40


def test_a_failed_publish_leaves_nothing(tmp_path, file_system, monkeypatch):
    monkeypatch.setattr(os, "fsync", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(OSError):
        publish(tmp_path, "a.png", b"x")
    assert names(tmp_path) == []


def test_remains_of_dead_processes_are_removed_and_those_of_living_ones_are_not(tmp_path):
    program = "from modules import atomic_files as a; print(a._token())"
    token = subprocess.run([sys.executable, "-c", program], cwd=Path(__file__).parents[1], capture_output=True, text=True).stdout.strip()
    dead = tmp_path / f".{token}-00{atomic_files.PART_SUFFIX}"
    alive = tmp_path / f".{atomic_files._token()}-00{atomic_files.PART_SUFFIX}"
    old = tmp_path / f".00000000-1-00000000-00{atomic_files.PART_SUFFIX}"
    for path in (dead, alive, old, tmp_path / "picture.png"):
        path.touch()
    os.utime(old, (time.time() - 7200,) * 2)
    assert remove_orphans(tmp_path) == 2
    assert names(tmp_path) == sorted([alive.name, "picture.png"])


def test_the_first_publish_into_a_folder_removes_what_a_kill_left_there(tmp_path):
    old = tmp_path / f".00000000-1-00000000-00{atomic_files.PART_SUFFIX}"
    old.touch()
    os.utime(old, (time.time() - 7200,) * 2)
    publish(tmp_path, "a.png", b"x")
    assert names(tmp_path) == ["a.png"]


@pytest.mark.parametrize(
    "text, name",
    [
        ("a/b\\c:d", "a_b_c_d"), ("..", "_"), ("", "_"), ("  a. . ", "a"), ("CON", "_CON"), ("con.txt", "_con.txt"), ("console", "console"),
        ("COM1", "_COM1"), ("a\0b\nc", "a_b_c"), ("\ud800", "_"), ("日本", "日本"), ("\u202egnp.exe", "_gnp.exe"), ("aux .x", "_aux .x"),
    ],
)  # fmt: skip
def test_a_safe_name_is_a_name_on_every_system(text, name):
    assert safe_name(text) == name


def test_a_safe_name_is_cut_between_characters():
    assert safe_name("猫" * 300) == "猫" * 85
    assert safe_name("ab猫", 4) == "ab"


@given(st.text(), st.integers(1, 255))
def test_any_text_makes_a_safe_name(text, limit):
    name = safe_name(text, limit)
    assert 1 <= len(name.encode()) <= limit
    assert not set(name) & set('/\\\0:*?"<>|\n\r') and name not in (".", "..") and name[-1] not in " ."


ESCAPES = ["", "..", "a/../../b", "/etc/passwd", "\\a", "C:\\x", "c:x", "..\\x", "a\0b", "link/x", "link", "a/..", "\ud800/../x"]


@pytest.mark.parametrize("name", ESCAPES)
def test_a_name_that_leads_out_is_refused(tmp_path, name):
    root = tmp_path / "root"
    root.mkdir()
    (root / "link").symlink_to(tmp_path)
    with pytest.raises(OutsideFolder):
        resolve_inside(root, name)


def test_a_name_inside_is_resolved(tmp_path):
    (tmp_path / "sub").mkdir()
    assert resolve_inside(tmp_path, "sub/model: v1.safetensors") == Path(os.path.realpath(tmp_path)) / "sub" / "model: v1.safetensors"


def test_a_failed_write_becomes_a_sentence_with_cause_and_remedy(tmp_path):
    error = write_problem("the picture", tmp_path, OSError(28, "No space left on device"), alternative="choose another folder")
    assert str(error) == f"Cannot save the picture to {tmp_path}. The disk is full. Free some space, or choose another folder."
