"""Text to image as a job: a checked and frozen request goes into the queue, and the worker makes its pictures."""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from modules import processing, scripts
from modules.generation.fields import TXT2IMG_FIELDS, validated
from modules.generation.request import freeze, run_request
from modules.generation.text_to_image import StableDiffusionProcessingTxt2Img
from modules.jobs.job import Job
from modules.jobs.state import JobState
from modules.runtime import Runtime

KIND = "txt2img"


def submit(rt: Runtime, values: Mapping[str, Any], *, owner: str = "", job_id: str | None = None, api: bool = False) -> Job:
    """Queue a request given as field names and values (modules.generation.fields), `scripts` among them (generation.script_values).

    All that can be judged from the request alone is judged here: raises RequestError or NotFound before a job exists.
    """
    request = validated(TXT2IMG_FIELDS, values, api=api)
    frozen = freeze(rt, request, values, scripts.scripts_txt2img)
    return rt.queue.submit(KIND, frozen.request, frozen.settings, title=request["prompt"][:200], owner=owner, job_id=job_id)


def run(job: Job, state: JobState) -> dict[str, Any]:
    """The worker's part: make the pictures of `job` that do not exist yet; returns the job's result."""
    return run_request(job, StableDiffusionProcessingTxt2Img, processing.process_images, scripts.scripts_txt2img)
