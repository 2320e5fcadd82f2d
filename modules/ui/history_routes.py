"""The routes behind the history of forms: keeping them, looking through them, presets."""
from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel

from modules.api.answers import SafeJSONResponse
from modules.api.own_queue import viewer_of
from modules.history import Preset, preset_of_text, preset_text
from modules.ui.form_values import usable
from modules.ui.page_values import PageValues

if TYPE_CHECKING:
    from modules.runtime import Runtime

MOST_AT_ONCE = 200
Tab = Literal["txt2img", "img2img"]


class FormRequest(BaseModel):
    """The values of a tab's form, or some of them, by the names of the controls."""

    tab: Tab
    values: dict[str, Any]


class PinRequest(BaseModel):
    """An entry, and whether it is to stay."""

    id: int
    pinned: bool


class EntryRequest(BaseModel):
    id: int


class PresetRequest(FormRequest):
    """A preset to be saved. `checkpoint`: the title of the one that it is bound to, or ""."""

    name: str
    checkpoint: str = ""


class PresetNameRequest(BaseModel):
    tab: Tab
    name: str


class PresetTextRequest(BaseModel):
    text: str


def history_router(rt: Runtime, page: PageValues) -> APIRouter:
    """The routes for this runtime; `page` holds the controls of each generating tab."""
    router = APIRouter(prefix="/internal/history", include_in_schema=False, default_response_class=SafeJSONResponse)
    _add_form_routes(router, rt, page)
    _add_entry_routes(router, rt)
    _add_preset_routes(router, rt)
    return router


def user_of(request: Request) -> str:
    """Whose history it is."""
    return viewer_of(request).user


def _add_form_routes(router: APIRouter, rt: Runtime, page: PageValues) -> None:
    @router.post("/form")
    def keep(body: FormRequest, request: Request) -> dict[str, Any]:
        """Remember how the form is now."""
        rt.history.keep_form(user_of(request), body.tab, body.values)
        return {}

    @router.get("/form")
    def kept(tab: Tab, request: Request) -> dict[str, Any]:
        """The form as it was last, in whichever browser; empty when there is none."""
        form = rt.history.form(user_of(request), tab)
        return {} if form is None else asdict(form)

    @router.post("/check")
    def check(body: FormRequest) -> dict[str, Any]:
        """Those of the values that can be written into the form as it is now."""
        page.look()  # lists may have become longer since the page was loaded
        values, notes = usable(page.controls[body.tab], body.values)
        return {"values": values, "notes": notes}


def _add_entry_routes(router: APIRouter, rt: Runtime) -> None:
    @router.get("/entries")
    def entries(request: Request, tab: str = "", search: str = "", pinned: bool = False, first: int = 0, count: int = 50) -> dict[str, Any]:
        found, total = rt.history.entries(user_of(request), tab, search, pinned=pinned, first=max(0, first),
                                          count=min(max(1, count), MOST_AT_ONCE))
        return {"entries": [asdict(entry) for entry in found], "total": total}

    @router.post("/entries/pin")
    def pin(body: PinRequest, request: Request) -> dict[str, Any]:
        rt.history.pin(user_of(request), body.id, body.pinned)
        return {}

    @router.post("/entries/forget")
    def forget(body: EntryRequest, request: Request) -> dict[str, Any]:
        rt.history.forget(user_of(request), body.id)
        return {}


def _add_preset_routes(router: APIRouter, rt: Runtime) -> None:
    @router.get("/presets")
    def presets(tab: Tab, request: Request) -> dict[str, Any]:
        """All presets of a tab with their versions, the newest first; `text` is what Export gives."""
        found = rt.history.presets(user_of(request), tab)
        return {"presets": [{**asdict(preset), "text": preset_text(preset)} for preset in found],
                "checkpoint": rt.chosen_checkpoint().title}

    @router.post("/presets/save")
    def save(body: PresetRequest, request: Request) -> dict[str, Any]:
        preset = Preset(tab=body.tab, name=body.name, checkpoint=body.checkpoint, values=body.values)
        return asdict(rt.history.save_preset(user_of(request), preset))

    @router.post("/presets/restore")
    def restore(body: EntryRequest, request: Request) -> dict[str, Any]:
        """An older version becomes the newest one."""
        user = user_of(request)
        return asdict(rt.history.save_preset(user, rt.history.preset(user, body.id)))

    @router.post("/presets/delete")
    def delete(body: PresetNameRequest, request: Request) -> dict[str, Any]:
        rt.history.delete_preset(user_of(request), body.tab, body.name)
        return {}

    @router.post("/presets/import")
    def take_text(body: PresetTextRequest, request: Request) -> dict[str, Any]:
        return asdict(rt.history.save_preset(user_of(request), preset_of_text(body.text)))
