"""Routes of the model manager: where models go, uploads in pieces, and fetching from an address."""
from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel

from modules import model_files
from modules.api.answers import SafeJSONResponse
from modules.api.guard import MIB
from modules.api.own_queue import viewer_of
from modules.errors import RequestError
from modules.runtime import Runtime

PIECE_BYTES = 16 * MIB


class FetchRequest(BaseModel):
    """An https address and the kind of the file there; `name` empty: that of the address; `sha256` empty: not known."""

    url: str
    kind: str
    name: str = ""
    sha256: str = ""


def model_files_router(rt: Runtime, check: Callable[[Runtime, Request], None]) -> APIRouter:
    """The routes for this runtime. `check` raises where a request may not write beside models."""
    def allowed(request: Request) -> None:
        check(rt, request)

    router = APIRouter(prefix="/internal/model-files", include_in_schema=False, default_response_class=SafeJSONResponse,
                       dependencies=[Depends(allowed)])

    # The guard lets no larger body through.
    piece_bytes = min(PIECE_BYTES, rt.args.limit_request_mb * MIB) if rt.args.limit_request_mb else PIECE_BYTES

    @router.get("")
    def overview() -> dict[str, Any]:
        """The kinds of models with their folders."""
        return {"kinds": model_files.overview(rt), "piece_bytes": piece_bytes}

    @router.get("/upload")
    def arrived(kind: str, name: str, version: str = "") -> dict[str, Any]:
        """How much of an upload is there."""
        return {"bytes": model_files.uploaded_bytes(rt, model_files.kind_named(kind), name, version)}

    @router.post("/upload")
    async def upload(request: Request, kind: str, name: str, start: Annotated[int, Query(ge=0)],
                     size: Annotated[int, Query(ge=1)], version: str = "") -> dict[str, Any]:
        """One piece of a file, as the body of the request. `version`: tells files of one name apart."""
        piece = await request.body()
        if not piece or len(piece) > PIECE_BYTES:
            raise RequestError("body", f"A piece has 1 to {PIECE_BYTES:,} bytes.")
        there = await asyncio.to_thread(model_files.take_piece, rt, model_files.kind_named(kind), name, start, size, piece, version)
        return {"bytes": there}

    @router.post("/fetch")
    def fetch(body: FetchRequest, request: Request) -> dict[str, Any]:
        """Queue the fetching of a file."""
        kind = model_files.kind_named(body.kind)
        return {"job": model_files.submit(rt, body.url, body.name, kind, body.sha256, owner=viewer_of(request).user).id}

    return router
