"""python webui.py txt2img and img2img: options and files of the CompVis scripts."""
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from modules.cli.compvis import common_parser
from modules.cli.following import ProgressBar
from modules.jobs.state import Snapshot


@pytest.fixture
def checkpoint(data_dir) -> Path:
    return data_dir / "models" / "Stable-diffusion" / "tiny-sd1-s1.safetensors"


def test_pictures_are_numbered_on_and_a_grid_shows_them_all(command, checkpoint, tmp_path):
    words = ("txt2img", "--prompt", "a cat", "--H", 64, "--W", 64, "--n_iter", 2, "--n_samples", 2, "--ddim_steps", 2, "--ckpt", checkpoint,
             "--outdir", tmp_path)
    status, out, _ = command(*words)
    assert status == 0 and sorted(path.name for path in (tmp_path / "samples").iterdir()) == [f"{n:05}.png" for n in range(4)]
    assert Image.open(tmp_path / "grid-0000.png").size == (128, 128) and len(out.split()) == 5
    first = Image.open(tmp_path / "samples" / "00000.png")
    assert "Sampler: DDIM" in first.info["parameters"] and "Seed: 42" in first.info["parameters"]
    command(*words, "--plms", "--skip_grid", "--fixed_code", "--n_samples", 1)
    names = sorted(path.name for path in tmp_path.rglob("*.png"))
    assert names == [*(f"{n:05}.png" for n in range(6)), "grid-0000.png"]
    fifth, sixth = (Image.open(tmp_path / "samples" / f"0000{n}.png") for n in (4, 5))
    assert np.array_equal(fifth, sixth) and "Sampler: PLMS" in fifth.info["parameters"]


def test_a_picture_is_brought_to_a_multiple_of_32(command, checkpoint, tmp_path):
    Image.new("RGB", (100, 70), "red").save(tmp_path / "in.png")
    status, out, _ = command("img2img", "--init-img", tmp_path / "in.png", "--prompt", "a cat", "--strength", 0.5, "--ddim_steps", 4,
                             "--n_samples", 1, "--ckpt", checkpoint, "--outdir", tmp_path, "--skip_grid")
    assert status == 0 and Image.open(out.strip()).size == (96, 64)
    assert "Denoising strength: 0.5" in Image.open(out.strip()).info["parameters"]


def test_ctrl_c_keeps_what_is_finished_and_takes_out_the_rest(command, checkpoint, tmp_path, monkeypatch):
    def press(bar: ProgressBar, snapshot: Snapshot) -> None:
        if snapshot.job_no and snapshot.sampling_step:
            raise KeyboardInterrupt

    monkeypatch.setattr(ProgressBar, "show", press)
    (tmp_path / "prompts.txt").write_text("a cat\na dog\n")
    status, out, _ = command("txt2img", "--from-file", tmp_path / "prompts.txt", "--H", 64, "--W", 64, "--n_iter", 20, "--n_samples", 1,
                             "--ddim_steps", 100, "--ckpt", checkpoint, "--outdir", tmp_path)
    saved = [str(path) for path in sorted((tmp_path / "samples").iterdir())]
    assert status == 130 and saved == out.split() and 1 <= len(saved) < 20
    assert all("a cat" in Image.open(path).info["parameters"] for path in saved)


@pytest.mark.parametrize("words", [("img2img", "--init-img", "missing.png"), ("img2img", "--init-img", "x.png", "--plms"), ("img2img",),
                                   ("txt2img", "--C", 5), ("txt2img", "--from-file", "missing.txt"), ("txt2img", "--ddim_steps", 0)])
def test_what_cannot_be_ends_with_2(command, words):
    status, _, err = command(*words)
    assert status == 2 and err and "Traceback" not in err


def test_the_defaults_are_those_of_the_scripts():
    args = common_parser("txt2img", n_iter=2, n_samples=3, scale=7.5).parse_args([])
    assert (args.ddim_steps, args.ddim_eta, args.n_iter, args.n_samples, args.n_rows, args.scale, args.seed) == (50, 0, 2, 3, 0, 7.5, 42)
    assert args.prompt == "a painting of a virus monster playing guitar" and args.outdir == Path("outputs/txt2img-samples")
