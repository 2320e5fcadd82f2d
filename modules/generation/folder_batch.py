"""Batch of img2img: the pictures of a folder, or uploaded ones, one after the other in one job.

Fields of a request beside those of img2img (modules.generation.fields), all optional but one of the first two:
    input_dir        folder on this machine, searched with its sub-folders
    files            uploaded pictures: a list of paths (the name of the file is kept)
    output_dir       folder for the results, with the sub-folders of the input; empty for the usual folder
    mask_dir         folder of masks: one of the same name, or the only one there; empty for no inpainting
    use_png_info     take parameters from the pictures
    png_info_dir     read them from the pictures of this folder, of the same name, instead
    png_info_props   which: names in PNG_INFO_PROPS
    skip_done        leave out pictures whose result lies in output_dir already
Every picture gets the same seed. One that cannot be read is named in the notes and left out.
"""
from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Set
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from PIL import Image

from modules import img2img, processing, runtime, scripts
from modules.errors import Interrupted, RequestError, Skipped, UserError
from modules.generation.fields import Field, checked
from modules.generation.image_to_image import StableDiffusionProcessingImg2Img
from modules.generation.inputs import inputs_folder, open_input, store_input
from modules.generation.request import CHECKPOINT, NOTES, SCRIPTS, Frozen, freeze, run_frozen
from modules.generation.script_values import SELECTED
from modules.imaging import infotext
from modules.imaging.foreign_infotext import read_parameters
from modules.imaging.open_picture import open_picture
from modules.jobs.job import Job
from modules.jobs.state import JobState
from modules.runtime import Runtime
from modules.sampling.registry import split_sampler_name

KIND = "img2img-batch"
PICTURE_ENDINGS = (".png", ".jpg", ".jpeg", ".webp", ".avif", ".gif", ".bmp")
PNG_INFO_PROPS = ("Prompt", "Negative prompt", "Seed", "CFG scale", "Sampler", "Steps", "Model hash")
USUAL_PROPS = PNG_INFO_PROPS[:6]
MOST_FILES = 100_000
# Places among the pictures of the job for each file, where a script decides how many there will be.
PLACES_OF_A_SCRIPT = 100_000
BATCH = "batch"


def _folder(name: str, label: str) -> Field:
    return Field(name=name, label=label, kind="text", default="", element_id=f"batch_{name}")


FIELDS: tuple[Field, ...] = (
    _folder("input_dir", "Input directory"),
    _folder("output_dir", "Output directory"),
    _folder("mask_dir", "Inpaint batch mask directory"),
    _folder("png_info_dir", "PNG info directory"),
    Field(name="use_png_info", label="Append png info to prompts", kind="boolean", default=False, element_id="batch_use_png_info"),
    Field(name="png_info_props", label="PNG info", kind="names", default=USUAL_PROPS, element_id="batch_png_info_props"),
    Field(name="skip_done", label="Skip pictures that have a result", kind="boolean", default=False, element_id="batch_skip_done"),
)


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A picture of the batch. `name`: its path below the input folder; `path`: where it is; `stored`: the name of an uploaded one."""

    name: str
    path: str = ""
    stored: str = ""

    @property
    def stem(self) -> str:
        """The name of the file without its ending."""
        return Path(self.name).stem

    def content(self, rt: Runtime) -> Image.Image:
        """The picture. Raises UserError or OSError."""
        return open_input(rt, self.stored) if self.stored else open_picture(Path(self.path).read_bytes()).image


def submit(rt: Runtime, values: Mapping[str, Any], *, owner: str = "", job_id: str | None = None) -> Job:
    """Queue a batch. Raises RequestError for a folder that is not there or has no pictures, and for what img2img refuses."""
    request = img2img.checked_fields(values)
    batch = {f.name: checked(f, values[f.name]) if values.get(f.name) is not None else f.default for f in FIELDS}
    for field in FIELDS:
        if field.name.endswith("_dir"):
            batch[field.name] = checked_folder(rt, field, batch[field.name])
    unknown = [name for name in batch["png_info_props"] if name not in PNG_INFO_PROPS]
    if unknown:
        raise RequestError("png_info_props", f"{unknown[0]!r} is no part of PNG info.", remedy=f"There is: {', '.join(PNG_INFO_PROPS)}.")
    if batch["skip_done"] and not batch["output_dir"]:
        raise RequestError("skip_done", "Which pictures have a result can only be told from an output directory.", remedy="Name one.")
    entries = uploaded(rt, values["files"]) if values.get("files") else found(batch["input_dir"])
    batch["files"] = [vars(entry) for entry in entries]
    batch["png_info_props"] = list(batch["png_info_props"])
    frozen = freeze(rt, request, values, scripts.scripts_img2img)
    frozen.request[BATCH] = batch
    return rt.queue.submit(KIND, frozen.request, frozen.settings, title=f"{len(entries)} pictures: {request['prompt']}"[:200], owner=owner,
                           job_id=job_id)


def checked_folder(rt: Runtime, field: Field, given: str) -> str:
    """The folder as an absolute path, "" for none. Raises RequestError where it is not there; the output folder will be made."""
    text = given.strip().strip('"')
    if not text:
        return ""
    if rt.args.hide_ui_dir_config:
        raise RequestError(field.name, f"{field.label}: folders of this machine are not for requests here.", remedy="Upload the pictures.")
    path = Path(text).expanduser()
    path = path if path.is_absolute() else rt.folders.data / path
    if field.name != "output_dir" and not path.is_dir():
        raise RequestError(field.name, f"{field.label}: there is no folder {text}.", remedy="Check its name.")
    return str(path)


def uploaded(rt: Runtime, paths: list[Any]) -> list[Entry]:
    """Entries of pictures that came with the request; what cannot be read is found out when its turn comes."""
    entries = []
    for path in map(Path, paths):
        try:
            entries.append(Entry(name=path.name, stored=store_input(rt, path, "files")))
        except RequestError:
            entries.append(Entry(name=path.name, path=str(path)))
    return entries


def found(folder: str) -> list[Entry]:
    """The pictures below a folder in the order of their names. Raises RequestError when there is none."""
    if not folder:
        raise RequestError("input_dir", "There is no folder and no picture to begin with.", remedy="Name the input directory.")
    root = Path(folder)
    files = sorted(path for path in root.rglob("*") if path.suffix.lower() in PICTURE_ENDINGS and path.is_file())
    if not files:
        raise RequestError("input_dir", f"The folder {folder} has no pictures.", remedy=f"Put some there: {', '.join(PICTURE_ENDINGS)}.")
    if len(files) > MOST_FILES:
        raise RequestError("input_dir", f"The folder {folder} has {len(files):,} pictures, the limit is {MOST_FILES:,}.")
    return [Entry(name=str(path.relative_to(root)), path=str(path)) for path in files]


def run(job: Job, state: JobState) -> dict[str, Any]:
    """The worker's part: every picture of the batch that has no result yet."""
    return _Batch(runtime.current(), job, state).result()


class _Batch:
    """A batch at work."""

    def __init__(self, rt: Runtime, job: Job, state: JobState):
        self.rt, self.job, self.state = rt, job, state
        self.options = job.request[BATCH]
        self.entries = [Entry(**entry) for entry in self.options["files"]]
        self.per_file = job.request["n_iter"] * job.request["batch_size"]
        if (job.request.get(SCRIPTS) or {}).get(SELECTED):
            self.per_file = max(self.per_file, PLACES_OF_A_SCRIPT)
        self.begun = {picture.index // self.per_file for picture in job.pictures}
        self.earlier = {picture.path for picture in job.pictures}
        self._done: dict[Path, set[str]] = {}
        self.notes: dict[str, None] = dict.fromkeys(job.request.get(NOTES, ()))
        self.images: list[dict[str, Any]] = []
        self.last: dict[str, Any] = {}

    def result(self) -> dict[str, Any]:
        """Make all pictures; the result of the job, with the first pictures that settings want shown."""
        started = time.monotonic()
        self.state.job_count = len(self.entries) * self.job.request["n_iter"]
        with suppress(Interrupted):
            for number, entry in enumerate(self.entries):
                if self.state.interrupted or self.state.stopping_generation:
                    break
                self.state.job = self.state.textinfo = f"{entry.name} ({number + 1} of {len(self.entries)})"
                self._try(number, entry)
        most = self.job.settings.get("img2img_batch_show_results_limit", 32)
        shown = self.images if most < 0 else self.images[:most]
        return {"images": shown, "index_of_first_image": 0, "info": self.last.get("info", {}), "notes": list(self.notes),
                "seconds": time.monotonic() - started, "interrupted": self.state.interrupted,
                "batch": {"files": len(self.entries), "pictures": len(self.images)}}

    def _try(self, number: int, entry: Entry) -> None:
        try:
            if self.options["skip_done"] and number not in self.begun and self._is_done(entry):
                self.notes["Pictures that had a result already were left out."] = None
                self.state.nextjob()
            else:
                self._make(number, entry)
        except Skipped:
            self.state.nextjob()
        except (UserError, OSError) as error:
            sentence = str(error) if isinstance(error, UserError) else f"{error.strerror or error}."
            self.notes[f"{entry.name} was left out: {sentence}"] = None
            self.state.nextjob()

    def _request(self, entry: Entry) -> dict[str, Any]:
        """The request of one picture. Raises UserError or OSError, also where it asks for more than the owner of the server admits."""
        picture = entry.content(self.rt)
        request = {name: value for name, value in self.job.request.items() if name not in (BATCH, "resize_by", "scale_by")}
        request |= {img2img.PICTURES: [picture], "do_not_save_grid": True}
        if self.options["mask_dir"]:
            request["mask"] = open_picture(self._mask_for(entry).read_bytes()).image
        if self.job.request["resize_by"]:
            request["width"], request["height"] = img2img.scaled_size(picture, self.job.request["scale_by"])
        if self.options["use_png_info"]:
            request |= self._from_png_info(entry, request)
        self.rt.queue.admit(KIND, request)
        return request

    def _processing(self, entry: Entry, **fields: Any) -> StableDiffusionProcessingImg2Img:
        p = StableDiffusionProcessingImg2Img(**fields)
        p.kept_name = entry.stem
        if self.options["output_dir"]:
            p.own_folder = self._output_folder(entry)
        return p

    def _make(self, number: int, entry: Entry) -> None:
        frozen = Frozen(request=self._request(entry), settings=dict(self.job.settings))
        places = range(number * self.per_file, (number + 1) * self.per_file)
        self.last = run_frozen(frozen, self.job, partial(self._processing, entry), processing.process_images, scripts.scripts_img2img,
                               places=places)
        self.images += self.last["images"]
        self.notes |= dict.fromkeys(self.last["notes"])

    def _output_folder(self, entry: Entry) -> Path:
        return Path(self.options["output_dir"]) / Path(entry.name).parent

    def _is_done(self, entry: Entry) -> bool:
        folder = self._output_folder(entry)
        if folder not in self._done:
            files = [path for path in folder.glob("*") if path.suffix.lower() in PICTURE_ENDINGS and str(path) not in self.earlier]
            self._done[folder] = stems_with_result(files, self._stems_by_folder[folder])
        return entry.stem in self._done[folder]

    @cached_property
    def _stems_by_folder(self) -> dict[Path, set[str]]:
        """The names of the pictures of the batch by the folders of their results."""
        stems: dict[Path, set[str]] = {}
        for entry in self.entries:
            stems.setdefault(self._output_folder(entry), set()).add(entry.stem)
        return stems

    @cached_property
    def _masks(self) -> list[Path]:
        return sorted(path for path in Path(self.options["mask_dir"]).rglob("*") if path.suffix.lower() in PICTURE_ENDINGS)

    @cached_property
    def _mask_by_stem(self) -> dict[str, Path]:
        return {path.stem: path for path in reversed(self._masks)}

    def _mask_for(self, entry: Entry) -> Path:
        """The mask of a picture: of the same stem, else the only one in the folder. Raises UserError when there is none."""
        same = self._mask_by_stem.get(entry.stem)
        if same is None and len(self._masks) != 1:
            raise UserError(f"There is no mask called {entry.stem} in {self.options['mask_dir']}.")
        return same or self._masks[0]

    def _from_png_info(self, entry: Entry, fields: Mapping[str, Any]) -> dict[str, Any]:
        """What the parameters of the picture change. Raises UserError or OSError."""
        folder = self.options["png_info_dir"]
        source = Path(folder) / Path(entry.name).name if folder else Path(entry.path) if entry.path else None
        text = read_parameters(source).text if source else read_parameters(uploaded_bytes(self.rt, entry)).text
        if not text:
            self.notes[f"{entry.name} says nothing about how it was made."] = None
            return {}
        return dict(png_info_fields(self.rt, infotext.parse(text), self.options["png_info_props"], fields))


def stems_with_result(files: Iterable[Path], stems: Set[str]) -> set[str]:
    """What the results of these files belong to: a picture of the same name, or of the name before a number.

    `stems` are the names of all pictures of the batch: "a-2" is no second result of "a" where a picture is called so.
    """
    done = set()
    for path in files:
        name, _, number = path.stem.rpartition("-")
        done.add(name if number.isdigit() and path.stem not in stems else path.stem)
    return done


def uploaded_bytes(rt: Runtime, entry: Entry) -> bytes:
    """The file of an uploaded picture."""
    return (inputs_folder(rt) / entry.stored).read_bytes()


def png_info_fields(rt: Runtime, info: Mapping[str, Any], props: list[str], fields: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Fields that the chosen parts of an infotext change: texts are appended, numbers replaced, a model is found by its hash."""
    for part, name in (("Prompt", "prompt"), ("Negative prompt", "negative_prompt")):
        if part in props and info.get(part):
            yield name, f"{fields[name]} {info[part]}".strip()
    for part, name, number in (("Seed", "seed", int), ("CFG scale", "cfg_scale", float), ("Steps", "steps", int)):
        if part in props and info.get(part):
            try:
                yield name, number(info[part])
            except ValueError as error:
                raise UserError(f"Its {part} is no number.") from error
    if "Sampler" in props and info.get("Sampler"):
        sampler, schedule = split_sampler_name(str(info["Sampler"]))
        yield "sampler_name", sampler
        yield "scheduler", schedule or info.get("Schedule type") or "Automatic"
    if "Model hash" in props and info.get("Model hash"):
        title = rt.checkpoints.find(str(info["Model hash"])).title
        yield "override_settings", {**(fields.get("override_settings") or {}), "sd_model_checkpoint": title}
        yield CHECKPOINT, None  # it is another one than the job's on purpose
