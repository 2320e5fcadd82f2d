"""What extensions bind to while the page is built: controls that an infotext fills, and buttons that send to other tabs."""
from __future__ import annotations

import json
from typing import Any


class PasteField(tuple):
    """A component and the key of its value, or a function of all values; `api` is its name in requests."""

    def __new__(cls, component: Any, target: Any, *, api: str | None = None) -> PasteField:
        return super().__new__(cls, (component, target))

    def __init__(self, component: Any, target: Any, *, api: str | None = None):
        self.api, self.component = api, component
        self.label = target if isinstance(target, str) else None
        self.function = target if callable(target) else None


class ParamBinding:
    """A button, the tab that it sends to, and where the picture and its infotext come from."""

    def __init__(self, paste_button: Any, tabname: str, source_text_component: Any = None, source_image_component: Any = None,
                 source_tabname: str | None = None, override_settings_component: Any = None, paste_field_names: Any = None):
        self.paste_button, self.tabname, self.source_tabname = paste_button, tabname, source_tabname
        self.source_text_component, self.source_image_component = source_text_component, source_image_component
        self.override_settings_component = override_settings_component
        self.paste_field_names = paste_field_names or []


# By tab: "fields" is a list of (component, key) with the prompts first, to which extensions may add.
paste_fields: dict[str, dict[str, Any]] = {}
registered_param_bindings: list[ParamBinding] = []


def forget() -> None:
    """A new page is built: nothing is bound yet."""
    paste_fields.clear()
    registered_param_bindings.clear()


def fields_of(tab: str) -> list:
    """The (component, key) pairs of a tab."""
    return paste_fields.setdefault(tab, {"init_img": None, "fields": []})["fields"]


def add_paste_fields(tabname: str, init_img: Any, fields: list | None, override_settings_component: Any = None) -> None:
    """Enter the controls of a tab that an infotext can fill."""
    paste_fields[tabname] = {"init_img": init_img, "fields": fields if fields is not None else [],
                             "override_settings_component": override_settings_component}


def register_paste_params_button(params: ParamBinding) -> None:
    """Remember a button that sends; it is connected when the whole page is built."""
    registered_param_bindings.append(params)


def connect_paste_params_buttons() -> None:
    """Connect all buttons with the page's own way of sending (58_send.js)."""
    for binding in registered_param_bindings:
        named = {"picture": binding.source_image_component, "infotext": binding.source_text_component}
        present = {name: component for name, component in named.items() if component is not None}
        given = ", ".join([*present, f"source: {json.dumps(binding.source_tabname)}"])
        js = f"({', '.join(present)}) => receiveFromExtension({json.dumps(binding.tabname)}, {{{given}}})"
        binding.paste_button.click(None, list(present.values()), None, js=js, show_progress="hidden", api_visibility="private")
    registered_param_bindings.clear()
