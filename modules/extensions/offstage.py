"""Controls of scripts without a page: where they are built, and the values that they begin with; and the ways of old gradio."""
from __future__ import annotations

import copy
import importlib
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

from modules import errors
from modules.extensions.discovery import is_from_outside


class _Built(Exception):
    """Leaves the throw-away page before gradio makes a server of it."""


@contextmanager
def throw_away_page() -> Iterator[None]:
    """A scope in which scripts can make and connect components; nobody ever sees them."""
    # By name and this late: the engine does without gradio as long as no script has controls, and a server without a page starts sooner.
    gradio = importlib.import_module("gradio")
    try:
        with gradio.Blocks(analytics_enabled=False):
            yield
            raise _Built
    except _Built:
        return


def old_ways(file: str) -> AbstractContextManager[None]:
    """The scope in which code of this file may use gradio as it was in versions 3 and 4; for code of the program it changes nothing."""
    if not is_from_outside(file):
        return nullcontext()
    return importlib.import_module("modules.ui.gradio3").in_force()  # by name, as above


def default_value(control: Any) -> Any:
    """What a script is given for a control that nobody touched: its value as the page would hand it over."""
    value = copy.deepcopy(getattr(control, "value", None))
    try:
        return control.preprocess(value)  # an index where a list hands over indices, a whole number where there are no decimals
    except Exception as error:  # files and pictures have other forms inside a page; they begin empty in nearly all cases
        errors.log.debug("%s keeps its raw value: %s", control, error)
        return value
