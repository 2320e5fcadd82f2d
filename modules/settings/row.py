"""The form in which the catalogue writes settings down: sections of rows."""
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from modules.settings.option import Control, OptionInfo


@dataclass(frozen=True, kw_only=True)
class Row:
    """One built-in setting. `infotext`: its key in infotexts; `picture`: pictures depend on it; `reload`: counts after Reload UI."""

    key: str
    default: Any
    label: str
    control: Control | None = None
    arguments: Mapping[str, Any] = field(default_factory=dict)
    info: str = ""
    infotext: str | None = None
    picture: bool = False
    reload: bool = False
    restrict_api: bool = False

    def option(self, section: "Section") -> OptionInfo:
        """A new OptionInfo; each running program has its own, since extensions may change them."""
        default = list(self.default) if isinstance(self.default, tuple) else self.default
        option = OptionInfo(
            default, self.label, self.control, dict(self.arguments), section=(section.id, section.title), category_id=section.category,
            infotext=self.infotext, restrict_api=self.restrict_api, affects_picture=self.picture)
        if self.info:
            option.info(self.info)
        return option.needs_reload_ui() if self.reload else option


@dataclass(frozen=True, kw_only=True)
class Section:
    """A titled group of settings; `id` is None for those that the Settings tab does not show."""

    id: str | None
    title: str
    category: str | None
    rows: tuple[Row, ...]


def check(key: str, default: bool, label: str, **more: Any) -> Row:
    """A row for something that is on or off."""
    return Row(key=key, default=default, label=label, **more)


def text(key: str, default: str, label: str, **more: Any) -> Row:
    """A row for a text."""
    return Row(key=key, default=default, label=label, **more)


def slide(key: str, default: float, label: str, minimum: float, maximum: float, step: float, **more: Any) -> Row:
    """A row for a number in a range, both ends included."""
    return Row(key=key, default=default, label=label, control="slider",
               arguments={"minimum": minimum, "maximum": maximum, "step": step}, **more)


def number(key: str, default: float, label: str, minimum: float | None = None, maximum: float | None = None, **more: Any) -> Row:
    """A row for a number that is typed."""
    limits = {name: limit for name, limit in (("minimum", minimum), ("maximum", maximum)) if limit is not None}
    precision = {"precision": 0} if isinstance(default, int) else {}
    return Row(key=key, default=default, label=label, control="number", arguments=limits | precision, **more)


def radio(key: str, default: str, label: str, *choices: str, **more: Any) -> Row:
    """A row for one of a few choices, all of them seen."""
    return Row(key=key, default=default, label=label, control="radio", arguments={"choices": choices}, **more)


def drop(key: str, default: str | None, label: str, *choices: str, **more: Any) -> Row:
    """A row for one of many choices; without `choices` they depend on files and the front end supplies them."""
    return Row(key=key, default=default, label=label, control="dropdown", arguments={"choices": choices} if choices else {}, **more)


def multi(key: str, default: tuple[str, ...], label: str, *choices: str, **more: Any) -> Row:
    """A row for several of many choices."""
    return Row(key=key, default=default, label=label, control="multi", arguments={"choices": choices} if choices else {}, **more)
