"""txt2img and img2img as functions that extensions call in place of the Generate button: a whole run at once, without a job."""
from __future__ import annotations

import html
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from typing import Any

from modules import runtime
from modules.errors import UserError
from modules.generation.base import StableDiffusionProcessing
from modules.generation.request import NOT_OF_THE_RUN, NOTES, SCRIPTS, Frozen
from modules.generation.result import Processed
from modules.generation.script_values import attach_scripts, run_selected
from modules.scripts import ScriptRunner

Values = dict[str, Any]
Answer = tuple[list[Any], str, str, str]

# By tab: (inputs of Generate behind the id of the task, request) -> named values. The page enters how its own are to be read.
readings: dict[str, Callable[[Sequence[Any], Any], Values]] = {}
OTHER_NAMES = {"prompt_styles": "styles", "sampler_index": "sampler_name"}


def named_values(tab: str, args: Sequence[Any], request: Any, named: Mapping[str, Any]) -> Values:
    """The values of a request, given in the order of the page's Generate or by name. Raises UserError."""
    values: Values = {}
    if args:
        if tab not in readings:
            raise UserError(f"{tab} cannot be called like that.",
                            "The values were given by position, and there is no page that says their order.", "Give them by name.")
        values = readings[tab](args, getattr(request, "request", request))
    return values | {OTHER_NAMES.get(name, name): value for name, value in named.items()}


def prepared(frozen: Frozen, kind: Callable[..., StableDiffusionProcessing], runner: ScriptRunner | None) -> StableDiffusionProcessing:
    """A processing of the frozen request with its scripts, not yet run."""
    p = kind(**{name: value for name, value in frozen.request.items() if name not in NOT_OF_THE_RUN})
    for note in frozen.request.get(NOTES, ()):
        p.comment(note)
    attach_scripts(p, runner, frozen.request.get(SCRIPTS))
    return p


def answer_of(p: StableDiffusionProcessing, make: Callable[[Any], Processed]) -> Answer:
    """Run `p` by its selected script or by `make`: (pictures, numbers as JSON, infotext as HTML, notes as HTML), as Generate gives them."""
    with runtime.current().queue.turn, closing(p):
        processed = run_selected(p) or make(p)
    pictures = [] if runtime.current().settings.do_not_show_images else [*processed.images, *processed.extra_images]
    return pictures, processed.js(), as_html(processed.info), as_html(processed.comments)


def as_html(text: str) -> str:
    """Plain text as a paragraph."""
    return f"<p>{'<br>'.join(html.escape(text).splitlines())}</p>" if text else ""
