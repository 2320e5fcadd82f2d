"""Describing a picture in words as a job."""
from __future__ import annotations

from typing import Any

from PIL import Image

from modules import runtime
from modules.generation.inputs import GivenPicture, open_input, store_input
from modules.imaging.caption_network import CaptionOptions
from modules.imaging.interrogate import CLIP, ClipOptions
from modules.imaging.known_files import FileMissing
from modules.imaging.tag_text import TagOptions
from modules.jobs.job import Job
from modules.jobs.state import JobState
from modules.runtime import Runtime

KIND = "interrogate"


def submit(rt: Runtime, picture: GivenPicture, model: str = CLIP, *, owner: str = "") -> Job:
    """Queue the description of a picture. Raises NotFound for an unknown model, FileMissing, RequestError for what is no picture."""
    name = rt.interrogator.checked_name(model)
    if (file := rt.interrogator.missing(name)) is not None:
        raise FileMissing(file)
    request = {"picture": store_input(rt, picture, "image"), "model": name}
    return rt.queue.submit(KIND, request, rt.settings.snapshot(), title=f"Interrogate ({name})", owner=owner, is_transient=True)


def run(job: Job, state: JobState) -> dict[str, Any]:
    """The worker's part; `caption` of the result is the text."""
    rt = runtime.current()
    state.job_count, state.textinfo = 1, "Interrogate"
    with rt.settings.overriding(dict(job.settings)):
        text, notes = described(open_input(rt, job.request["picture"]), job.request["model"])
    return {"caption": text, "images": [], "notes": notes}


def described(image: Image.Image, model: str) -> tuple[str, list[str]]:
    """(text, notes) as the settings say; the networks stay in memory only where these want it. Raises UserError."""
    rt = runtime.current()
    try:
        if model == CLIP:
            return rt.interrogator.described(image, clip_options(rt.settings))
        return rt.interrogator.tags(image, model, tag_options(rt.settings)), []
    finally:
        _let_go(rt)


def caption_of(image: Image.Image) -> str:
    """The caption alone. Raises UserError."""
    rt = runtime.current()
    try:
        return rt.interrogator.caption(image, clip_options(rt.settings).caption)
    finally:
        _let_go(rt)


def _let_go(rt: Runtime) -> None:
    if not rt.settings.interrogate_keep_models_in_memory:
        rt.interrogator.unload()


def clip_options(opts: Any) -> ClipOptions:
    return ClipOptions(
        caption=CaptionOptions(beams=opts.interrogate_clip_num_beams, shortest=opts.interrogate_clip_min_length,
                               longest=opts.interrogate_clip_max_length),
        left_out=tuple(opts.interrogate_clip_skip_categories), most_lines=opts.interrogate_clip_dict_limit,
        shows_ranks=opts.interrogate_return_ranks)


def tag_options(opts: Any) -> TagOptions:
    return TagOptions(
        threshold=opts.interrogate_deepbooru_score_threshold, sorts_by_name=opts.deepbooru_sort_alpha,
        uses_spaces=opts.deepbooru_use_spaces, escapes=opts.deepbooru_escape, shows_ranks=opts.interrogate_return_ranks,
        left_out=opts.deepbooru_filter_tags)
