"""One setting: its default, label, control, and what may be written to it."""
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeVar, get_args

from modules.errors import RequestError

Control = Literal["checkbox", "slider", "number", "text", "dropdown", "radio", "multi", "color", "html"]
CONTROLS: tuple[str, ...] = get_args(Control)
Component = Control | Callable[..., Any] | None
Number = TypeVar("Number", int, float)
ComponentArgs = Mapping[str, Any] | Callable[[], Mapping[str, Any] | None] | None

TEXT_LIMIT = 100_000
LIST_LIMIT = 10_000
WHOLE_NUMBER = re.compile(r"\s*[+-]?[0-9]{1,18}(\.0*)?\s*")
COLOR = re.compile(r"#[0-9a-fA-F]{6}")


@dataclass(frozen=True, kw_only=True)
class Remark:
    """Something shown beside the label. `target`: the address of a link, or the javascript function of a script."""

    kind: Literal["link", "script", "info", "html"]
    text: str
    target: str = ""


class OptionInfo:
    """Describes one setting; built-in settings and extensions use the same class.

    `component` is a kind of Control for built-in settings, a gradio class or a function for those of extensions; without one it
    follows from the default's type. `section` is (id, title) or (id, title, category). `onchange` is called without arguments
    after a change; raising there undoes it. `infotext` is the key under which the value stands in infotexts.
    `affects_picture`: the picture depends on it, so jobs freeze it and it can be overridden for one job.
    """

    do_not_save = False

    def __init__(
        self,
        default: Any = None,
        label: str = "",
        component: Component = None,
        component_args: ComponentArgs = None,
        onchange: Callable[[], Any] | None = None,
        section: tuple | None = None,
        refresh: Callable[[], Any] | None = None,
        comment_before: str = "",
        comment_after: str = "",
        infotext: str | None = None,
        restrict_api: bool = False,
        category_id: str | None = None,
        *,
        affects_picture: bool = False,
    ):
        self.default, self.label = default, label
        self.component, self.component_args = component, component_args
        self.onchange, self.refresh = onchange, refresh
        self.comment_before, self.comment_after = comment_before, comment_after
        self.infotext, self.restrict_api, self.affects_picture = infotext, restrict_api, affects_picture
        self.remarks: list[Remark] = []
        self.requires_restart = self.requires_reload = False
        self.section, self.category_id = section, category_id
        if section is not None and len(section) > 2:
            self.section, self.category_id = tuple(section[:2]), section[2]

    def link(self, label: str, uri: str) -> "OptionInfo":
        """Show a link before the label's end."""
        return self._remark(Remark(kind="link", text=label, target=uri))

    def js(self, label: str, js_func: str) -> "OptionInfo":
        """Show a link that calls a javascript function of the page."""
        return self._remark(Remark(kind="script", text=label, target=js_func))

    def info(self, info: str) -> "OptionInfo":
        """Show a remark in parentheses after the label."""
        return self._remark(Remark(kind="info", text=info))

    def html(self, html: str) -> "OptionInfo":
        """Show HTML, written by the author of the setting, after the label."""
        return self._remark(Remark(kind="html", text=html))

    def needs_restart(self) -> "OptionInfo":
        """Say that the setting counts from the next start."""
        self.requires_restart = True
        return self._remark(Remark(kind="info", text="requires restart"))

    def needs_reload_ui(self) -> "OptionInfo":
        """Say that the setting counts from the next Reload UI."""
        self.requires_reload = True
        return self._remark(Remark(kind="info", text="requires Reload UI"))

    def _remark(self, remark: Remark) -> "OptionInfo":
        self.remarks.append(remark)
        return self

    def control(self) -> Component:
        """The component, or the kind of control that the default's type asks for."""
        if self.component is not None:
            return self.component
        if isinstance(self.default, bool):
            return "checkbox"
        return "number" if isinstance(self.default, int | float) else "text"

    def arguments(self) -> dict[str, Any]:
        """The arguments of the control as they are now: those given as a function are asked for."""
        return dict((self.component_args() if callable(self.component_args) else self.component_args) or {})

    def converted(self, key: str, value: Any) -> Any:
        """`value` in the type of this setting. Raises RequestError that names the setting and what it takes."""
        if isinstance(self.default, bool):
            return _as_bool(key, self, value)
        if isinstance(self.default, int):
            return _in_range(key, self, _as_int(key, self, value))
        if isinstance(self.default, float):
            return _in_range(key, self, _as_float(key, self, value))
        if isinstance(self.default, list | tuple):
            return _as_list(key, self, value)
        if isinstance(self.default, str) or (self.default is None and self.control() in CONTROLS):
            return _as_text(key, self, value)
        return value


class OptionHTML(OptionInfo):
    """A text between settings; it has no value."""

    do_not_save = True

    def __init__(self, text: str):
        super().__init__(str(text).strip(), label="", component="html")


def options_section(section_identifier: tuple, options_dict: dict[str, OptionInfo]) -> dict[str, OptionInfo]:
    """Put every setting of the mapping into one section: (id, title) or (id, title, category). Returns the mapping."""
    for option in options_dict.values():
        option.section = tuple(section_identifier[:2])
        if len(section_identifier) > 2:
            option.category_id = section_identifier[2]
    return options_dict


def refusal(key: str, option: OptionInfo | None, why: str) -> RequestError:
    """The error for a value that the setting `key` does not take."""
    name = f'"{option.label}" ({key})' if option and option.label else f'"{key}"'
    return RequestError(key, f"The setting {name} cannot have this value.", why)


def _as_bool(key: str, option: OptionInfo, value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float) and value in (0, 1):
        return bool(value)
    if isinstance(value, str) and value.strip().lower() in ("true", "false", "0", "1"):
        return value.strip().lower() in ("true", "1")
    raise refusal(key, option, "It takes true or false.")


def _as_int(key: str, option: OptionInfo, value: Any) -> int:
    if isinstance(value, str) and WHOLE_NUMBER.fullmatch(value):
        return int(value.split(".")[0])
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value != int(value):
        raise refusal(key, option, f"It takes a whole number{_range(option)}.")
    return int(value)


def _as_float(key: str, option: OptionInfo, value: Any) -> float:
    try:
        number = math.nan if isinstance(value, bool) or not isinstance(value, int | float | str) else float(value)
    except (ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number):
        raise refusal(key, option, f"It takes a number{_range(option)}.")
    return number


def _limits(option: OptionInfo) -> tuple[float | None, float | None]:
    """Lowest and highest value; the ranges of extensions are only those of their sliders, so they bind nobody."""
    if option.control() not in ("slider", "number"):
        return None, None
    arguments = option.arguments()
    return arguments.get("minimum"), arguments.get("maximum")


def _range(option: OptionInfo) -> str:
    lowest, highest = _limits(option)
    if lowest is None and highest is None:
        return ""
    if highest is None:
        return f" of at least {lowest}"
    return f" up to {highest}" if lowest is None else f" from {lowest} to {highest}"


def _in_range(key: str, option: OptionInfo, value: Number) -> Number:
    lowest, highest = _limits(option)
    if (lowest is not None and value < lowest) or (highest is not None and value > highest):
        kind = "whole number" if isinstance(value, int) else "number"
        raise refusal(key, option, f"It takes a {kind}{_range(option)}.")
    return value


def _choices(option: OptionInfo) -> Sequence[Any] | None:
    """The choices that bind: those that a built-in setting states as data, not those that depend on files."""
    binds = option.control() in ("dropdown", "radio", "multi") and isinstance(option.component_args, Mapping)
    arguments = option.component_args if isinstance(option.component_args, Mapping) else {}
    return arguments.get("choices") if binds and not arguments.get("allow_custom_value") else None


def _choice(key: str, option: OptionInfo, value: str) -> str:
    choices = _choices(option)
    if choices is None or value in choices:
        return value
    for choice in choices:
        if str(choice).lower() == value.lower():
            return choice
    raise refusal(key, option, f"It takes one of: {', '.join(map(str, choices))}.")


def _as_text(key: str, option: OptionInfo, value: Any) -> str | None:
    if value is None and option.default is None:
        return None
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise refusal(key, option, "It takes a text.")
    text = str(value).encode("utf-8", "replace").decode().replace("\0", "")
    if len(text) > TEXT_LIMIT:
        raise refusal(key, option, f"It takes at most {TEXT_LIMIT:,} characters.")
    if option.control() == "color" and not COLOR.fullmatch(text):
        raise refusal(key, option, "It takes a colour such as #ff8800.")
    return _choice(key, option, text)


def _as_list(key: str, option: OptionInfo, value: Any) -> list[Any]:
    if not isinstance(value, list | tuple) or len(value) > LIST_LIMIT:
        raise refusal(key, option, f"It takes a list of at most {LIST_LIMIT:,} entries.")
    return [_choice(key, option, item) if isinstance(item, str) else item for item in value]
