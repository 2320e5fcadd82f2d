import csv
import subprocess
import sys
from pathlib import Path

import pytest

from modules.errors import UserError
from modules.imaging.save_log import COLUMNS, append_to_log, copy_picture

WRITER = """
import sys
from pathlib import Path
from modules.imaging.save_log import append_to_log
for row in range(25):
    append_to_log(Path(sys.argv[1]), {"prompt": "a, \\"b\\"\\n" * 50, "seed": f"{sys.argv[2]}-{row}"})
"""


def rows(folder: Path) -> list[dict]:
    with open(folder / "log.csv", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_a_row_has_the_columns_of_the_contract(tmp_path):
    append_to_log(tmp_path, {"prompt": "a, 猫\n\"b\"", "seed": 5, "filename": "1.png"})
    assert list(rows(tmp_path)[0]) == list(COLUMNS)
    assert {key: value for key, value in rows(tmp_path)[0].items() if value} == {"prompt": "a, 猫\n\"b\"", "seed": "5", "filename": "1.png"}


def test_several_processes_lose_no_row(tmp_path):
    root = Path(__file__).parents[2]
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path), str(number)], cwd=root) for number in range(3)]
    assert [writer.wait(60) for writer in writers] == [0, 0, 0]
    assert {row["seed"] for row in rows(tmp_path)} == {f"{writer}-{row}" for writer in range(3) for row in range(25)}


def test_an_older_log_gets_the_missing_columns_and_keeps_its_own(tmp_path):
    (tmp_path / "log.csv").write_text('prompt,mine\n"old, row",7\n', encoding="utf-8")
    append_to_log(tmp_path, {"prompt": "new", "mine": "8", "extra": "9"})
    old, new = rows(tmp_path)
    assert (old["prompt"], old["mine"], new["prompt"], new["mine"], new["extra"]) == ("old, row", "7", "new", "8", "9")


def test_a_row_after_a_cut_off_one_starts_on_its_own_line(tmp_path):
    append_to_log(tmp_path, {"prompt": "first"})
    with open(tmp_path / "log.csv", "ab") as file:
        file.write(b"cut off,5")
    append_to_log(tmp_path, {"prompt": "second"})
    assert [row["prompt"] for row in rows(tmp_path)] == ["first", "cut off", "second"]


def test_a_row_that_does_not_fit_is_taken_back(tmp_path, faults):
    append_to_log(tmp_path, {"prompt": "first"})
    before = (tmp_path / "log.csv").read_bytes()
    with faults.failing("fsync"), pytest.raises(UserError, match="disk is full"):
        append_to_log(tmp_path, {"prompt": "second"})
    assert (tmp_path / "log.csv").read_bytes() == before


def test_a_copied_picture_keeps_its_name_and_replaces_nothing(tmp_path):
    source = tmp_path / "a.png"
    source.write_bytes(b"picture")
    copies = [copy_picture(source, tmp_path / "log") for _ in range(2)]
    assert [copy.name for copy in copies] == ["a.png", "a-1.png"] and copies[1].read_bytes() == b"picture"
