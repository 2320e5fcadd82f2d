"""Calls to the always-on scripts of a run."""
from __future__ import annotations

from typing import Any

from modules.generation.base import StableDiffusionProcessing


def call_scripts(p: StableDiffusionProcessing, hook: str, *event: Any, **keywords: Any) -> None:
    """Call `hook` of every always-on script of `p`, through whatever runner it has."""
    if p.scripts is not None:
        getattr(p.scripts, hook)(p, *event, **keywords)
