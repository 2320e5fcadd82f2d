"""The routes behind the cards: lists, thumbnails, what a file says about itself, the editor."""
from __future__ import annotations

import hashlib
import io
import os
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request
from fastapi.responses import Response
from PIL import Image
from pydantic import BaseModel

from modules import cmd_args
from modules.api.own_queue import NotAllowed, admin_only, viewer_of
from modules.atomic_files import write_atomically
from modules.errors import NotFound, RequestError
from modules.imaging.open_picture import open_picture
from modules.imaging.thumbnails import folder_of_thumbnails
from modules.networks.catalog import Card, metadata_of, trained_tags, write_notes, write_preview
from modules.ui.networks import KINDS, NetworkCards
from modules.ui.saving import job_of, picture_content, picture_paths

if TYPE_CHECKING:
    from modules.runtime import Runtime

THUMBNAIL_PX = (360, 480)
MOST_PREVIEW_BYTES = 64 << 20
MOST_NOTE_CHARS = 20_000
CACHED = {"Cache-Control": "private, max-age=31536000, immutable", "X-Content-Type-Options": "nosniff"}
PNG_START = b"\x89PNG\r\n\x1a\n"


class NotesRequest(BaseModel):
    """Texts of the editor by their key in the `.json` beside the file."""

    kind: str
    key: str
    notes: dict[str, str]


class PreviewRequest(BaseModel):
    """Make a picture of a job the preview of a card."""

    kind: str
    key: str
    id: str
    index: int = 0


def cards_router(rt: Runtime) -> APIRouter:
    """The routes for this runtime. Files are named by kind and key, which are looked up; no path is ever taken from a request."""
    router = APIRouter(prefix="/internal/cards", include_in_schema=False)
    cards, thumbnails = NetworkCards(rt), Thumbnails(folder_of_thumbnails(rt.folders.cache))

    @router.get("/list/{kind}")
    def listed(kind: str, refresh: bool = False) -> dict[str, Any]:
        if refresh:
            cards.look_again(kind)
        return {"cards": cards.rows(kind)}

    @router.get("/preview")
    def preview(kind: str, key: str) -> Response:
        return Response(thumbnails.of(cards.find(kind, key)), media_type="image/jpeg", headers=CACHED)

    @router.get("/metadata")
    def metadata(kind: str, key: str) -> dict[str, Any]:
        return {"metadata": metadata_of(cards.find(kind, key).path)}

    @router.get("/details")
    def details(kind: str, key: str, request: Request) -> dict[str, Any]:
        return described(rt, kind, cards.find(kind, key), shows_path=viewer_of(request).is_admin and not is_open(rt))

    @router.post("/notes")
    def save_notes(asked: NotesRequest, request: Request) -> dict[str, Any]:
        check_may_write(rt, request)
        card = cards.find(asked.kind, asked.key)
        write_notes(card, checked_notes(asked.kind, asked.notes))
        return {}

    @router.post("/preview")
    def replace_preview(asked: PreviewRequest, request: Request) -> dict[str, Any]:
        check_may_write(rt, request)
        paths = picture_paths(job_of(rt, request, asked.id))
        if not 0 <= asked.index < len(paths):
            raise NotFound(f"The job has no picture {asked.index}.")
        write_preview(cards.find(asked.kind, asked.key), as_png(picture_content(rt, paths[asked.index])))
        return {}

    return router


def check_may_write(rt: Runtime, request: Request) -> None:
    """Files beside models are everybody's: administrators change them, and nobody where strangers may come. Raises NotAllowed."""
    admin_only(request)
    if is_open(rt):
        raise NotAllowed("Files beside models cannot be changed from here.", "Everybody on the network can reach this server.",
                         "Set a login with --gradio-auth.")


def is_open(rt: Runtime) -> bool:
    """Whether people whom nobody knows may come."""
    return cmd_args.is_reachable(rt.args) and not cmd_args.has_login(rt.args)


def as_png(content: bytes) -> bytes:
    """The bytes of a picture as PNG; those of a PNG as they are, with the parameters in it."""
    if content.startswith(PNG_START):
        return content
    stream = io.BytesIO()
    open_picture(content).image.save(stream, "PNG")
    return stream.getvalue()


def checked_notes(kind: str, notes: Mapping[str, str]) -> dict[str, Any]:
    """The notes to store; empty ones are removed. Raises RequestError."""
    changes: dict[str, Any] = {}
    for key, text in notes.items():
        if kind not in KINDS or key not in KINDS[kind].notes:
            raise RequestError(key, f'Cards of this kind have no "{key[:60]}".')
        if len(text) > MOST_NOTE_CHARS:
            raise RequestError(key, f"The {key} is longer than {MOST_NOTE_CHARS:,} characters.", remedy="Shorten it.")
        changes[key] = (weight(text) if key == "preferred weight" else text) if text.strip() else None
    return changes


def weight(text: str) -> float:
    """Raises RequestError unless it is a number that a prompt could name."""
    try:
        number = float(text)
    except ValueError:
        number = float("nan")
    if not -100 <= number <= 100:
        raise RequestError("preferred weight", f'The preferred weight "{text[:30]}" is no number between -100 and 100.')
    return number


def described(rt: Runtime, kind: str, card: Card, *, shows_path: bool = True) -> dict[str, Any]:
    """What the editor shows: the notes, and facts about the file that cannot be changed."""
    metadata = metadata_of(card.path)
    path = str(card.path) if shows_path else card.key
    facts = [("File", path), ("Size", size_text(card.state.size)),
             ("Modified", time.strftime("%Y-%m-%d %H:%M", time.localtime(card.state.mtime_ns / 1e9)))]
    named = {"ss_output_name": "Name in the file", "ss_base_model_version": "Base model", "ss_sd_model_name": "Trained from",
             "ss_network_dim": "Rank", "ss_network_alpha": "Alpha", "ss_resolution": "Resolution", "ss_num_train_images": "Pictures",
             "ss_clip_skip": "Clip skip", "modelspec.architecture": "Architecture", "modelspec.title": "Title"}
    facts += [(label, str(metadata[key])[:200]) for key, label in named.items() if metadata.get(key) not in (None, "", "None")]
    if kind == "checkpoints":
        info = next((info for info in rt.checkpoints if info.path == card.path), None)
        facts += [("SHA-256", info.sha256)] if info is not None and info.sha256 else []
    return {"name": card.name, "path": path, "facts": facts, "problem": card.problem, "tags": trained_tags(metadata),
            "notes": {key: card.note(key) for key in KINDS[kind].notes},
            "choices": {"vae": ["Automatic", "None", *rt.vae_files()]} if kind == "checkpoints" else {}}


def size_text(count: int) -> str:
    """Bytes in a unit that people read."""
    for unit, size in (("GB", 10**9), ("MB", 10**6), ("KB", 10**3)):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count} bytes"


class Thumbnails:
    """Small JPEGs of previews, kept in a folder; one file per preview, so that a replaced preview replaces it."""

    def __init__(self, folder: Path):
        self._folder = folder
        self._turns = threading.BoundedSemaphore(2)  # a page of cards must not take all processors from a running job

    def of(self, card: Card) -> bytes:
        """The thumbnail of a card's preview as JPEG, made now unless it is there. Raises NotFound, PictureRefused."""
        if card.preview is None:
            raise NotFound("This card has no preview.")
        thumbnail = self._folder / f"{hashlib.sha256(str(card.preview).encode('utf-8', 'surrogateescape')).hexdigest()[:32]}.jpg"
        try:
            changed_ns = card.preview.stat().st_mtime_ns
            if thumbnail.exists() and thumbnail.stat().st_mtime_ns == changed_ns:
                return thumbnail.read_bytes()
            if card.preview.stat().st_size > MOST_PREVIEW_BYTES:
                raise NotFound("The preview is too large a file to be shown.")
            with self._turns:
                small = thumbnail_of(card.preview.read_bytes())
        except OSError as error:
            raise NotFound("The preview cannot be shown.", f"{error.strerror or error}.") from error
        with suppress(OSError):  # a full disk costs the time to make it again
            write_atomically(thumbnail, small)
            os.utime(thumbnail, ns=(changed_ns, changed_ns))
        return small


def thumbnail_of(content: bytes) -> bytes:
    """A JPEG that covers a card, of the picture in `content`. Raises PictureRefused."""
    image = open_picture(content).image
    scale = max(size / side for size, side in zip(THUMBNAIL_PX, image.size, strict=True))
    if scale < 1:
        image = image.resize(tuple(max(1, round(side * scale)) for side in image.size), Image.Resampling.LANCZOS, reducing_gap=2.0)
    stream = io.BytesIO()
    image.convert("RGB").save(stream, "JPEG", quality=84)
    return stream.getvalue()
