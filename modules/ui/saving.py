"""What the buttons below the gallery do: save a copy, pack a zip archive, open the folder."""
from __future__ import annotations

import os
import subprocess
import sys
import time
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from fastapi import APIRouter, Request
from pydantic import BaseModel

from modules.api.own_queue import own_queue
from modules.atomic_files import publish
from modules.errors import NotFound, UserError
from modules.imaging.filenames import NameContext, file_name, folder_parts
from modules.imaging.save_log import append_to_log, copy_picture
from modules.imaging.unsaved import MEMORY_PREFIX
from modules.jobs.fairness import user_of
from modules.jobs.job import Job

if TYPE_CHECKING:
    from modules.runtime import Runtime

ZIP_PATTERN = "[datetime]_[[model_name]]_[seed]-[seed_last]"
ZIP_KEPT_S = 3600


class PictureRequest(BaseModel):
    """One picture of a job."""

    id: str
    index: int = 0


class JobRequest(BaseModel):
    id: str


class TabRequest(BaseModel):
    tab: str = "txt2img"


def saving_router(rt: Runtime) -> APIRouter:
    """The routes behind the buttons. Errors are answered as for all routes."""
    router = APIRouter(prefix="/internal/pictures", include_in_schema=False)

    @router.post("/save")
    def save(asked: PictureRequest, request: Request) -> dict[str, Any]:
        return saved_copies(rt, job_of(rt, request, asked.id), asked.index)

    @router.post("/zip")
    def make_zip(asked: JobRequest, request: Request) -> dict[str, str]:
        return zip_of(rt, job_of(rt, request, asked.id))

    @router.post("/open-folder")
    def open_folder(asked: TabRequest) -> dict[str, str]:
        return opened_folder(rt, asked.tab)

    return router


def job_of(rt: Runtime, request: Request, job_id: str) -> Job:
    """The job. Raises NotFound when it was forgotten, or is somebody else's."""
    job = own_queue(rt, request).get(job_id)
    if job is None:
        raise NotFound("The job of this picture is no longer known.", "Only the newest are kept.", "Its pictures are in the output folder.")
    return job


def picture_paths(job: Job) -> list[str]:
    """Paths of the job's pictures, in the order in which the gallery shows them."""
    if job.result:
        return [image["path"] for image in job.result.get("images", ())]
    return [picture.path for picture in job.pictures]


def picture_content(rt: Runtime, path: str) -> bytes:
    """The file's bytes, from memory where no disk took it. Raises NotFound."""
    try:
        content = rt.unsaved.content(path) if path.startswith(MEMORY_PREFIX) else Path(path).read_bytes()
    except OSError:
        content = None
    if content is None:
        raise NotFound(f"The picture {Path(path).name} is no longer there.")
    return content


def saved_copies(rt: Runtime, job: Job, index: int) -> dict[str, Any]:
    """Copy the picture of that index (or all, by the setting) into the folder of the Save button, with a row each in log.csv."""
    paths = picture_paths(job)
    if not 0 <= index < len(paths):
        raise NotFound(f"The job has no picture {index}.")
    usual = {"outdir_save": rt.settings.outdir_save}
    folder = rt.folders.data / rt.queue.settings_for(job.owner, {}, usual)["outdir_save"]  # its owner's own, where users have logins
    chosen = [index] if rt.settings.save_selected_only else list(range(len(paths)))
    saved = [_saved_copy(rt, job, number, paths[number], folder) for number in chosen]
    return {"path": str(saved[0]), "paths": [str(path) for path in saved]}


def _saved_copy(rt: Runtime, job: Job, index: int, path: str, folder: Path) -> Path:
    pattern = rt.settings.directories_filename_pattern if rt.settings.use_save_to_dirs_for_ui else ""
    context = replace(_name_context(job, index), max_prompt_words=rt.settings.directories_max_prompt_words)
    place = folder.joinpath(*folder_parts(pattern, context))
    if path.startswith(MEMORY_PREFIX):
        copy = publish(place, f"{job.folder_name}-{index:02d}.png", picture_content(rt, path))
    else:
        copy = copy_picture(Path(path), place)
    append_to_log(folder, _log_row(job, index, copy.relative_to(folder).as_posix()))
    return copy


def _log_row(job: Job, index: int, filename: str) -> dict[str, Any]:
    info = (job.result or {}).get("info", {})
    images = (job.result or {}).get("images", [])
    seed = images[index].get("seed") if index < len(images) else info.get("seed")
    columns = {"prompt": "prompt", "width": "width", "height": "height", "sampler": "sampler_name", "cfgs": "cfg_scale", "steps": "steps",
               "negative_prompt": "negative_prompt", "sd_model_name": "sd_model_name", "sd_model_hash": "sd_model_hash"}
    row = {column: info.get(name) for column, name in columns.items()} | {"seed": seed, "filename": filename}
    return {column: "" if value is None else value for column, value in row.items()}


def zip_of(rt: Runtime, job: Job) -> dict[str, str]:
    """Pack all pictures of a job; returns the archive's name and address. Raises NotFound, UserError."""
    paths = picture_paths(job)
    if not paths:
        raise NotFound("The job has no pictures.")
    folder = rt.folders.temporary / "zip"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for old in folder.glob("*.zip"):
            if time.time() - old.stat().st_mtime > ZIP_KEPT_S:
                old.unlink(missing_ok=True)
        archive = publish(folder, f"{_zip_name(rt, job)}.zip", b"")
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as packed:  # pictures are compressed already
            for number, path in enumerate(paths):
                name = f"{number:05d}.png" if path.startswith(MEMORY_PREFIX) else Path(path).name
                packed.writestr(name, picture_content(rt, path))
    except OSError as error:
        raise UserError("The archive could not be written.", f"{error.strerror}.", f"Free some space in {rt.folders.temporary}.") from error
    return {"name": archive.name, "url": f"/file={quote(str(archive))}"}


def _zip_name(rt: Runtime, job: Job) -> str:
    return file_name(rt.settings.grid_zip_filename_pattern or ZIP_PATTERN, _name_context(job), None, 200) or job.folder_name


def _name_context(job: Job, index: int = 0) -> NameContext:
    """What patterns may speak of, for the picture of that index."""
    info = (job.result or {}).get("info", {})
    seeds = info.get("all_seeds") or [None]

    def text(key: str) -> str:
        return str(info.get(key) or "")

    return NameContext(
        prompt=text("prompt"), negative_prompt=text("negative_prompt"), sampler=text("sampler_name"), scheduler=text("scheduler"),
        model_name=text("sd_model_name"), model_hash=text("sd_model_hash"), job_timestamp=text("job_timestamp"),
        seed=seeds[min(index, len(seeds) - 1)],
        seed_first=seeds[0], seed_last=seeds[-1], steps=info.get("steps"), cfg=info.get("cfg_scale"), width=info.get("width"),
        height=info.get("height"), user=user_of(job.owner))


def opened_folder(rt: Runtime, tab: str) -> dict[str, str]:
    """Show the output folder in the file manager of the machine that Easel runs on; says where it is when there is none."""
    if rt.args.hide_ui_dir_config:
        raise UserError("Folders cannot be opened from here.", "The program was started with --hide-ui-dir-config.")
    root = rt.folders.data / (rt.settings.outdir_samples or getattr(rt.settings, f"outdir_{tab}_samples", None) or "outputs")
    newest = max((path for path in root.glob("*") if path.is_dir()), key=lambda path: path.stat().st_mtime, default=root)
    folder = newest if rt.settings.open_dir_button_choice == "Subdirectory" else root
    if not folder.is_dir():
        return {"message": "There is no output folder yet: it is made with the first picture."}
    if not _show(folder):
        return {"message": f"The pictures are in {folder} on the machine that Easel runs on."}
    return {"message": ""}


def _show(folder: Path) -> bool:
    """Open a folder on this machine's screen; whether there was a way to."""
    if sys.platform == "linux" and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        return False
    try:
        if sys.platform == "win32":
            os.startfile(folder)
        else:
            opener = "open" if sys.platform == "darwin" else "xdg-open"
            subprocess.Popen([opener, str(folder)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    except OSError:
        return False
    return True
