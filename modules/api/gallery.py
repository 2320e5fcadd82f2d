"""Routes of the gallery tab: which pictures there are, their files, and changes to them."""
from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import FileResponse
from pydantic import BaseModel, Field

from modules.api.answers import SafeJSONResponse
from modules.api.own_files import folder_of, own_folder
from modules.api.own_queue import Viewer, viewer_of
from modules.api.picture_files import content_type
from modules.errors import NotFound
from modules.gallery.gallery import FOLDER_SETTINGS, MOST_AT_ONCE, Changed, Gallery
from modules.gallery.index import Order
from modules.generation import replay
from modules.imaging import infotext
from modules.imaging.foreign_infotext import Reading, read_parameters
from modules.imaging.open_picture import PictureRefused
from modules.imaging.thumbnails import folder_of_thumbnails, thumbnail
from modules.runtime import Runtime

THUMBNAIL_PX = 320
MOST_ROWS = 500
FIRST_LOOK_SECONDS = 0.6
FOR_AN_HOUR = {"Cache-Control": "private, max-age=3600", "X-Content-Type-Options": "nosniff"}
Ids = Annotated[list[str], Field(max_length=MOST_AT_ONCE)]


class StarRequest(BaseModel):
    """Pictures, and whether they shall have a star."""

    ids: Ids
    starred: bool = True


class TagRequest(BaseModel):
    """Pictures, tags to add, and tags to remove."""

    ids: Ids
    add: list[str] = []
    remove: list[str] = []


class MoveRequest(BaseModel):
    """Pictures, and a folder of the gallery; `new_folder` is made in it."""

    ids: Ids
    folder: str
    new_folder: str = ""


class IdsRequest(BaseModel):
    """Pictures of the gallery, or entries of the bin."""

    ids: Ids


class EmptyBinRequest(BaseModel):
    """One entry of the bin, or `all` of them."""

    id: str = ""
    all: bool = False


def gallery_router(rt: Runtime) -> APIRouter:
    """The routes for this runtime. Administrators see what everybody made, other users what lies in folders of their own."""
    def own_gallery(request: Request) -> Gallery:
        return gallery_of(rt, viewer_of(request))

    router = APIRouter(prefix="/internal/gallery", tags=["page"], default_response_class=SafeJSONResponse)
    own = Depends(own_gallery)
    _add_questions(router, own)
    _add_files(router, rt, own)
    _add_changes(router, own)
    _add_replay(router, rt, own)
    _add_bin(router, rt, own)
    return router


def gallery_of(rt: Runtime, viewer: Viewer) -> Gallery:
    """The gallery that this person may see and change."""
    if viewer.is_admin:
        return rt.gallery
    return rt.gallery.part(rt.folders.cache / f"gallery-{folder_of(viewer.user)}.sqlite", lambda: own_picture_folders(rt, viewer.user))


def own_picture_folders(rt: Runtime, user: str) -> list[Path]:
    """The user's parts of the folders for pictures."""
    values = (str(rt.settings.data.get(key, "")) for key in FOLDER_SETTINGS)
    return list(dict.fromkeys((rt.folders.data / own_folder(value, user)).resolve() for value in values if value))


def _add_questions(router: APIRouter, own: Any) -> None:
    @router.get("")
    def overview(query: str = "", order: Order = "newest", folder: str = "", look: bool = False,
                 gallery: Gallery = own) -> dict[str, Any]:
        """How many pictures a search finds on which days. `look`: the folders are listed again before."""
        if look:
            gallery.look(FIRST_LOOK_SECONDS)
        found = gallery.find(query, order, folder)
        return {"version": gallery.index.version, "total": len(found.numbers), "unread": gallery.index.unread_count(),
                "days": [{"day": day, "count": count} for day, count in found.days]}

    @router.get("/pictures")
    def pictures(first: Annotated[int, Query(ge=0)] = 0, count: Annotated[int, Query(ge=1, le=MOST_ROWS)] = 100, query: str = "",
                 order: Order = "newest", folder: str = "", gallery: Gallery = own) -> dict[str, Any]:
        """A part of what a search finds."""
        found = gallery.find(query, order, folder)
        return {"version": gallery.index.version, "first": first, "pictures": gallery.index.rows(found.numbers[first:first + count])}

    @router.get("/folders")
    def folders(gallery: Gallery = own) -> dict[str, Any]:
        """The folders and the tags, with how many pictures they have."""
        tags = gallery.index.all_tags()
        return {"folders": gallery.folders(), "tags": [{"tag": tag, "count": count} for tag, count in tags.items()]}

    @router.get("/picture/{picture_id}")
    def picture(picture_id: str, gallery: Gallery = own) -> dict[str, Any]:
        """Everything about one picture."""
        return details(gallery, picture_id)


def details(gallery: Gallery, picture_id: str) -> dict[str, Any]:
    """What the page shows beside a picture. Raises NotFound."""
    row = gallery.index.picture(picture_id)
    path = Path(row["path"])
    reading = _reading(path, row["infotext"])
    fields = {key: str(value) for key, value in infotext.read_fields(reading.text).items()} if reading.text else {}
    shown = {"id": picture_id, "name": path.name, "folder": gallery.label_of(path.parent), "path": str(path), "program": reading.program,
             "infotext": reading.text, "prompt": fields.pop("Prompt", ""), "negative_prompt": fields.pop("Negative prompt", ""),
             "notes": list(reading.notes), "parameters": [{"key": key, "value": value} for key, value in fields.items()]}
    return shown | {key: row[key] for key in ("modified", "size", "width", "height", "starred", "tags")}


def _reading(path: Path, known: str) -> Reading:
    """What the file says, pixels included; what the index knows where the file itself says nothing."""
    try:
        reading = read_parameters(path)
    except (PictureRefused, OSError):
        return Reading(text=known)
    return reading if reading.text else Reading(text=known, notes=reading.notes)


def _add_files(router: APIRouter, rt: Runtime, own: Any) -> None:
    @router.get("/picture/{picture_id}/thumbnail")
    def small(picture_id: str, gallery: Gallery = own) -> Response:
        """A small copy of one picture."""
        return thumbnail_answer(rt, gallery.index.path_of(picture_id))

    @router.get("/picture/{picture_id}/file")
    def file(picture_id: str, download: bool = False, gallery: Gallery = own) -> Response:
        """The file of one picture."""
        return whole_file(gallery.index.path_of(picture_id), "attachment" if download else "inline")


def whole_file(path: Path, disposition: str = "inline") -> Response:
    """A picture file as it is. Raises NotFound."""
    if not path.is_file():
        raise NotFound("The file of this picture is gone.", "It was moved or deleted.")
    return FileResponse(path, media_type=content_type(path.name), filename=path.name, headers=FOR_AN_HOUR,
                        content_disposition_type=disposition)


def thumbnail_answer(rt: Runtime, path: Path) -> Response:
    """The small copy of a picture file. Raises NotFound, PictureRefused."""
    try:
        content = thumbnail(path, folder_of_thumbnails(rt.folders.cache), THUMBNAIL_PX)
    except OSError as error:
        raise NotFound("The file of this picture is gone.", "It was moved or deleted.") from error
    return Response(content, media_type="image/webp", headers=FOR_AN_HOUR)


def _answer(gallery: Gallery, changed: Changed) -> dict[str, Any]:
    return {**asdict(changed), "version": gallery.index.version}


def _add_changes(router: APIRouter, own: Any) -> None:
    @router.post("/star")
    def star(body: StarRequest, gallery: Gallery = own) -> dict[str, Any]:
        """Give pictures a star, or take it away."""
        return _answer(gallery, gallery.star(body.ids, body.starred))

    @router.post("/tag")
    def tag(body: TagRequest, gallery: Gallery = own) -> dict[str, Any]:
        """Add tags to pictures, and remove others."""
        return _answer(gallery, gallery.tag(body.ids, body.add, body.remove))

    @router.post("/move")
    def move(body: MoveRequest, gallery: Gallery = own) -> dict[str, Any]:
        """Move pictures to another folder of the gallery."""
        return _answer(gallery, gallery.move(body.ids, body.folder, body.new_folder))

    @router.post("/delete")
    def delete(body: IdsRequest, gallery: Gallery = own) -> dict[str, Any]:
        """Put pictures into the bin; `undo` in the answer is what /restore takes."""
        return _answer(gallery, gallery.delete(body.ids))

    @router.post("/rebuild")
    def rebuild(gallery: Gallery = own) -> dict[str, Any]:
        """Make the index again from the files."""
        gallery.rebuild()
        return {"version": gallery.index.version}


class ReplayRequest(BaseModel):
    """A picture of the gallery."""

    id: str


def _add_replay(router: APIRouter, rt: Runtime, own: Any) -> None:
    @router.post("/replay")
    def make_again(body: ReplayRequest, request: Request, gallery: Gallery = own) -> dict[str, Any]:
        """Queue a replay of a picture; the answer is the id of the job, whose result holds the report under "replay"."""
        job = replay.submit(rt, gallery.index.path_of(body.id), owner=viewer_of(request).user)
        return {"id": job.id}


def _add_bin(router: APIRouter, rt: Runtime, own: Any) -> None:
    @router.get("/bin")
    def entries(gallery: Gallery = own) -> dict[str, Any]:
        """What was deleted, the last first."""
        return {"entries": [{"id": entry.id, "name": entry.files[0], "folder": gallery.label_of(Path(entry.path).parent),
                             "deleted": entry.deleted} for entry in gallery.bin.entries()[:MOST_AT_ONCE]]}

    @router.get("/bin/{entry_id}/{size}")
    def deleted_picture(entry_id: str, size: Literal["thumbnail", "file"], gallery: Gallery = own) -> Response:
        """A picture in the bin."""
        path = gallery.bin.file(entry_id)
        return thumbnail_answer(rt, path) if size == "thumbnail" else whole_file(path)

    @router.post("/restore")
    def restore(body: IdsRequest, gallery: Gallery = own) -> dict[str, Any]:
        """Bring pictures back from the bin."""
        return _answer(gallery, gallery.restore(body.ids))

    @router.post("/empty-bin")
    def empty(body: EmptyBinRequest, gallery: Gallery = own) -> dict[str, Any]:
        """Delete one picture of the bin for good, or all."""
        if not body.id and not body.all:
            raise NotFound("Nothing was chosen.")
        return {"count": gallery.bin.remove(None if body.all else body.id)}
