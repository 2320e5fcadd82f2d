"""What a list of prompts asks for: plain lines, lines of options, JSON, or a table."""
import csv
import io
import json
import math
import shlex

from modules import errors, sd_models, sd_samplers, shared


def _switch(text):
    known = {"true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False, "off": False}
    if str(text).lower() not in known:
        raise ValueError("true or false is expected")
    return known[str(text).lower()]


def _names(text):
    """One style, several with commas between them, or a list in JSON."""
    names = text if isinstance(text, list) else [text]
    if not all(isinstance(name, str) for name in names):
        raise ValueError("names are expected")
    if isinstance(text, list) or text in shared.prompt_styles.styles:
        return names
    return [name.strip() for name in text.split(",") if name.strip()]


def _checkpoint(text):
    info = sd_models.get_closet_checkpoint_match(str(text))
    if info is None:
        raise ValueError("there is no such checkpoint")
    return info.title


def _sampler(text):
    """The name as it is written: what it does not say of the schedule is as on the form."""
    try:
        sd_samplers.get_sampler_and_scheduler(str(text), None)
    except errors.UserError as error:
        raise ValueError(str(error)) from error
    return str(text)


def _sampler_place(text):
    place, count = _whole(text), len(sd_samplers.samplers)
    if not 0 <= place < count:
        raise ValueError(f"0 to {count - 1} is expected")
    return place


def _whole(text):
    try:
        return int(text)
    except (ValueError, TypeError, OverflowError):  # JSON knows lists, nothing and Infinity
        raise ValueError("a whole number is expected") from None


def _number(text):
    try:
        number = float(text)
    except (ValueError, TypeError, OverflowError):
        number = math.nan
    if not math.isfinite(number):
        raise ValueError("a number is expected")
    return number


def _at_least_one(text):
    number = _whole(text)
    if number < 1:
        raise ValueError("at least 1 is expected")
    return number


# Name of an option -> what its text becomes. Raises ValueError.
OPTIONS = {
    "prompt": str, "negative_prompt": str, "styles": _names, "sd_model": _checkpoint, "outpath_samples": str, "outpath_grids": str,
    "prompt_for_display": str, "seed": _whole, "subseed": _whole, "subseed_strength": _number, "seed_resize_from_h": _whole,
    "seed_resize_from_w": _whole, "sampler_index": _sampler_place, "sampler_name": _sampler, "batch_size": _at_least_one,
    "n_iter": _at_least_one, "steps": _at_least_one, "cfg_scale": _number, "width": _at_least_one, "height": _at_least_one,
    "restore_faces": _switch, "tiling": _switch, "do_not_save_samples": _switch, "do_not_save_grid": _switch,
}


def entries(text):
    """What `text` asks for, a dictionary of options per job, and sentences about what could not be understood.

    A list in JSON has texts or objects; a table begins with a line of option names; all else is one job per line, where a line
    that begins with "--" has options.
    """
    for reader in (_from_json, _from_table):
        rows = reader(text)
        if rows is not None:
            return _checked_rows(rows)
    found, problems = [], []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            found.append(from_options(line) if line.lstrip().startswith("--") else {"prompt": line.strip()})
        except ValueError as error:
            problems.append(f"Line {number} is used as a prompt: {error}.")
            found.append({"prompt": line.strip()})
    return found, problems


def from_options(line):
    """The options of a line such as `--prompt "a cat" --steps 20`. Raises ValueError."""
    words, found = shlex.split(line), {}
    while words:
        name = words.pop(0)
        if not name.startswith("--") or name[2:] not in OPTIONS:
            raise ValueError(f"{name} is no option")
        if not words:
            raise ValueError(f"{name} has no value")
        found[name[2:]] = _value(name[2:], words.pop(0))
    return found


def _value(name, value):
    try:
        return OPTIONS[name](value)
    except ValueError as error:
        raise ValueError(f"--{name} {value}: {error}") from error


def _from_json(text):
    """The rows of a list in JSON, None where the text is none."""
    if not text.lstrip().startswith("["):
        return None
    try:
        rows = json.loads(text)
    except ValueError:
        return None
    return [row if isinstance(row, dict) else {"prompt": str(row)} for row in rows]


def _from_table(text):
    """The rows of a comma-separated table whose first line names options, the prompt among them; None where the text is none."""
    first = text.lstrip("\ufeff \n").partition("\n")[0]
    header = [name.strip() for name in first.split(",")]
    if "prompt" not in header or len(header) < 2 or not set(header) <= set(OPTIONS):
        return None
    rows = csv.DictReader(io.StringIO(text.lstrip("\ufeff \n")), fieldnames=header, skipinitialspace=True)
    next(rows)
    return [{name: value for name, value in row.items() if name and value not in (None, "")} for row in rows]


def _checked_rows(rows):
    found, problems = [], []
    for number, row in enumerate(rows, 1):
        checked = {}
        for name, value in row.items():
            try:
                if name not in OPTIONS:
                    raise ValueError(f"{name} is no option")
                checked[name] = _value(name, value)
            except ValueError as error:
                problems.append(f"Entry {number}: {error}; it was left out.")
        if checked:
            found.append(checked)
    return found, problems
