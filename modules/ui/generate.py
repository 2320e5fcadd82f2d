"""From the Generate button to a job in the queue, and from a finished job to the output panel."""
from __future__ import annotations

import asyncio
import html
import json
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import gradio as gr
import torch

from modules import errors
from modules.api.own_queue import own_queue, page_owner
from modules.api.queue_view import picture_paths, picture_url
from modules.errors import UserError
from modules.imaging.unsaved import MEMORY_PREFIX
from modules.jobs.fairness import user_of
from modules.jobs.job import Job
from modules.ui.components import paragraphs

if TYPE_CHECKING:
    from fastapi import Request

    from modules.runtime import Runtime

Values = dict[str, Any]
Outputs = tuple[Any, Any, Any, Any]

NOTHING_CHANGES: Outputs = (gr.skip(), gr.skip(), gr.skip(), gr.skip())


def generate_handler(rt: Runtime, submit: Callable[..., Job], values_of: Callable[[Sequence[Any], Request | None], Values],
                     submitted: Callable[[str, Sequence[Any]], None] = lambda user, args: None) -> Callable[..., Any]:
    """The coroutine behind a Generate button: (task id, *form values) -> the four outputs. `values_of` is given the values of the
    form and who asks; `submitted` is told of each new job.

    Waiting for the job holds no thread. A page that already has a job waiting or running gets its answer at once, "Queued as n"; that job's
    result reaches the page through `restore_handler`, so that a page never has more than one open event.
    """
    in_order = asyncio.Lock()  # requests become jobs in the order in which they came

    async def generate(request: gr.Request, task_id: str, *args: Any) -> Outputs:
        owner = page_owner(request.request, request.session_hash or "")
        try:
            async with in_order:
                earlier = [job for job in rt.queue.jobs() if job.owner == owner and not job.is_settled]
                # In a thread: pictures are read and joined, which must not hold up other pages.
                job = await asyncio.to_thread(lambda: submit(rt, values_of(args, request.request), owner=owner, job_id=task_id or None))
                await asyncio.to_thread(submitted, user_of(owner), args)
        except UserError as error:
            return refused(task_id, str(error))
        if earlier:
            ahead = sum(not other.is_settled for other in rt.queue.jobs()) - 1
            return gr.skip(), gr.skip(), gr.skip(), paragraphs(f"Queued as {max(ahead, 1)}.", "queued")
        await job.wait_async()
        return shown(rt, job, base_url(request))
    return generate


def restore_handler(rt: Runtime) -> Callable[..., Outputs]:
    """(task id) -> the four outputs of that job, as far as it has come; nothing changes when it is unknown."""
    def restore(request: gr.Request, task_id: str) -> Outputs:
        job = own_queue(rt, request.request).get(task_id) if request.request else rt.queue.get(task_id)
        return shown(rt, job, base_url(request)) if job is not None and (job.is_settled or job.pictures) else NOTHING_CHANGES
    return restore


def refused(task_id: str, message: str) -> Outputs:
    """The panel as it is, with a sentence in the log line; the id tells the page which of its presses made no job."""
    mark = f'<span hidden data-refused="{html.escape(task_id or "")}"></span>'
    return gr.skip(), gr.skip(), gr.skip(), paragraphs(message, "error") + mark


def base_url(request: gr.Request) -> str:
    """The address under which the page was loaded, without a slash at the end."""
    return str(request.request.base_url).rstrip("/") if request.request else ""


def shown(rt: Runtime, job: Job, address: str = "") -> Outputs:
    """What the panel shows of a job: its result, or the pictures that were finished before it failed.

    Pictures are named by the path of their file; those that no disk took by a route below `address`.
    """
    if job.status == "cancelled" and not job.pictures:  # it never began: what is shown stays
        return gr.skip(), gr.skip(), gr.skip(), log_html(job)
    try:
        pictures, info = _pictures(job, address), _info(job)
    except (KeyError, TypeError) as exc:
        errors.report(f"The result of {job.id} cannot be shown.", exc)
        return refused("", "The result of the job cannot be shown. The log says why.")
    infotexts = info["infotexts"]
    first = infotexts[0] if infotexts else ""
    if rt.settings.do_not_show_images:
        pictures = []
    gallery = gr.update(value=pictures, selected_index=0 if pictures else None)
    return gallery, json.dumps(info), paragraphs(first), log_html(job)


def _pictures(job: Job, address: str) -> list[str]:
    paths = picture_paths(job)  # by index
    return [address + picture_url(job, index) if path.startswith(MEMORY_PREFIX) else path for index, path in sorted(paths.items())]


def _info(job: Job) -> dict[str, Any]:
    if not job.result:
        return {"job": job.id, "infotexts": [picture.infotext for picture in job.pictures], "index_of_first_image": 0}
    images = job.result["images"]
    info = {**job.result.get("info", {}), "job": job.id, "index_of_first_image": job.result.get("index_of_first_image", 0)}
    info["infotexts"] = [image.get("infotext", "") for image in images]
    info["seeds"] = [image.get("seed") for image in images]
    info["subseeds"] = [image.get("subseed") for image in images]
    info["proofs"] = [image.get("proof") for image in images]
    return info


def time_taken(seconds: float) -> str:
    """How long a job took, and how much memory of the graphics card it used where there is one."""
    minutes, rest = divmod(seconds, 60)
    text = f"Time taken: {int(minutes)} min {rest:.1f} s" if minutes else f"Time taken: {rest:.1f} s"
    if not torch.cuda.is_available():
        return text
    free, total = torch.cuda.mem_get_info()
    active, reserved, used = (size / 2**30 for size in (torch.cuda.max_memory_allocated(), torch.cuda.max_memory_reserved(), total - free))
    return f"{text}. A: {active:.2f} GB, R: {reserved:.2f} GB, Sys: {used:.1f}/{total / 2**30:.1f} GB"


def log_html(job: Job) -> str:
    """Error, notes and the time taken as HTML; what the result says in `html_log` is HTML already."""
    result = job.result or {}
    parts = [paragraphs(job.error, "error") if job.error else ""]
    parts += [paragraphs(note, "note") for note in result.get("notes", ())]
    if job.status in ("interrupted", "cancelled"):
        parts.append(paragraphs("Interrupted; what was finished is kept." if job.status == "interrupted" else "Cancelled.", "note"))
    parts.append(result.get("html_log") or (paragraphs(time_taken(job.seconds), "time") if job.seconds and result else ""))
    return "\n".join(part for part in parts if part)
