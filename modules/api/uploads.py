"""Files that come with a request, as forms of the page send them."""
from typing import Any

from fastapi import Request
from starlette.datastructures import UploadFile

from modules.errors import RequestError

MAX_UPLOAD_BYTES = 256 * 2**20


def is_upload(request: Request) -> bool:
    """Whether the body is a form with files."""
    return request.headers.get("content-type", "").startswith("multipart/form-data")


async def uploaded_file(request: Request) -> bytes:
    """The content of the one file that the request brings, called `file`. Raises RequestError."""
    if not is_upload(request):
        raise RequestError("file", "The file is missing.")
    async with request.form(max_files=1, max_fields=8) as form:
        return await _content_of(form.get("file"))


async def _content_of(file: Any) -> bytes:
    if not isinstance(file, UploadFile):
        raise RequestError("file", "The file is missing.")
    content = await file.read(MAX_UPLOAD_BYTES + 1)
    if len(content) > MAX_UPLOAD_BYTES:
        raise RequestError("file", f"The file has more than {MAX_UPLOAD_BYTES >> 20} MB.")
    return content
