"""python webui.py replay FILE...: pictures made again from what is stored in them, and compared."""
from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from modules import cmd_args
from modules.cli.following import ProgressBar, followed, program
from modules.errors import UserError
from modules.generation import replay
from modules.runtime import Runtime

SAME, OTHER, IMPOSSIBLE = 0, 1, 2

DESCRIPTION = """Make pictures again from what is stored in them, and compare. The exit status is 0 when all came back (identical,
or within the stated tolerance), 1 when one is different, 2 when one cannot be made again."""


def main(argv: Sequence[str]) -> int:
    """Replay the files that `argv` names; returns the exit status."""
    parser = cmd_args.make_parser()
    parser.prog, parser.description = "webui.py replay", DESCRIPTION
    parser.add_argument("--json", action="store_true", help="print one JSON object a file")
    parser.add_argument("files", nargs="+", metavar="FILE", type=Path, help="a picture saved by this program, or by one of its kind")
    args = parser.parse_intermixed_args(list(argv))
    with program(args) as rt:
        bar = ProgressBar(is_shown=not args.disable_console_progressbars)
        return max(reported(rt, path, bar, as_json=args.json) for path in args.files)


def reported(rt: Runtime, path: Path, bar: ProgressBar, *, as_json: bool) -> int:
    """Replay one file, say what came of it, and give its part of the exit status."""
    try:
        report = replay.report_of(followed(rt, replay.submit(rt, path.resolve()), bar))
    except UserError as error:
        print(json.dumps({"file": str(path), "error": str(error)}) if as_json else f"{path}: {error}", flush=True)
        return IMPOSSIBLE
    if as_json:
        print(json.dumps({"file": str(path), **asdict(report)}), flush=True)
    else:
        print(f"{path}: {replay.headline(report)}", *(f"  {reason}" for reason in report.why), sep="\n", flush=True)
        if report.verdict == "different":
            print(f"  The new picture: {report.path}")
    return IMPOSSIBLE if report.verdict == "impossible" else SAME if replay.is_close(report) else OTHER
