"""python webui.py generate --prompt ...: pictures made from the command line, by the same jobs as those of the page."""
from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from modules import cmd_args, img2img, txt2img
from modules.cli.following import DONE, FAILED, REFUSED, ProgressBar, followed, program
from modules.errors import UserError
from modules.generation.fields import IMG2IMG_FIELDS, TXT2IMG_FIELDS, Field
from modules.imaging.foreign_infotext import read_parameters
from modules.jobs.job import Job
from modules.runtime import Runtime

DESCRIPTION = """Make pictures. With --init-image it is image to image. The paths of the pictures are printed, one a line; with --json
one object a job. The exit status is 0 when all jobs were done, 1 when one failed, 2 for a request that cannot be, 130 when stopped."""

# Fields that have an argument of their own here, or no meaning on a command line.
NOT_AS_FLAGS = frozenset({"override_settings", "override_settings_restore_afterwards", "do_not_save_samples", "do_not_save_grid"})
ALIASES = {"sampler_name": ("--sampler",), "n_iter": ("--count",)}


def main(argv: Sequence[str]) -> int:
    """Make what `argv` asks for; returns the exit status."""
    args = parser().parse_args(list(argv))
    with program(args) as rt:
        bar = ProgressBar(is_shown=not args.disable_console_progressbars)
        try:
            jobs = [submitted(rt, args, values) for values in requests(rt, args)]
        except UserError as error:
            rt.queue.cancel_all()
            print(error, file=sys.stderr)
            return REFUSED
        return max((made(rt, job, bar, as_json=args.json) for job in jobs), default=DONE)


def made(rt: Runtime, job: Job, bar: ProgressBar, *, as_json: bool) -> int:
    """Wait for a job and print what became of it; its part of the exit status. Ctrl+C takes out the jobs after it."""
    try:
        return reported(followed(rt, job, bar), as_json=as_json)
    except KeyboardInterrupt:
        rt.queue.cancel_all()
        reported(job, as_json=as_json)
        raise


def parser() -> argparse.ArgumentParser:
    """The flags of the program, one per field of a request, and those of this command."""
    made = cmd_args.make_parser()
    made.prog, made.description = "webui.py generate", DESCRIPTION
    own = made.add_argument_group("this command")
    own.add_argument("--from-file", metavar="FILE", help="one job a line: a prompt, or a JSON object of fields; - reads the input")
    own.add_argument("--like", type=Path, metavar="FILE", help="begin with the parameters stored in this picture")
    own.add_argument("--model", metavar="NAME", help="checkpoint, by name, title or hash")
    own.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="a setting for these jobs only; may be repeated")
    own.add_argument("--outdir", type=Path, metavar="FOLDER", help="where the pictures go, instead of the folder of the settings")
    own.add_argument("--no-grid", action="store_true", help="do not save a grid of several pictures")
    own.add_argument("--init-image", action="append", default=[], type=Path, metavar="FILE", help="picture to begin with")
    own.add_argument("--mask", type=Path, metavar="FILE", help="where the picture is painted again: white")
    own.add_argument("--json", action="store_true", help="print one JSON object a job")
    add_fields(made.add_argument_group("fields of the request"))
    return made


def add_fields(group: argparse._ArgumentGroup) -> None:
    """An argument for every field that text can give; values are checked where all requests are."""
    for field in {field.name: field for field in (*TXT2IMG_FIELDS, *IMG2IMG_FIELDS)}.values():
        if field.name in NOT_AS_FLAGS or field.kind in ("mapping", "values"):
            continue
        names = (flag_of(field), *ALIASES.get(field.name, ()))
        if field.kind == "boolean":
            group.add_argument(*names, dest=field.name, default=None, action=argparse.BooleanOptionalAction, help=field.label)
        elif field.kind == "names":
            group.add_argument(*names, dest=field.name, action="append", metavar="NAME", help=f"{field.label}; may be repeated")
        else:
            group.add_argument(*names, dest=field.name, metavar="TEXT" if field.kind in ("text", "choice") else "N", help=help_of(field))


def flag_of(field: Field) -> str:
    """--cfg-scale for cfg_scale."""
    return "--" + field.name.replace("_", "-")


def help_of(field: Field) -> str:
    if field.kind not in ("integer", "number"):
        return field.label
    return f"{field.label}, {field.range_text}" + (f" (default: {field.default})" if field.default is not None else "")


def requests(rt: Runtime, args: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """The fields of each job. Raises UserError."""
    common = stored_values(rt, args.like) if args.like else {}
    names = [field.name for field in (*TXT2IMG_FIELDS, *IMG2IMG_FIELDS)]
    common |= {name: value for name in names if (value := getattr(args, name, None)) is not None}
    if not args.from_file:
        yield common
        return
    for number, line in enumerate(lines_of(args.from_file), 1):
        if line.strip():
            yield {**common, **fields_in(line.strip(), number)}


def stored_values(rt: Runtime, path: Path) -> dict[str, Any]:
    """The parameters in a picture, as fields. Raises UserError."""
    from modules.generation.from_infotext import values_from_infotext

    text = parameters_in(path)
    if not text:
        raise UserError(f"{path} holds no parameters.")
    return values_from_infotext(rt, TXT2IMG_FIELDS, text)


def parameters_in(path: Path) -> str:
    """The infotext in a picture, "" where there is none. Raises UserError for a file that is no picture."""
    try:
        return read_parameters(path).text
    except OSError as error:
        raise UserError(f"{path} cannot be read.", f"{error.strerror}.") from error


def lines_of(name: str) -> list[str]:
    """The lines of a file, or of the input for "-". Raises UserError."""
    try:
        return (sys.stdin.read() if name == "-" else Path(name).read_text(encoding="utf-8-sig")).splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{name} cannot be read.", f"{error}.") from error


def fields_in(line: str, number: int) -> dict[str, Any]:
    """A line of a file of jobs: an object of fields, or a prompt. Raises UserError."""
    if not line.startswith("{"):
        return {"prompt": line}
    try:
        found = json.loads(line)
    except (json.JSONDecodeError, RecursionError) as error:
        if '"' not in line:  # a prompt such as "{red|green} cube"
            return {"prompt": line}
        raise UserError(f"Line {number} begins like a JSON object and is none.", f"{error}.") from error
    return dict(found)


def submitted(rt: Runtime, args: argparse.Namespace, values: dict[str, Any]) -> Job:
    """Queue one job. Raises UserError."""
    settings = {**(values.get("override_settings") or {}), "samples_save": True, **chosen_settings(rt, args)}
    values = {**values, "override_settings": settings, "do_not_save_grid": args.no_grid}
    if not args.init_image:
        return txt2img.submit(rt, values)
    return img2img.submit(rt, {**values, "init_images": [existing(path) for path in args.init_image],
                               "mask": existing(args.mask) if args.mask else None})


def existing(path: Path) -> Path:
    """The path, when a file is there. Raises UserError."""
    if not path.is_file():
        raise UserError(f"{path} is no file.")
    return path.resolve()


def chosen_settings(rt: Runtime, args: argparse.Namespace) -> dict[str, Any]:
    """Settings for these jobs that the arguments name. Raises UserError."""
    chosen: dict[str, Any] = {}
    for pair in args.set:
        key, mark, value = pair.partition("=")
        if not mark:
            raise UserError(f"--set {pair} has no value.", remedy="Write --set KEY=VALUE.")
        chosen[key.strip()] = rt.settings.checked(key.strip(), value)
    if args.model:
        chosen["sd_model_checkpoint"] = args.model
    if args.outdir:
        folder = str(args.outdir.resolve())
        chosen |= {"outdir_samples": folder, "outdir_grids": folder, "save_to_dirs": False, "grid_save_to_dirs": False}
    return chosen


def reported(job: Job, *, as_json: bool) -> int:
    """Print what became of a job; its part of the exit status."""
    result = job.result or {}
    images = result.get("images") or [{"path": picture.path, "infotext": picture.infotext} for picture in job.pictures]
    if as_json:
        print(json.dumps({"id": job.id, "status": job.status, "error": job.error, "images": images, "notes": result.get("notes", []),
                          "seconds": job.seconds}), flush=True)
    else:
        for image in images:
            print(image["path"], flush=True)
        for note in result.get("notes", ()):
            print(note, file=sys.stderr)
        if job.error:
            print(job.error, file=sys.stderr)
    return DONE if job.status == "done" else FAILED
