"""Routes for pictures: files of the output folders by their path, saving a copy, zip archives, opening the folder."""
from __future__ import annotations

import mimetypes
import os
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter
from fastapi.responses import FileResponse, JSONResponse, Response
from pydantic import BaseModel

from modules.errors import NotFound, UserError
from modules.jobs.job import Job

if TYPE_CHECKING:
    from modules.runtime import Runtime

PICTURES = {".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".webp": "image/webp", ".gif": "image/gif",
            ".avif": "image/avif", ".bmp": "image/bmp"}
HEADERS = {"X-Content-Type-Options": "nosniff", "Cache-Control": "private, max-age=3600"}


def is_picture(path: Path) -> bool:
    """Whether a browser may show a file of this name; html and svg could run scripts in our origin."""
    return path.suffix.lower() in PICTURES


def allowed_file(name: str, roots: list[Path]) -> Path:
    """The file behind a path in a request, when it lies in one of `roots` after all links are followed. Raises NotFound."""
    try:
        path = Path(name).resolve()
        inside = any(path.is_relative_to(root.resolve()) for root in roots) and path.is_file()
    except (OSError, ValueError):  # a name with NUL, too long, or a loop of links
        inside = False
    if not inside:
        raise NotFound("There is no such file.")
    return path


def file_answer(path: Path) -> Response:
    """Pictures are shown, everything else is downloaded."""
    if is_picture(path):
        return FileResponse(path, media_type=PICTURES[path.suffix.lower()], headers=HEADERS)
    return FileResponse(path, media_type="application/octet-stream", filename=path.name, headers=HEADERS)


def served_folders(rt: Runtime) -> list[Path]:
    """Folders whose files the page may fetch: outputs, results that were not saved, uploads."""
    return [rt.folders.outputs, rt.folders.log, rt.folders.results, rt.folders.temporary]


class PictureRequest(BaseModel):
    """One picture of a job."""

    id: str
    index: int = 0


class JobRequest(BaseModel):
    id: str


class TabRequest(BaseModel):
    tab: str = "txt2img"


def pictures_router(rt: Runtime) -> APIRouter:
    """The routes. gradio's own file route has the same address; ours stands before it and serves less."""
    router = APIRouter()

    @router.get("/gradio_api/file={path:path}", include_in_schema=False)
    @router.get("/file={path:path}", include_in_schema=False)
    def picture_file(path: str) -> Response:
        try:
            return file_answer(allowed_file(path, served_folders(rt)))
        except NotFound as error:
            return JSONResponse({"error": "NotFound", "detail": str(error), "body": "", "errors": ""}, status_code=404)

    @router.post("/internal/pictures/save", include_in_schema=False)
    def save(asked: PictureRequest) -> Any:
        return answered(lambda: save_copy(rt, job_of(rt, asked.id), asked.index))

    @router.post("/internal/pictures/zip", include_in_schema=False)
    def make_zip(asked: JobRequest) -> Any:
        return answered(lambda: zip_of(rt, job_of(rt, asked.id)))

    @router.post("/internal/pictures/open-folder", include_in_schema=False)
    def open_folder(asked: TabRequest) -> Any:
        return answered(lambda: opened_folder(rt, asked.tab))

    return router


def answered(work: Any) -> Any:
    """The work's answer, or its error as a sentence with the right status."""
    try:
        return work()
    except UserError as error:
        return JSONResponse({"error": type(error).__name__, "detail": str(error), "body": "", "errors": ""}, status_code=error.status)
    except OSError as error:
        return JSONResponse({"error": "OSError", "detail": f"The file could not be written: {error.strerror}.", "body": "", "errors": ""}, status_code=507)


def job_of(rt: Runtime, job_id: str) -> Job:
    job = rt.queue.get(job_id)
    if job is None:
        raise NotFound("The job of this picture is no longer known.", "Only the newest 50 are kept.")
    return job


def picture_paths(job: Job) -> list[str]:
    """Paths of the job's pictures, as the gallery shows them."""
    if job.result:
        return [image["path"] for image in job.result.get("images", ())]
    return [picture.path for picture in job.pictures]


def picture_content(rt: Runtime, path: str) -> bytes:
    """The file's bytes, from memory where no disk took it. Raises NotFound."""
    try:
        content = rt.unsaved.content(path) if path.startswith("memory:") else Path(path).read_bytes()
    except OSError:
        content = None
    if content is None:
        raise NotFound(f"The picture {Path(path).name} is no longer there.")
    return content


def zip_of(rt: Runtime, job: Job) -> dict[str, str]:
    """Pack all pictures of a job; returns the archive's name and address."""
    paths = picture_paths(job)
    if not paths:
        raise NotFound("The job has no pictures.")
    folder = rt.folders.temporary / "zip"
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.zip"):
        if time.time() - old.stat().st_mtime > 3600:
            old.unlink(missing_ok=True)
    archive = folder / f"{time.strftime('%Y%m%d%H%M%S')}_{job.folder_name}.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as packed:  # pictures are compressed already
        for number, path in enumerate(paths):
            name = f"{number:05d}.png" if path.startswith("memory:") else Path(path).name
            packed.writestr(name, picture_content(rt, path))
    return {"name": archive.name, "url": f"/file={archive}"}


def opened_folder(rt: Runtime, tab: str) -> dict[str, str]:
    """Show the output folder in the file manager of the machine that Easel runs on; says where it is when there is none."""
    if rt.args.hide_ui_dir_config:
        raise UserError("Folders cannot be opened from here.", "The program was started with --hide-ui-dir-config.")
    folder = rt.folders.outputs / f"{tab}-images" if tab.isalnum() else rt.folders.outputs
    folder = folder if folder.is_dir() else rt.folders.outputs
    opener = {"win32": None, "darwin": ["open"]}.get(sys.platform, ["xdg-open"])
    has_screen = sys.platform != "linux" or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
    try:
        if not has_screen:
            raise OSError("no screen")
        if opener is None:
            os.startfile(folder)  # type: ignore[attr-defined]
        else:
            subprocess.Popen([*opener, str(folder)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    except OSError:
        return {"message": f"The pictures are in {folder} on the machine that Easel runs on."}
    return {"message": ""}
