"""python webui.py txt2img and img2img: the options and the files of the first scripts for Stable Diffusion (CompVis, 2022)."""
from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from modules import cmd_args, img2img, txt2img
from modules.atomic_files import publish
from modules.cli.following import DONE, FAILED, REFUSED, ProgressBar, followed, program
from modules.cli.generate import existing, lines_of
from modules.errors import UserError
from modules.imaging.encode import png_bytes
from modules.imaging.grids import image_grid
from modules.jobs.job import Job
from modules.runtime import Runtime

DEFAULT_PROMPT = "a painting of a virus monster playing guitar"
CHANNELS, FACTOR, MULTIPLE_PX = 4, 8, 32


def txt2img_main(argv: Sequence[str]) -> int:
    """The command txt2img."""
    parser = common_parser("txt2img", n_iter=2, n_samples=3, scale=7.5)
    parser.add_argument("--plms", action="store_true", help="sample with PLMS instead of DDIM")
    parser.add_argument("--H", type=int, default=512, help="height in pixels")
    parser.add_argument("--W", type=int, default=512, help="width in pixels")
    args = parser.parse_args(list(argv))
    fields = {"width": args.W, "height": args.H, "sampler_name": "PLMS" if args.plms else "DDIM"}
    return run(args, fields)


def img2img_main(argv: Sequence[str]) -> int:
    """The command img2img."""
    parser = common_parser("img2img", n_iter=1, n_samples=2, scale=5.0)
    parser.add_argument("--init-img", type=Path, required=True, metavar="FILE", help="picture to begin with")
    parser.add_argument("--strength", type=float, default=0.75, help="how much of it is made anew, 0 to 1")
    parser.add_argument("--plms", action="store_true", help="refused, as ever: PLMS cannot begin with a picture here")
    args = parser.parse_args(list(argv))
    if args.plms:
        parser.error("--plms works with txt2img only")
    return run(args, {"sampler_name": "DDIM", "denoising_strength": args.strength, "init_images": [args.init_img]})


def common_parser(command: str, *, n_iter: int, n_samples: int, scale: float) -> argparse.ArgumentParser:
    """The options of both scripts; --ckpt and --precision are those of the program."""
    parser = cmd_args.make_parser()
    parser.prog, parser.description = f"webui.py {command}", f"The {command} script of CompVis, on this program."
    parser.add_argument("--prompt", default=DEFAULT_PROMPT, help="what to paint")
    parser.add_argument("--outdir", type=Path, default=Path(f"outputs/{command}-samples"), metavar="FOLDER", help="where the pictures go")
    parser.add_argument("--skip_grid", action="store_true", help="save no grid")
    parser.add_argument("--skip_save", action="store_true", help="save no single pictures")
    parser.add_argument("--ddim_steps", type=int, default=50, metavar="N", help="steps")
    parser.add_argument("--laion400m", action="store_true", help="accepted; the model of that time is not known here")
    parser.add_argument("--fixed_code", action="store_true", help="begin every iteration with the same noise")
    parser.add_argument("--ddim_eta", type=float, default=0.0, metavar="ETA", help="0: deterministic")
    parser.add_argument("--n_iter", type=int, default=n_iter, metavar="N", help="iterations per prompt")
    parser.add_argument("--C", type=int, default=CHANNELS, choices=(CHANNELS,), help="channels of the latent")
    parser.add_argument("--f", type=int, default=FACTOR, choices=(FACTOR,), help="pixels per latent pixel")
    parser.add_argument("--n_samples", type=int, default=n_samples, metavar="N", help="pictures per iteration")
    parser.add_argument("--n_rows", type=int, default=0, metavar="N", help="pictures in a row of the grid; 0: n_samples")
    parser.add_argument("--scale", type=float, default=scale, help="guidance")
    parser.add_argument("--from-file", metavar="FILE", help="one prompt a line")
    parser.add_argument("--config", metavar="FILE", help="accepted; the layout is found in the checkpoint, or in the yaml beside it")
    parser.add_argument("--seed", type=int, default=42, metavar="N", help="seed of the first picture")
    return parser


def run(args: argparse.Namespace, fields: dict[str, Any]) -> int:
    """Make the pictures of all prompts and one grid of them; returns the exit status."""
    fields = {**fields, "steps": args.ddim_steps, "cfg_scale": args.scale, "eta": args.ddim_eta, "batch_size": args.n_samples,
              "do_not_save_samples": True, "do_not_save_grid": True, "override_settings": {"return_grid": False}}
    with program(args) as rt:
        try:
            if "init_images" in fields:
                fields |= whole_size(existing(fields["init_images"][0]))
            prompts = prompts_of(args)
            jobs = [submitted(rt, {**fields, "prompt": prompt, **iteration}) for prompt in prompts for iteration in iterations(args)]
        except UserError as error:
            rt.queue.cancel_all()
            print(error, file=sys.stderr)
            return REFUSED
        return made(rt, args, jobs)


def made(rt: Runtime, args: argparse.Namespace, jobs: Sequence[Job]) -> int:
    """Wait for the jobs and save what they make; the exit status. Ctrl+C takes out the jobs after the running one."""
    bar, pictures, status = ProgressBar(is_shown=not args.disable_console_progressbars), [], DONE
    for job in jobs:
        try:
            followed(rt, job, bar)
        except KeyboardInterrupt:
            rt.queue.cancel_all()
            published(args, pictures_of(rt, job), job)
            raise
        own = pictures_of(rt, job)
        pictures += own
        status = max(status, published(args, own, job))
    if pictures and not args.skip_grid:
        print(grid_file(args, pictures))
    return status


def prompts_of(args: argparse.Namespace) -> list[str]:
    """The prompts, one job each. Raises UserError."""
    if not args.from_file:
        return [args.prompt]
    return [line for line in lines_of(args.from_file) if line.strip()]


def iterations(args: argparse.Namespace) -> list[dict[str, Any]]:
    """The fields of the jobs of one prompt: all iterations in one, or one job each where all begin with the same noise."""
    if args.fixed_code:
        return [{"seed": args.seed, "n_iter": 1}] * args.n_iter
    return [{"seed": args.seed, "n_iter": args.n_iter}]


def whole_size(path: Path) -> dict[str, int]:
    """Width and height of a picture, rounded down to a multiple of 32. Raises UserError."""
    from modules.imaging.open_picture import open_picture

    width, height = (side - side % MULTIPLE_PX for side in open_picture(path.read_bytes()).image.size)
    return {"width": width, "height": height}


def submitted(rt: Runtime, fields: dict[str, Any]) -> Job:
    return (img2img if "init_images" in fields else txt2img).submit(rt, fields)


def pictures_of(rt: Runtime, job: Job) -> list[tuple[Image.Image, str]]:
    """The pictures of a job with their infotexts, those that a stopped job finished included."""
    from modules.imaging.open_picture import open_picture
    from modules.imaging.unsaved import MEMORY_PREFIX

    images = (job.result or {}).get("images") or [{"path": picture.path, "infotext": picture.infotext} for picture in job.pictures]
    contents = [rt.unsaved.content(image["path"]) if image["path"].startswith(MEMORY_PREFIX) else Path(image["path"]).read_bytes()
                for image in images]
    return [(open_picture(content).image, image.get("infotext", "")) for image, content in zip(images, contents) if content]


def published(args: argparse.Namespace, pictures: list[tuple[Image.Image, str]], job: Job) -> int:
    """Save the single pictures under the next free numbers and print their paths; the job's part of the exit status."""
    folder = args.outdir / "samples"
    for image, infotext in () if args.skip_save else pictures:
        print(publish(folder, lambda number: f"{number:05}.png", png_bytes(image, infotext), first=lambda: len(list(folder.glob("*.png")))))
    if job.error:
        print(job.error, file=sys.stderr)
    return DONE if job.status == "done" else FAILED


def grid_file(args: argparse.Namespace, pictures: list[tuple[Image.Image, str]]) -> Path:
    """One sheet of all pictures, saved under the next free number."""
    per_row = args.n_rows or args.n_samples
    sheet = image_grid([image for image, _ in pictures], rows=-(-len(pictures) // per_row))
    return publish(args.outdir, lambda number: f"grid-{number:04}.png", png_bytes(sheet, pictures[0][1]),
                   first=lambda: len(list(args.outdir.glob("grid-*.png"))))
