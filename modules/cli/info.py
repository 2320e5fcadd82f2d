"""python webui.py info FILE...: the parameters stored in pictures, whatever program made them."""
from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from modules.errors import UserError
from modules.imaging import infotext
from modules.imaging.foreign_infotext import Reading, read_parameters

FOUND, WITHOUT, UNREADABLE = 0, 1, 2

DESCRIPTION = """Print the parameters that pictures hold. The exit status is 0 when all had some, 1 when one had none, 2 when one is no
picture."""


def main(argv: Sequence[str]) -> int:
    """Print what is in the files; returns the exit status. Nothing of the program is started for it."""
    parser = argparse.ArgumentParser(prog="webui.py info", description=DESCRIPTION)
    parser.add_argument("files", nargs="+", metavar="FILE", type=Path)
    parser.add_argument("--json", action="store_true", help="print one JSON object a file")
    args = parser.parse_args(list(argv))
    return max(reported(path, as_json=args.json, with_name=len(args.files) > 1) for path in args.files)


def reported(path: Path, *, as_json: bool, with_name: bool) -> int:
    """Print what one file holds; its part of the exit status."""
    try:
        reading = read_parameters(path)
    except (UserError, OSError) as error:
        sentence = str(error) if isinstance(error, UserError) else f"It cannot be read: {error.strerror}."
        print(json.dumps({"file": str(path), "error": sentence}) if as_json else f"{path}: {sentence}",
              file=sys.stdout if as_json else sys.stderr)
        return UNREADABLE
    if as_json:
        print(json.dumps({"file": str(path), **described(reading)}))
    elif reading.text:
        print(f"{path}:\n{reading.text}\n" if with_name else reading.text)
    else:
        print(f"{path} holds no parameters.", file=sys.stderr)
    return FOUND if reading.text else WITHOUT


def described(reading: Reading) -> dict[str, Any]:
    """A reading as plain data."""
    fields = infotext.read_fields(reading.text) if reading.text else {}
    return {"infotext": reading.text, "program": reading.program, "notes": list(reading.notes), "fields": fields, "texts": reading.others}
