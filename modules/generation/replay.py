"""Replay: a picture is made again from what is stored with it, and both are compared."""
from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
from PIL import Image

from modules import img2img, processing, runtime, scripts
from modules.errors import UserError
from modules.generation.base import StableDiffusionProcessing
from modules.generation.fields import validated
from modules.generation.image_to_image import StableDiffusionProcessingImg2Img
from modules.generation.inputs import has_input
from modules.generation.request import freeze, run_frozen
from modules.generation.stored import NotReplayable, Stored, kept_keys, read_stored, values_of
from modules.generation.stored_files import other_circumstances, required_files
from modules.generation.text_to_image import StableDiffusionProcessingTxt2Img
from modules.imaging.encode import Encoding, encode
from modules.imaging.open_picture import OpenedPicture, open_picture
from modules.jobs.job import Job
from modules.jobs.state import JobState
from modules.runtime import Runtime
from modules.scripts import ScriptRunner

KIND = "replay"
TEMPORARY = "is_temporary"
Verdict = Literal["identical", "within tolerance", "different", "impossible"]

# What another computer or library may make of the last digits of a picture.
MOST_LEVELS, LARGEST_SHARE = 2, 0.02
TOLERANCE = "at most 2 of 255 levels in at most 2 % of the values"
LOSSY_MEAN_LEVELS = 3.0
LOSSY_TOLERANCE = "3 of 255 levels on average, since the file's format does not keep exact values"
LOSSY = ("JPEG", "WEBP", "AVIF", "GIF")


@dataclass(frozen=True, kw_only=True)
class ReplayReport:
    """What became of a replay. `why`: sentences, the reasons of a difference, or what is missing; `path`: the new picture.

    max_difference in levels 0..255; changed_share: share of the values that differ at all, 0..1.
    """

    verdict: Verdict
    max_difference: int = 0
    changed_share: float = 0.0
    why: list[str] = field(default_factory=list)
    path: str = ""
    tolerance: str = TOLERANCE

    @property
    def identical(self) -> bool:
        """Whether every value is the same."""
        return self.verdict == "identical"


def submit(rt: Runtime, path: Path, *, owner: str = "", is_temporary: bool = False) -> Job:
    """Queue the replay of a picture file, to be removed afterwards if `is_temporary`; `report_of` reads the result of the job."""
    request = {"path": str(path), TEMPORARY: is_temporary}
    return rt.queue.submit(KIND, request, rt.settings.snapshot(), title=f"Replay {path.name}", owner=owner, resumable=False)


def replay(rt: Runtime, path: Path) -> ReplayReport:
    """Make the picture in this file again and compare; waits for its turn. Raises UserError when the job fails."""
    job = submit(rt, path)
    job.wait()
    return report_of(job)


def report_of(job: Job) -> ReplayReport:
    """The report in the result of a job. Raises UserError when it failed or was stopped."""
    if job.result is None or "replay" not in job.result:
        raise UserError("The replay did not come to its end.", job.error or f"The job is {job.status}.")
    return ReplayReport(**job.result["replay"])


def run(job: Job, state: JobState) -> dict[str, Any]:
    """The worker's part: result of the new picture as any job's, with the report under "replay"."""
    rt = runtime.current()
    path = Path(job.request["path"])
    try:
        original = opened(path)
        stored = read_stored(original.infotext)
        result, report = made_again(rt, job, original, stored)
    except NotReplayable as error:
        result, report = {"images": [], "notes": []}, ReplayReport(verdict="impossible", why=error.reasons)
    finally:
        if job.request.get(TEMPORARY):
            path.unlink(missing_ok=True)
    return {**result, "notes": [headline(report), *report.why, *result["notes"]], "replay": asdict(report)}


def opened(path: Path) -> OpenedPicture:
    """The picture in a file. Raises NotReplayable."""
    try:
        return open_picture(path.read_bytes())
    except OSError as error:
        raise NotReplayable(f"{path.name} cannot be read: {error.strerror or error}.") from error
    except UserError as error:
        raise NotReplayable(str(error)) from error


def made_again(rt: Runtime, job: Job, original: OpenedPicture, stored: Stored) -> tuple[dict[str, Any], ReplayReport]:
    """The result of the run and the report. Raises NotReplayable when something is missing that the picture needs."""
    checkpoint = required_files(rt, stored)
    reasons = other_circumstances(rt, stored, checkpoint)
    values = values_of(rt, stored, checkpoint)
    pictures = kept_pictures(rt, stored)
    runner = runner_for(scripts.scripts_img2img if pictures else scripts.scripts_txt2img, stored, reasons)
    try:
        frozen = freeze(rt, request_of(stored, values), values, runner)
        rt.queue.admit(KIND, frozen.request)
    except UserError as error:
        raise NotReplayable(str(error)) from error
    frozen.request.update(pictures, row=stored.row, row_prompts=stored.prompts, row_negative_prompts=stored.negative_prompts,
                          extra_generation_params=kept_keys(rt, stored))
    kind = partial(img2img.opened, rt, ReplayedImg2Img) if pictures else ReplayedTxt2Img
    result = run_frozen(frozen, job, kind, processing.process_images, runner)
    if len(result["images"]) <= stored.row:
        raise NotReplayable("The run was stopped before the picture was there.")
    result["images"] = [result["images"][stored.row]]
    path = Path(result["images"][0]["path"])
    return result, compared(rt, original, picture_at(rt, path), [*reasons, *result["notes"]], str(path))


def request_of(stored: Stored, values: Mapping[str, Any]) -> dict[str, Any]:
    """The checked fields of the run. Raises RequestError."""
    request = validated(stored.request_fields, values)
    for name in ("scale_by", "resize_by"):  # they are told by the size
        request.pop(name, None)
    if "mask_blur_x" in values:
        request["mask_blur"] = None
    return request


def kept_pictures(rt: Runtime, stored: Stored) -> dict[str, Any]:
    """Names of the pictures that it began with, as a request has them; empty for text alone. Raises NotReplayable when one is gone."""
    if not stored.pictures:
        return {}
    names = {name: stored.pictures.get(name) for name in (img2img.PICTURES, *img2img.MASKS)}
    wanted = [*names[img2img.PICTURES], *(names[name] for name in img2img.MASKS if names[name] is not None)]
    if not wanted or not all(isinstance(name, str) and has_input(rt, name) for name in wanted):
        raise NotReplayable("The picture that it began with is not kept here; it is named by its hash only.")
    return names


def runner_for(runner: ScriptRunner, stored: Stored, reasons: list[str]) -> ScriptRunner:
    """The always-on scripts without those whose work stands in the prompts already; says which values are not stored."""
    shorter = copy.copy(runner)
    shorter.alwayson_scripts = [script for script in runner.alwayson_scripts if not script.is_done_when_replayed]
    for key, values in stored.script_values.items():
        if key not in runner.by_key:
            reasons.append(f"The script {key} took part, and is not there.")
        elif values is None:
            reasons.append(f"The values of the script {key} were too long to be stored; it runs with its defaults.")
    return shorter


def picture_at(rt: Runtime, path: Path) -> Image.Image:
    """The picture of a result, wherever it is kept."""
    content = rt.unsaved.content(str(path)) or path.read_bytes()
    return open_picture(content).image


def compared(rt: Runtime, original: OpenedPicture, made: Image.Image, reasons: list[str], path: str) -> ReplayReport:
    """Both pictures value by value; one of a lossy format against the new picture in that format."""
    if original.image.size != made.size:
        sizes = "{}x{} and {}x{}".format(*original.image.size, *made.size)
        return ReplayReport(verdict="different", max_difference=255, changed_share=1.0, path=path,
                            why=[f"The sizes differ: {sizes}. The file may be a grid, or was changed.", *reasons])
    is_lossy = original.format in LOSSY
    if is_lossy:
        kind = original.format.lower().replace("jpeg", "jpg")
        encoding = Encoding(format=kind, quality=rt.settings.jpeg_quality, webp_lossless=rt.settings.webp_lossless)
        made = open_picture(encode(made, "", encoding).content).image
    difference = np.abs(levels(original.image) - levels(made))
    most, share = int(difference.max(initial=0)), float((difference > 0).mean())
    close = difference.mean() <= LOSSY_MEAN_LEVELS if is_lossy else most <= MOST_LEVELS and share <= LARGEST_SHARE
    verdict: Verdict = "identical" if not most else "within tolerance" if close else "different"
    if verdict == "identical":
        reasons = []
    elif not reasons:
        reasons = ["All that is recorded is as it was. Another processor computes other last digits; or the file was changed since."]
    return ReplayReport(verdict=verdict, max_difference=most, changed_share=share, why=reasons, path=path,
                        tolerance=LOSSY_TOLERANCE if is_lossy else TOLERANCE)


def levels(image: Image.Image) -> np.ndarray:
    """Values 0..255 as int16 [H, W, 3]."""
    return np.asarray(image.convert("RGB"), dtype=np.int16)


def headline(report: ReplayReport) -> str:
    """The outcome in one sentence."""
    if report.verdict == "identical":
        return "The picture was made again, identical in every pixel."
    if report.verdict == "impossible":
        return "The picture cannot be made again."
    difference = f"up to {report.max_difference} levels in {report.changed_share:.2%} of the values"
    if report.verdict == "within tolerance":
        return f"The picture was made again, equal within the tolerance ({difference}; allowed: {report.tolerance})."
    return f"The picture made again is another one: {difference}."


@dataclass
class _RowOfABatch(StableDiffusionProcessing):
    """A run whose picture number `row` is the one to be made again; the others only give the batch its size."""

    row: int = 0
    row_prompts: list[str] | None = None
    row_negative_prompts: list[str] | None = None

    def fill_lists(self) -> None:
        super().fill_lists()
        if self.row_prompts:
            self.all_prompts = list(self.row_prompts)
        if self.row_negative_prompts:
            self.all_negative_prompts = list(self.row_negative_prompts)
        places = [i - self.row for i in range(len(self.all_prompts))]
        rises = not self.subseed_strength
        self.all_seeds = [max(self.seed + place * rises, 0) for place in places]
        self.all_subseeds = [max(self.subseed + place, 0) for place in places]


@dataclass
class ReplayedTxt2Img(_RowOfABatch, StableDiffusionProcessingTxt2Img):
    """A picture from text made again."""


@dataclass
class ReplayedImg2Img(_RowOfABatch, StableDiffusionProcessingImg2Img):
    """A picture from a picture made again."""


def is_close(report: Mapping[str, Any] | ReplayReport) -> bool:
    """Whether the picture came back, exactly or within the tolerance."""
    verdict = report.verdict if isinstance(report, ReplayReport) else report["verdict"]
    return verdict in ("identical", "within tolerance")
