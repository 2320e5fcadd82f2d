"""python webui.py generate and info: pictures from the command line, and what they hold."""
import json
import os
from pathlib import Path

import pytest
from PIL import Image

from modules.cli.following import ProgressBar, bar_text
from modules.cli.generate import fields_in, parser
from modules.errors import UserError
from modules.generation.fields import IMG2IMG_FIELDS, TXT2IMG_FIELDS
from modules.jobs.state import Snapshot

TINY = ("--steps", 2, "--width", 64, "--height", 64, "--sampler", "Euler", "--model", "tiny-sd1-s1")


@pytest.fixture(scope="module")
def made(data_dir, tmp_path_factory) -> tuple[Path, dict]:
    """A picture made with --json, and what was printed of it."""
    import contextlib
    import io

    import webui

    folder, out = tmp_path_factory.mktemp("made"), io.StringIO()
    with contextlib.redirect_stdout(out):
        status = webui.main([*map(str, ("generate", "--prompt", "a cat", *TINY, "--seed", 5, "--outdir", folder, "--json",
                                        "--data-dir", data_dir))])
    assert status == 0
    printed = json.loads(out.getvalue())
    return Path(printed["images"][0]["path"]), printed


def test_a_picture_lies_in_the_chosen_folder_and_is_described(made):
    path, printed = made
    assert path.is_file() and Image.open(path).size == (64, 64) and printed["status"] == "done" and printed["images"][0]["seed"] == 5
    assert printed["images"][0]["infotext"] == Image.open(path).info["parameters"]


def test_info_prints_the_parameters_as_text_and_as_data(made, command, tmp_path):
    path, printed = made
    assert command("info", path) == (0, printed["images"][0]["infotext"] + "\n", "")
    data = json.loads(command("info", path, "--json")[1])
    assert data["fields"]["Seed"] == "5" and data["infotext"] == printed["images"][0]["infotext"]
    Image.new("RGB", (8, 8)).save(tmp_path / "plain.png")
    (tmp_path / "text.png").write_text("no picture")
    assert command("info", tmp_path / "plain.png")[0] == 1
    assert command("info", path, tmp_path / "text.png")[0] == command("info", tmp_path / "missing.png")[0] == 2


def test_like_makes_the_same_picture_and_fields_given_beside_it_win(made, command):
    path, _ = made
    status, out, _ = command("generate", "--like", path, "--model", "tiny-sd1-s1", "--json")
    again = json.loads(out)["images"][0]
    assert status == 0 and list(Image.open(again["path"]).getdata()) == list(Image.open(path).getdata())


def test_a_file_gives_one_job_a_line_and_the_paths_are_printed(command, tmp_path):
    jobs = tmp_path / "jobs.txt"
    jobs.write_text('a dog\n\n{"prompt": "a cow", "seed": 7}\n')
    status, out, _ = command("generate", "--from-file", jobs, *TINY, "--outdir", tmp_path)
    infotexts = [Image.open(path).info["parameters"] for path in out.splitlines()]
    assert status == 0 and [text.split("\n")[0] for text in infotexts] == ["a dog", "a cow"] and "Seed: 7" in infotexts[1]


def test_with_a_picture_it_is_image_to_image(made, command):
    status, out, err = command("generate", "--init-image", made[0], "--prompt", "a dog", *TINY, "--denoising-strength", 0.5, "--json")
    assert status == 0 and "Denoising strength: 0.5" in json.loads(out)["images"][0]["infotext"]


@pytest.mark.parametrize("words, said", [
    (("--steps", "many"), "Sampling steps"), (("--sampler", "Nope"), "Nope"), (("--model", "nope"), "nope"),
    (("--set", "nonsense=1"), "nonsense"), (("--set", "nonsense"), "--set"),
    (("--from-file", "missing.txt"), "missing.txt"), (("--like", "missing.png"), "missing.png"),
    (("--init-image", "missing.png"), "missing.png"),
])
def test_a_request_that_cannot_be_ends_with_2_and_a_sentence(command, words, said):
    status, out, err = command("generate", "--prompt", "x", *words)
    assert (status, out) == (2, "") and said in err and "Traceback" not in err


def test_unknown_arguments_end_with_2(command):
    assert command("generate", "--promt", "x")[0] == 2


def test_ctrl_c_stops_the_job_and_those_after_it(command, tmp_path, monkeypatch):
    pressed = []

    def press(bar: ProgressBar, snapshot: Snapshot) -> None:
        if snapshot.sampling_step and not pressed:  # a second press would not wait for the job's end
            pressed.append(snapshot)
            raise KeyboardInterrupt

    monkeypatch.setattr(ProgressBar, "show", press)
    jobs = tmp_path / "jobs.txt"
    jobs.write_text("a dog\na cow\na cat\n")
    status, out, _ = command("generate", "--from-file", jobs, *TINY, "--steps", 1000, "--json")
    assert status == 130 and json.loads(out)["status"] == "interrupted"


def test_every_field_has_an_argument():
    known = {action.dest for action in parser()._actions}
    fields = {field.name for field in (*TXT2IMG_FIELDS, *IMG2IMG_FIELDS) if field.kind != "mapping"}
    assert fields - known == {"do_not_save_samples", "do_not_save_grid", "override_settings_restore_afterwards"}


def test_a_line_with_braces_is_a_prompt_unless_it_is_an_object():
    assert fields_in("{red|green} cube", 1) == {"prompt": "{red|green} cube"}
    with pytest.raises(UserError, match="Line 3"):
        fields_in('{"prompt": ', 3)


def test_the_bar_shows_batch_step_and_time():
    snapshot = Snapshot(progress=0.5, job_no=1, job_count=3, sampling_step=2, sampling_steps=4)
    assert bar_text(snapshot) == f"[{'#' * 15}{'-' * 15}]  50%, batch 2 of 3, step 2 of 4"
    with open(os.devnull, "w") as nowhere:
        assert not ProgressBar(nowhere).is_shown
