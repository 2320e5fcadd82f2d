"""The search language of the gallery: words, "phrases", -without, and comparisons of infotext keys, as a condition of SQL.

    red fox -night "oil painting" steps>=20 seed:10..99 sampler:euler is:starred tag:poster date>=2026-11-01

A word is looked for in both prompts and in the file's name. A key may be written without its blanks, and cut short: `cfg>7`
means `CFG scale`.
"""
from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from modules.errors import RequestError

TOKEN = re.compile(r"""(?P<minus>-)?(?:(?P<key>[^\W\d][\w-]*|"[^"]+")(?P<sign>>=|<=|>|<|=|:))?(?P<value>"[^"]*"?|\S+)""")
RANGE = re.compile(r"(.*?)\.\.(.*)")
MOST_TERMS = 40
LONGEST_QUERY = 2_000
SIGNS = {">": ">", ">=": ">=", "<": "<", "<=": "<="}
# What the columns of the index are called in a query.
TEXT_COLUMNS = {"prompt": "prompt", "negative": "negative", "negativeprompt": "negative", "name": "name", "folder": "folder",
                "program": "program"}
NUMBER_COLUMNS = {"width": "width", "height": "height", "bytes": "size"}
DATES = ("date", "day")
MARKED = ("starred", "untagged")


@dataclass(frozen=True, kw_only=True)
class Term:
    """One part of a query. `sign` is empty for a plain word."""

    value: str
    key: str = ""
    sign: str = ""
    excluded: bool = False


@dataclass(frozen=True)
class Condition:
    """A condition of SQL on the table `pictures`, and its parameters."""

    sql: str = "1"
    values: tuple[Any, ...] = field(default=())


def key_of(name: str) -> str:
    """The form in which keys are compared: "CFG scale", "cfg_scale" and "cfg-scale" are one."""
    return re.sub(r"[\W_]+", "", name).lower()


def terms_of(query: str) -> list[Term]:
    """The parts of a query. Raises RequestError for one that is too long."""
    if len(query) > LONGEST_QUERY:
        raise RequestError("query", f"The search is longer than {LONGEST_QUERY:,} characters.")
    found = [Term(value=token["value"].strip('"'), key=(token["key"] or "").strip('"'), sign=token["sign"] or "",
                  excluded=bool(token["minus"])) for token in TOKEN.finditer(query)]
    terms = [term for term in found if term.value or term.sign]
    if len(terms) > MOST_TERMS:
        raise RequestError("query", f"The search has more than {MOST_TERMS} parts.")
    return terms


def condition(terms: Sequence[Term], known_keys: Callable[[str], Sequence[str]]) -> Condition:
    """Pictures for which all terms hold. `known_keys` gives the infotext keys in the index that a written one may mean.

    Raises RequestError for a comparison with something that is no number, no date, or of a key that no picture has.
    """
    parts = [_condition_of(term, known_keys) for term in terms]
    excluded = [f"NOT ({part.sql})" if term.excluded else f"({part.sql})" for term, part in zip(terms, parts, strict=True)]
    return Condition(" AND ".join(excluded) or "1", tuple(value for part in parts for value in part.values))


def _condition_of(term: Term, known_keys: Callable[[str], Sequence[str]]) -> Condition:
    key = key_of(term.key)
    if not term.sign:
        return _contains("text", term.value)
    if key == "is":
        return _mark(term.value)
    if key == "tag":
        return Condition("instr(tags, ?) > 0", (f"\n{term.value.lower()}\n",))
    if key in DATES:
        return _date(term)
    if key in NUMBER_COLUMNS:
        return _numbers(term, NUMBER_COLUMNS[key], term.key)
    if key in TEXT_COLUMNS and term.sign in ":=":
        column = TEXT_COLUMNS[key]
        return _contains(column, term.value) if term.sign == ":" else Condition(f"lower({column}) = ?", (term.value.lower(),))
    keys = known_keys(key)
    if not keys and term.sign == ":":
        return _contains("text", f"{term.key}:{term.value}")  # a prompt may hold a colon too
    if not keys:
        raise RequestError("query", f'No picture has a value called "{term.key[:60]}".')
    return _fact(term, keys)


def _contains(column: str, text: str) -> Condition:
    lowered = column if column == "text" else f"lower({column})"
    return Condition(f"instr({lowered}, ?) > 0", (text.lower(),))


def _mark(name: str) -> Condition:
    if name.lower() not in MARKED:
        raise RequestError("query", f'"is:{name[:40]}" is not known.', remedy=f"Use {' or '.join(f'is:{mark}' for mark in MARKED)}.")
    return Condition("starred" if name.lower() == "starred" else "tags = ''")


def _numbers(term: Term, column: str, name: str) -> Condition:
    span = RANGE.fullmatch(term.value)
    if span and term.sign in ":=":
        bounds = [(sign, text) for sign, text in zip((">=", "<="), span.groups(), strict=True) if text]
        return Condition(" AND ".join(f"{column} {sign} ?" for sign, _ in bounds) or "1",
                         tuple(_number(text, name) for _, text in bounds))
    return Condition(f"{column} {SIGNS.get(term.sign, '=')} ?", (_number(term.value, name),))


def _number(text: str, name: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise RequestError("query", f'"{text[:40]}" is no number, which "{name[:40]}" would be compared with.') from None


def _fact(term: Term, keys: Sequence[str]) -> Condition:
    if term.sign in SIGNS or (RANGE.fullmatch(term.value) and re.search(r"\d", term.value)):
        inner = _numbers(term, "number", term.key)
    elif term.sign == "=":
        inner = Condition("value = ?", (term.value.lower(),))
    else:
        inner = Condition("instr(value, ?) > 0", (term.value.lower(),))
    marks = ", ".join("?" * len(keys))
    return Condition(f"number_of IN (SELECT picture FROM facts WHERE key IN ({marks}) AND {inner.sql})", (*keys, *inner.values))


def _date(term: Term) -> Condition:
    first, end = _dates(term.value)
    if term.sign in ("<", ">="):
        return Condition(f"modified {term.sign} ?", (first,))
    if term.sign in (">", "<="):
        return Condition("modified >= ?" if term.sign == ">" else "modified < ?", (end,))
    return Condition("modified >= ? AND modified < ?", (first, end))


def _dates(text: str) -> tuple[float, float]:
    """The begin of the first day and the end of the last one, in seconds since 1970, by the clock of this machine."""
    span = RANGE.fullmatch(text)
    first, last = (span[1] or "0001-01-02", span[2] or "9998-12-30") if span else (text, text)
    return _span(first)[0], _span(last)[1]


def _span(text: str) -> tuple[float, float]:
    """Begin and end of a year, a month or a day. Raises RequestError."""
    if text.lower() in ("today", "yesterday"):
        day = datetime.now().replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=text.lower() == "yesterday")
        return day.timestamp(), (day + timedelta(days=1)).timestamp()
    for form in ("%Y-%m-%d", "%Y-%m", "%Y"):
        try:
            begin = datetime.strptime(text, form)
            end = begin + timedelta(days=1)
            if form == "%Y-%m":
                end = (begin + timedelta(days=31)).replace(day=1)
            elif form == "%Y":
                end = begin.replace(year=begin.year + 1)
            return _seconds(begin), _seconds(end)
        except ValueError:
            continue
    raise RequestError("query", f'"{text[:40]}" is no date.', remedy="Write 2026-11-21, 2026-11, 2026, today or yesterday.")


def _seconds(time: datetime) -> float:
    """Seconds since 1970; systems differ in how far their calendars reach."""
    try:
        return time.timestamp()
    except (OSError, OverflowError, ValueError):
        return (time - datetime(1970, 1, 1)).total_seconds()
