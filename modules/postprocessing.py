"""Extras as a job: given pictures led through the chain of steps, each result saved before the next picture is begun.

A request:
    batch      {"files": [...]}: the pictures, as modules.generation.folder_batch describes them
    steps      values of the steps by name, e.g. {"Upscale": {"upscaler_1_name": "Lanczos", ...}}; a step that is not named is off
    order      names of steps that come first; the setting of that name where it is absent
    output_dir folder for the results, with the sub-folders of the input; empty for the usual one
    single     whether there is one picture, whose failure is the job's; a batch goes on and names what was left out
    save, show whether results are saved, and shown in the gallery
"""
from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from modules import runtime, script_callbacks, scripts
from modules.atomic_files import write_atomically, write_problem
from modules.errors import Interrupted, NotFound, RequestError, Skipped, UserError
from modules.generation.folder_batch import BATCH, FIELDS, Entry, checked_folder, found, uploaded, uploaded_bytes
from modules.generation.inputs import GivenPicture, store_input
from modules.imaging.filenames import NameContext
from modules.imaging.infotext import append_fields
from modules.imaging.open_picture import OpenedPicture, open_picture
from modules.imaging.save import SavedPicture, SaveOptions, save_picture
from modules.imaging.tiled_network import TileOptions
from modules.imaging.upscaler_table import MAX_PIXELS, too_large
from modules.jobs.job import Job
from modules.jobs.state import JobState
from modules.runtime import Runtime
from modules.scripts_postprocessing import PostprocessedImage, ScriptPostprocessingRunner, StepOptions

KIND = "extras"
# Places among the pictures of the job for each file: steps may make several of one.
PLACES = 1000
MOST_SHOWN = 500
LONGEST_SIDE_PX = 65_500
_FOLDERS = {row.name: replace(row, element_id=f"extras_batch_{row.name}") for row in FIELDS if row.name in ("input_dir", "output_dir")}


@dataclass(frozen=True, kw_only=True)
class ExtrasRequest:
    """What the tab or the API asks for: one picture, uploaded files, or a folder; see the top of this file for the rest."""

    picture: GivenPicture | None = None
    pictures: Sequence[tuple[str, GivenPicture]] = ()
    files: Sequence[str] = ()
    input_dir: str = ""
    output_dir: str = ""
    steps: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    order: Sequence[str] | None = None
    save: bool = True
    show: bool = True


def submit(rt: Runtime, asked: ExtrasRequest, *, owner: str = "", job_id: str | None = None) -> Job:
    """Queue the request. Raises RequestError for pictures and folders that are not there, NotFound for an unknown step."""
    runner = steps_runner()
    unknown = [name for name in asked.steps if name not in {step.name for step in runner.scripts}]
    if unknown:
        raise NotFound(f'Extras has no step named "{unknown[0][:100]}".')
    output_dir = checked_folder(rt, _FOLDERS["output_dir"], asked.output_dir)
    entries = _entries(rt, asked)
    batch = {"files": [vars(entry) for entry in entries], "input_dir": asked.input_dir.strip()}
    request = {BATCH: batch, "n_iter": 1, "batch_size": 1, "steps": runner.completed(asked.steps),
               "output_dir": output_dir, "single": asked.picture is not None, "save": asked.save, "show": asked.show}
    if asked.order is not None:
        request["order"] = list(asked.order)
    title = "Extras" if asked.picture is not None else f"Extras: {len(entries)} pictures"
    return rt.queue.submit(KIND, request, rt.settings.snapshot(), title=title, owner=owner, job_id=job_id)


def _entries(rt: Runtime, asked: ExtrasRequest) -> list[Entry]:
    if asked.picture is not None:
        return [Entry(name="", stored=store_input(rt, asked.picture, "image"))]
    if asked.pictures:
        return [Entry(name=name, stored=store_input(rt, picture, "imageList")) for name, picture in asked.pictures]
    if asked.files:
        return uploaded(rt, list(asked.files))
    if asked.input_dir.strip():
        return found(checked_folder(rt, _FOLDERS["input_dir"], asked.input_dir))
    raise RequestError("image", "There is no picture to work on.", remedy="Choose one.")


def steps_runner() -> ScriptPostprocessingRunner:
    """The steps of the running program."""
    runner: ScriptPostprocessingRunner | None = scripts.scripts_postproc
    if runner is None:
        raise RuntimeError("no program is running")
    return runner


def run(job: Job, state: JobState) -> dict[str, Any]:
    """The worker's part: every picture of the request that has no result yet."""
    rt = runtime.current()
    with rt.settings.overriding(dict(job.settings)):
        return _Extras(rt, job, state).result()


class _Extras:
    """A request at work."""

    def __init__(self, rt: Runtime, job: Job, state: JobState):
        self.rt, self.job, self.state = rt, job, state
        self.request = job.request
        self.entries = [Entry(**entry) for entry in self.request[BATCH]["files"]]
        self.options = StepOptions(order=self.request.get("order", rt.settings.postprocessing_operation_order),
                                   disabled=rt.settings.postprocessing_disable_in_extras)
        self.begun = {picture.index // PLACES for picture in job.pictures}
        self.notes: dict[str, None] = {}
        self.images: list[dict[str, Any]] = [{"path": picture.path, "infotext": picture.infotext, "saved": self.request["save"]}
                                             for picture in sorted(job.pictures, key=lambda picture: picture.index)]
        self.done: dict[str, Any] = {}

    def result(self) -> dict[str, Any]:
        """Work on all pictures; the result of the job."""
        started = time.monotonic()
        self.state.job_count = len(self.entries)
        with suppress(Interrupted), self.rt.upscalers.watched(self._on_tile):
            for number, entry in enumerate(self.entries):
                if self.state.interrupted or self.state.stopping_generation:
                    break
                self.state.skipped = False
                self.state.job = self.state.textinfo = f"{entry.name} ({number + 1} of {len(self.entries)})" if entry.name else "Extras"
                self._try(number, entry)
                self.state.nextjob()
        if len(self.images) > MOST_SHOWN and self.request["show"]:
            self.notes[f"The first {MOST_SHOWN} of {len(self.images):,} pictures are shown."] = None
        return {"images": self.images[:MOST_SHOWN] if self.request["show"] else [], "index_of_first_image": 0,
                "info": {"postprocessing": self.done}, "notes": list(self.notes), "seconds": time.monotonic() - started,
                "interrupted": self.state.interrupted, "batch": {"files": len(self.entries), "pictures": len(self.images)}}

    def _on_tile(self, done: int, of: int) -> None:
        self.state.check()
        self.state.sampling_steps, self.state.sampling_step = of, done

    def _try(self, number: int, entry: Entry) -> None:
        if number in self.begun:
            return
        try:
            self._work_on(number, entry)
        except Skipped:
            self.notes[f"{entry.name or 'The picture'} was skipped."] = None
        except (UserError, OSError) as error:
            if self.request["single"]:
                raise
            sentence = str(error) if isinstance(error, UserError) else f"{error.strerror or error}."
            self.notes[f"{entry.name} was left out: {sentence}"] = None

    def _work_on(self, number: int, entry: Entry) -> None:
        opened = self._opened(entry)
        pp = PostprocessedImage(opened.image, opened.infotext or "")
        runner = steps_runner()
        runner.image_changed()
        results = runner.run(pp, self.request["steps"], self.options, self._before_step)
        used_suffixes: dict[str, int] = {}
        for place, one in enumerate(results[:PLACES]):
            self._deliver(number * PLACES + place, entry, one, one.get_suffix(used_suffixes))
            self.notes |= dict.fromkeys(f"{entry.name}: {note}" if entry.name else note for note in one.notes)
        self.done = {key: value for key, value in pp.info.items() if value is not None}

    def _opened(self, entry: Entry) -> OpenedPicture:
        content = uploaded_bytes(self.rt, entry) if entry.stored else Path(entry.path).read_bytes()
        return open_picture(content)

    def _before_step(self, name: str) -> None:
        self.state.check()
        self.state.textinfo = name

    def _deliver(self, index: int, entry: Entry, pp: PostprocessedImage, suffix: str) -> None:
        """Publish a result and note it in the job; a folder that cannot take it ends the job, and the picture stays with the job."""
        text = append_fields(pp.infotext, {key: value for key, value in pp.info.items() if value is not None})
        saved: SavedPicture | None = None
        problem: UserError | None = None
        if self.request["save"]:
            try:
                saved = self._saved(entry, pp, text, suffix)
            except UserError as error:
                problem = error
        path = str(saved.path) if saved else self.rt.unsaved.keep(self.rt.folders.results / self.job.folder_name, pp.image, text)
        self.images.append({"path": path, "infotext": text, "width": pp.image.width, "height": pp.image.height, "saved": saved is not None})
        self.rt.queue.note_picture(self.job, index, path, text)
        self.state.assign_current_image(pp.image)
        if problem is not None:
            raise problem

    def _saved(self, entry: Entry, pp: PostprocessedImage, text: str, suffix: str) -> SavedPicture:
        settings = self.rt.settings
        # Names are numbers, or those of the files that the pictures came from.
        options = replace(SaveOptions.from_settings(settings), folder_pattern="", pattern="")
        if pp.caption:
            options = replace(options, text_beside=False)
        stem = Path(entry.name).stem if settings.use_original_name_batch else ""
        # Names that are numbers differ anyway; only what steps call their results is added to them.
        tags = "" if stem else "".join(f"-{tag}" for tag in pp.nametags)
        saved = save_picture(pp.image, options, NameContext(job_timestamp=self.state.job_timestamp), text, folder=self._folder(entry),
                             suffix=tags, forced_name=f"{stem}{suffix}" if stem else "")
        self.notes |= dict.fromkeys(saved.notes)
        if pp.caption:
            self._write_caption(entry, saved, pp.caption)
        if script_callbacks.has("image_saved"):
            params = script_callbacks.ImageSaveParams(pp.image, None, str(saved.path), {"parameters": text})
            script_callbacks.call("image_saved", params, note=lambda note: self.notes.update({note: None}))
        return saved

    def _folder(self, entry: Entry) -> Path:
        if self.request["output_dir"]:
            return Path(self.request["output_dir"]) / Path(entry.name).parent
        settings = self.rt.settings
        return self.rt.folders.data / (settings.outdir_samples or settings.outdir_extras_samples)

    def _write_caption(self, entry: Entry, saved: SavedPicture, caption: str) -> None:
        """Put the caption beside the picture, joined with one that lies beside the picture that it was made from."""
        path = saved.path.with_suffix(".caption.txt" if saved.text_path else ".txt")
        earlier = _text_of(Path(entry.path).with_suffix(".txt")) if entry.path else ""
        joined = {"Prepend": f"{earlier} {caption}", "Append": f"{caption} {earlier}", "Keep": earlier or caption}
        text = joined.get(self.rt.settings.postprocessing_existing_caption_action, caption).strip()
        try:
            write_atomically(path, f"{text}\n".encode())
        except OSError as error:
            raise write_problem("the caption", path.parent, error) from error


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


def check_target(width: int, height: int) -> None:
    """Raise UserError for a picture that is larger than this program or the owner of the server admits."""
    if width * height > MAX_PIXELS or max(width, height) > LONGEST_SIDE_PX:
        raise too_large((width, height))
    runtime.current().queue.admit(KIND, {"width": width, "height": height})


def tile_options(settings: Any, kind: str) -> TileOptions:
    """How the settings want pictures cut for a kind of network."""
    keys = {"DAT": ("DAT_tile", "DAT_tile_overlap"), "SWIN": ("SWIN_tile", "SWIN_tile_overlap"),
            "SCUNET": ("SCUNET_tile", "SCUNET_tile_overlap")}
    tile, overlap = keys.get(kind, ("ESRGAN_tile", "ESRGAN_tile_overlap"))
    return TileOptions(tile_px=getattr(settings, tile), overlap_px=getattr(settings, overlap))


def on_tile(state: JobState, done: int, of: int) -> None:
    """Progress of an upscaler inside a job of another kind: stops it when asked, and says where it is."""
    state.check()
    if of > 1:
        state.textinfo = f"Upscaling: tile {min(done + 1, of)} of {of}"
