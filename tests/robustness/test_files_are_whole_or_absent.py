"""Promise 2: every file we write appears complete or not at all, and never replaces one that it should not."""
import csv
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
import tiny_model
from PIL import Image

from modules.atomic_files import remove_orphans
from modules.imaging.embedded_text import read_infotext
from modules.styles import StyleTable

ROOT = Path(__file__).parents[2]

# Writes for ever, telling what is finished: everything announced on a line must be there after the kill. Imports are made once: each
# folder that is read from the input gets a process of its own.
WRITER = """
import os, sys, itertools
from pathlib import Path
from PIL import Image
from modules.imaging.filenames import NameContext
from modules.imaging.save import SaveOptions, remember_parameters, save_picture
from modules.imaging.save_log import append_to_log
from modules.settings.option import OptionInfo
from modules.settings.store import Options
from modules.styles import StyleTable

def write(folder, told):
    styles = StyleTable([folder / "styles.csv"])
    settings = Options({"round": OptionInfo(0), "padding": OptionInfo("")}, folder / "config.json")
    image = Image.effect_noise((96, 96), 60).convert("RGB")
    options = SaveOptions(pattern="[seed]", text_beside=True)
    for number in itertools.count(1):
        saved = save_picture(image, options, NameContext(seed=number), f"picture {number}", folder=folder / "pictures")
        print("picture", number, saved.path, file=told, flush=True)
        settings.set("round", number)
        settings.set("padding", "x" * 50000 + str(number))
        settings.save()
        remember_parameters(folder / "params.txt", "p" * 50000 + "end")
        styles.save("round", "s" * 50000, str(number))
        append_to_log(folder, {"prompt": "a, b" * 2000, "seed": number})
        print("round", number, file=told, flush=True)

for line in sys.stdin:
    folder = Path(line.strip())
    child = os.fork()
    if not child:
        with folder.with_suffix(".told").open("w") as told:
            write(folder, told)
    print(child, flush=True)
    os.waitpid(child, 0)
    print("ended", flush=True)
"""


def run_and_kill(writer: subprocess.Popen, folder: Path, after_seconds: float) -> list[list[str]]:
    """Let a process write there, kill it some time after it began, return the lines it had finished."""
    print(folder, file=writer.stdin, flush=True)
    child = int(writer.stdout.readline())
    time.sleep(after_seconds)
    os.kill(child, signal.SIGKILL)
    assert writer.stdout.readline() == "ended\n"
    told = folder.with_suffix(".told")
    lines = told.read_text().split("\n") if told.exists() else [""]
    return [line.split(" ", 2) for line in lines[:-1]]  # what follows the last line break was cut off


def check(folder: Path, finished: list[list[str]]) -> None:
    for path in (folder / "pictures").glob("*"):
        if path.suffix == ".png":
            image = Image.open(path)
            image.load()
            assert path.stem.endswith(f"-{(read_infotext(image) or '').removeprefix('picture ')}")
        elif path.suffix == ".txt":
            assert path.read_text().endswith("\n")
    for line in finished:
        assert line[0] != "picture" or Path(line[2]).is_file()
    rounds = [int(line[1]) for line in finished if line[0] == "round"]
    if (folder / "config.json").exists():
        settings = json.loads((folder / "config.json").read_text())
        assert settings["round"] >= max(rounds, default=0)
    if (folder / "config.json.bak").exists():
        json.loads((folder / "config.json.bak").read_text())
    if (folder / "params.txt").exists():
        assert (folder / "params.txt").read_text().endswith("end")
    if (folder / "styles.csv").exists():
        [style] = StyleTable([folder / "styles.csv"]).styles.values()
        assert style.prompt == "s" * 50000 and int(style.negative_prompt) >= max(rounds, default=0)
    if rounds:
        with open(folder / "log.csv", newline="") as file:
            assert {str(number) for number in rounds} <= {row["seed"] for row in csv.DictReader(file)}


def kill_often(tmp_path: Path, kills: int) -> None:
    delays = random.Random(1)
    with subprocess.Popen([sys.executable, "-c", WRITER], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                          env={**os.environ, "OMP_NUM_THREADS": "1"}) as writer:
        for kill in range(kills):
            folder = tmp_path / f"{kill:03d}"
            finished = run_and_kill(writer, folder, delays.uniform(0, 0.15))
            check(folder, finished)
            for place in (folder, folder / "pictures"):
                remove_orphans(place)
                assert not [path for path in place.glob(".*")]
        writer.stdin.close()


def test_no_file_is_damaged_by_kills_while_saving(tmp_path):
    kill_often(tmp_path, 10)


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_no_file_is_damaged_by_300_kills_while_saving(tmp_path):
    kill_often(tmp_path, 300)


def test_a_kill_between_link_and_unlink_leaves_the_picture_and_an_orphan_that_the_next_start_removes(tmp_path):
    program = ("import os, signal; from pathlib import Path; from modules.atomic_files import publish\n"
               "os.unlink = lambda path: os.kill(os.getpid(), signal.SIGKILL)\n"
               f"publish(Path({str(tmp_path)!r}), 'a.png', b'whole')")
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=False)
    assert (tmp_path / "a.png").read_bytes() == b"whole" and len(list(tmp_path.iterdir())) == 2
    assert remove_orphans(tmp_path) == 1
    assert (tmp_path / "a.png").read_bytes() == b"whole"


def test_two_programs_on_one_folder_keep_all_pictures_and_both_journals(tmp_path):
    data = tiny_model.make_data_dir(tmp_path / "data")
    words = ["generate", "--data-dir", str(data), "--model", "tiny-sd1-s1", "--steps", "2", "--width", "64", "--height", "64",
             "--count", "5", "--no-grid", "--json"]
    programs = [subprocess.Popen([sys.executable, "webui.py", *words, "--prompt", f"of {number}"], cwd=ROOT, stdout=subprocess.PIPE,
                                 stderr=subprocess.DEVNULL, text=True) for number in range(2)]
    answers = [json.loads(program.communicate(timeout=200)[0]) for program in programs]
    paths = [Path(image["path"]) for answer in answers for image in answer["images"]]
    assert [answer["status"] for answer in answers] == ["done", "done"] and len(set(paths)) == 10
    for answer, prompt in zip(answers, ("of 0", "of 1")):
        assert all((read_infotext(Image.open(image["path"])) or "").startswith(prompt) for image in answer["images"])
    with sqlite3.connect(next((data / "queue").glob("*.sqlite"))) as journal:
        assert journal.execute("SELECT count(*) FROM jobs WHERE status = 'done'").fetchone() == (2,)


def test_processes_that_save_into_one_folder_lose_no_picture(tmp_path):
    program = ("import sys; from pathlib import Path; from PIL import Image\n"
               "from modules.imaging.save import SaveOptions, save_picture; from modules.imaging.filenames import NameContext\n"
               "folder, options = Path(sys.argv[1]), SaveOptions(pattern='same')\n"
               "for i in range(15): save_picture(Image.new('L', (8, 8)), options, NameContext(), sys.argv[2], folder=folder)")
    writers = [subprocess.Popen([sys.executable, "-c", program, str(tmp_path), str(number)], cwd=ROOT) for number in range(3)]
    assert [writer.wait(60) for writer in writers] == [0, 0, 0]
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"{number:05d}-same.png" for number in range(45)]
    assert sorted(read_infotext(Image.open(path)) or "" for path in tmp_path.iterdir()) == sorted(["0", "1", "2"] * 15)
