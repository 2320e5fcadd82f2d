"""What is written in the value box of an axis: lists with quotes, and ranges."""
import csv
import io
import itertools
import re
from decimal import Decimal

MOST_VALUES = 10_000

_NUMBER = r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)"
RANGE = re.compile(rf"({_NUMBER})\s*-\s*({_NUMBER})\s*(?:\(\s*([+-]?\s*{_NUMBER})\s*\)|\[\s*(\d+)\s*\])?")


def split(text):
    """The values of a list such as `a, "b, c", d`, without outer spaces; empty ones are left out."""
    rows = csv.reader(io.StringIO(text), skipinitialspace=True)
    return [value.strip() for value in itertools.chain.from_iterable(rows) if value.strip()]


def parse(text, kind):
    """The values of an axis of type int, float or str. Raises ValueError with a sentence."""
    if kind not in (int, float):
        return split(text)
    values = []
    for part in split(text):
        found = RANGE.fullmatch(part)
        values += _of_range(part, found, kind) if found else [_number(part, kind)]
        if len(values) > MOST_VALUES:
            raise ValueError(f"{part} makes more than {MOST_VALUES:,} values")
    return values


def _number(text, kind):
    try:
        return kind(text)
    except ValueError:
        raise ValueError(f"{text!r} is no {'whole ' if kind is int else ''}number") from None


def _of_range(part, found, kind):
    first, last, step, count = found.groups()
    numbers = _evenly(Decimal(first), Decimal(last), int(count)) if count else _stepwise(part, Decimal(first), Decimal(last), step)
    if kind is int and not count and any(number != int(number) for number in (Decimal(first), Decimal(last), *numbers)):
        raise ValueError(f"{part} holds numbers that are not whole")
    return [kind(number) for number in numbers]


def _stepwise(part, first, last, step):
    """From first to last by a step, 1 where there is none; the end counts where a step reaches it, in either direction."""
    by = Decimal(step.replace(" ", "")) if step else Decimal(1 if last >= first else -1)
    if by == 0 or (last - first) * by < 0:
        raise ValueError(f"the step of {part} does not lead from {first} to {last}")
    count = int((last - first) / by)
    if count >= MOST_VALUES:
        raise ValueError(f"{part} makes more than {MOST_VALUES:,} values")
    return [first + by * number for number in range(count + 1)]


def _evenly(first, last, count):
    """`count` numbers at equal distances, both ends among them."""
    if not 0 < count <= MOST_VALUES:
        raise ValueError(f"[{count}] must be from 1 to {MOST_VALUES:,}")
    return [first + (last - first) * number / max(1, count - 1) for number in range(count)]


def chosen(text, choices):
    """The one of `choices` that `text` means, regardless of case, or by a beginning that no other has. Raises ValueError."""
    for same in (lambda choice: choice == text, lambda choice: choice.lower() == text.lower()):
        if found := [choice for choice in choices if same(choice)]:
            return found[0]
    starting = [choice for choice in choices if choice.lower().startswith(text.lower())]
    if len(starting) == 1:
        return starting[0]
    listed = ", ".join((starting or list(choices))[:20])
    raise ValueError(f"{text!r} is {'more than one' if starting else 'none'} of: {listed}")


def joined(picked):
    """Values as a text that `split` takes apart again."""
    written = io.StringIO()
    csv.writer(written, skipinitialspace=True).writerow(picked)
    return written.getvalue().strip()
