"""Answers with the file of a picture."""
from pathlib import Path

from fastapi import Response
from fastapi.responses import FileResponse

from modules.errors import NotFound
from modules.imaging.unsaved import MEMORY_PREFIX
from modules.runtime import Runtime

PICTURE_TYPES = {".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".webp": "image/webp", ".gif": "image/gif",
                 ".avif": "image/avif", ".bmp": "image/bmp"}


def content_type(path: str) -> str:
    """The type under which a file is served: a picture's, or one that no browser shows."""
    return PICTURE_TYPES.get(Path(path).suffix.lower(), "application/octet-stream")


def picture_file(rt: Runtime, path: str, download: bool) -> Response:
    """The answer with a picture's file. `path` comes from a job's result, never from a request. Raises NotFound."""
    kind = content_type(path)
    name = Path(path).name if not path.startswith(MEMORY_PREFIX) else "picture.png"
    disposition = "attachment" if download or kind == "application/octet-stream" else "inline"
    if path.startswith(MEMORY_PREFIX):
        content = rt.unsaved.content(path)
        if content is not None:
            return Response(content, media_type="image/png", headers={"Content-Disposition": f'{disposition}; filename="{name}"'})
    elif Path(path).is_file():
        return FileResponse(path, media_type=kind, filename=name, content_disposition_type=disposition)
    raise NotFound(what="The file of this picture is gone.", why="It was moved or deleted.")
