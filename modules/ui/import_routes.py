"""The routes behind "Use an existing installation": what would change, and changing it."""
from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, Field

from modules import engine
from modules.existing_installation import ModelFolder, look_at
from modules.import_plan import PARTS, Change, ImportPlan, Target, apply_plan, plan_of
from modules.ui.card_routes import check_may_write, size_text

if TYPE_CHECKING:
    from modules.runtime import Runtime

MOST_SHOWN_CHARS = 300


class FolderRequest(BaseModel):
    """The folder of the other program, as it is called on the machine that Easel runs on."""

    folder: str = Field(min_length=1, max_length=4096)


class ApplyRequest(FolderRequest):
    """Which parts of the plan to carry out."""

    parts: list[str] = list(PARTS)


def import_router(rt: Runtime) -> APIRouter:
    """The routes for this runtime: administrators' alone, and nobody's where everybody on the network may come."""
    def allowed(request: Request) -> None:
        check_may_write(rt, request)

    router = APIRouter(prefix="/internal/existing-installation", include_in_schema=False, dependencies=[Depends(allowed)])

    @router.post("/look")
    def look(asked: FolderRequest) -> dict[str, Any]:
        return shown(plan_of(look_at(Path(asked.folder.strip())), target_of(rt)))

    @router.post("/apply")
    def apply(asked: ApplyRequest) -> dict[str, Any]:
        said = apply_plan(plan_of(look_at(Path(asked.folder.strip())), target_of(rt)), target_of(rt), asked.parts)
        engine.use_named_folders(rt)
        return {"said": said}

    return router


def target_of(rt: Runtime) -> Target:
    return Target(settings=rt.settings, folders=rt.folders, styles=rt.styles)


def shown(plan: ImportPlan) -> dict[str, Any]:
    """The plan as the page shows it, values as short texts."""
    return {
        "program": plan.installation.program, "root": str(plan.installation.root), "is_empty": plan.is_empty, "notes": list(plan.notes),
        "folders": [_folder(folder) for folder in plan.folders], "used_already": [_folder(folder) for folder in plan.used_already],
        "settings": [_change(change) for change in plan.settings], "kept": len(plan.kept),
        "form": [_change(change) for change in plan.form],
        "styles": [{"name": style.name, "text": _short(style.prompt or style.negative_prompt)} for style in plan.styles]}


def _folder(folder: ModelFolder) -> dict[str, Any]:
    return {"title": folder.title, "path": str(folder.path), "files": folder.files, "size": size_text(folder.bytes)}


def _change(change: Change) -> dict[str, Any]:
    return {"key": change.key, "label": change.label, "before": _text(change.before), "after": _text(change.after),
            "problem": change.problem}


def _text(value: Any) -> str:
    return _short(value if isinstance(value, str) else json.dumps(value, default=str, ensure_ascii=False))


def _short(text: str) -> str:
    return text if len(text) <= MOST_SHOWN_CHARS else text[:MOST_SHOWN_CHARS] + "…"
