"""The route behind "Interrogate CLIP" and "Interrogate DeepBooru": the picture of a canvas described in words."""
from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request

from modules.api.interrogate import asked
from modules.api.own_queue import viewer_of
from modules.api.uploads import uploaded_file
from modules.imaging.interrogate import CLIP

if TYPE_CHECKING:
    from modules.runtime import Runtime


def interrogate_router(rt: Runtime) -> APIRouter:
    """The route for this runtime."""
    router = APIRouter(prefix="/internal", include_in_schema=False)

    @router.post("/interrogate")
    async def interrogate(request: Request, model: str = CLIP) -> dict[str, Any]:
        """`caption` and `notes`, when the job is done."""
        result = await asked(rt, await uploaded_file(request), model, viewer_of(request).user)
        return {"caption": result["caption"], "notes": result["notes"]}

    return router
