"""Text to image as a job: a checked and frozen request goes into the queue, and the worker makes its pictures."""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from modules import processing, scripts
from modules.generation.direct_calls import Answer, answer_of, named_values, prepared
from modules.generation.fields import TXT2IMG_FIELDS, validated
from modules.generation.request import freeze, run_request
from modules.generation.text_to_image import StableDiffusionProcessingTxt2Img
from modules.jobs.job import Job
from modules.jobs.state import JobState
from modules.runtime import Runtime, current

KIND = "txt2img"


def submit(rt: Runtime, values: Mapping[str, Any], *, owner: str = "", job_id: str | None = None, api: bool = False) -> Job:
    """Queue a request given as field names and values (modules.generation.fields), `scripts` among them (generation.script_values).

    All that can be judged from the request alone is judged here: raises RequestError or NotFound before a job exists.
    """
    request = validated(TXT2IMG_FIELDS, values, api=api)
    frozen = freeze(rt, request, values, scripts.scripts_txt2img)
    return rt.queue.submit(KIND, frozen.request, frozen.settings, title=request["prompt"][:200], owner=owner, job_id=job_id)


def txt2img_create_processing(id_task: str, request: Any, *args: Any, **named: Any) -> Any:
    """A processing of what Generate has in its inputs `args`, or of fields by name. A name that extensions expect here."""
    values = named_values(KIND, args, request, named)
    frozen = freeze(current(), validated(TXT2IMG_FIELDS, values), values, scripts.scripts_txt2img)
    return prepared(frozen, StableDiffusionProcessingTxt2Img, scripts.scripts_txt2img)


def txt2img(id_task: str, request: Any, *args: Any, **named: Any) -> Answer:
    """The pictures of such a processing, made at once in the calling thread. A name that extensions expect here."""
    return answer_of(txt2img_create_processing(id_task, request, *args, **named), processing.process_images)


def run(job: Job, state: JobState) -> dict[str, Any]:
    """The worker's part: make the pictures of `job` that do not exist yet; returns the job's result."""
    return run_request(job, StableDiffusionProcessingTxt2Img, processing.process_images, scripts.scripts_txt2img)
