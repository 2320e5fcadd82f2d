"""The ways of gradio 3 and 4, for the code of extensions alone.

`in_force()` is the scope in which extensions are loaded, build their controls, get their callbacks and answer events. Inside it

- keywords of old constructors and events are understood or left out (keywords.py, construction.py, events.py),
- `visible=False` leaves a component in the page where browser scripts find it (keywords.py, unseen.py), and blocks get the class
  `gradio-<kind>` (construction.py),
- tabs may have other things between them (tabs.py).

gradio's constructors and events are wrapped once, and the wrappers hand everything on unchanged outside the scope, so that no component
of the program itself is treated differently. Components made inside are marked; rules about their values (values.py) look at the mark.
What is only added to gradio, such as `gr.Box` and `gr.Textbox.update`, is there for everybody (names.py).
"""
from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from modules.ui.gradio3.construction import wrap_constructors
from modules.ui.gradio3.events import wrap_events
from modules.ui.gradio3.names import add_names
from modules.ui.gradio3.scope import speaking
from modules.ui.gradio3.tabs import keep_tabs_to_themselves
from modules.ui.gradio3.values import tolerate_values

_wrapped: list[bool] = []


@contextmanager
def in_force() -> Iterator[None]:
    """The scope of code that was written for gradio 3 or 4, in this thread and task alone."""
    if not _wrapped:
        _wrapped.append(True)
        add_names()
        wrap_constructors()
        wrap_events()
        keep_tabs_to_themselves()
        tolerate_values()
    with speaking(True):
        yield


def suspended() -> AbstractContextManager[None]:
    """A scope inside `in_force` in which the program's own code runs."""
    return speaking(False)
