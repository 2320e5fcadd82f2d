"""python webui.py merge A B ...: checkpoints merged from the command line."""
from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import MISSING, Field, fields

from modules import cmd_args, merging
from modules.cli.following import DONE, FAILED, REFUSED, ProgressBar, followed, program
from modules.errors import UserError
from modules.merging import MergeRequest

DESCRIPTION = """Merge checkpoints of the program, named by title, name or hash. The path of the new file is printed. The exit status is 0
when it was written, 1 when that failed, 2 for a request that cannot be."""
BY_PLACE = ("primary", "secondary", "tertiary")


def main(argv: Sequence[str]) -> int:
    """Merge what `argv` names; returns the exit status."""
    args = parser().parse_intermixed_args(list(argv))
    values = {field.name: getattr(args, field.name) for field in fields(MergeRequest)}
    with program(args) as rt:
        try:
            job = merging.submit(rt, MergeRequest(**values))
        except UserError as error:
            print(error, file=sys.stderr)
            return REFUSED
        followed(rt, job, ProgressBar(is_shown=not args.disable_console_progressbars))
    result = job.result or {}
    if args.json:
        print(json.dumps({"status": job.status, "error": job.error, "path": result.get("path"), "notes": result.get("notes", [])}))
    else:
        print(result.get("path", job.error), file=sys.stdout if "path" in result else sys.stderr)
    return DONE if job.status == "done" else FAILED


def parser() -> argparse.ArgumentParser:
    """The flags of the program, and one per field of a merge."""
    made = cmd_args.make_parser()
    made.prog, made.description = "webui.py merge", DESCRIPTION
    for name in BY_PLACE:
        made.add_argument(name, nargs=None if name == "primary" else "?", default="", metavar=name.upper(), help="a checkpoint")
    made.add_argument("--json", action="store_true", help="print a JSON object")
    group = made.add_argument_group("the merge")
    for field in fields(MergeRequest):
        if field.name not in BY_PLACE:
            add_field(group, field)
    return made


def add_field(group: argparse._ArgumentGroup, field: Field) -> None:
    """An argument with the field's default and type."""
    assert field.default is not MISSING
    flag = "--" + field.name.replace("_", "-")
    if field.default is False:
        group.add_argument(flag, dest=field.name, action="store_true")
    elif isinstance(field.default, bool):
        group.add_argument(flag, dest=field.name, default=field.default, action=argparse.BooleanOptionalAction)
    else:
        group.add_argument(flag, dest=field.name, default=field.default, type=type(field.default), metavar="VALUE",
                           help=f"default: {field.default}" if field.default != "" else None)
