"""What the generating tabs differ in."""
from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from modules.scripts import ScriptRunner
from modules.ui.form import Form

if TYPE_CHECKING:
    from fastapi import Request

    from modules.generation.fields import Field
    from modules.jobs.job import Job

Values = dict[str, Any]
Blocks = Mapping[str, Callable[[], Any]]


@dataclass(frozen=True, kw_only=True)
class TabKind:
    """What differs between the generating tabs.

    `blocks` gives the controls by the names of the setting "UI item order"; "accordions" returns the switch of the refiner, "seed"
    that of the variation seed. `press_script` is the page's function that runs before the request of Generate. It gives the job
    its id and, where the tab works on pictures (`takes_pictures`), says as JSON in the second input which ones; `completed` brings
    these to the values of the form, if they are the asking user's to use.
    """

    name: str
    fields: Sequence[Field]
    submit: Callable[..., Job]
    runner: ScriptRunner
    blocks: Callable[[Form], Blocks]
    press_script: str = "submit"
    takes_pictures: bool = False
    completed: Callable[[Values, str, Request | None], Values] = lambda values, pictures, request: values
