"""Routes behind the tools of the Settings tab: what differs from the defaults, copies of the settings, defaults of the forms."""
from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Literal

from fastapi import APIRouter, Depends
from pydantic import BaseModel

from modules.api.answers import SafeJSONResponse
from modules.api.own_queue import admin_only
from modules.atomic_files import write_atomically, write_problem
from modules.errors import RequestError
from modules.generation.fields import IMG2IMG_FIELDS, TXT2IMG_FIELDS
from modules.settings.backups import Backups, differences, put
from modules.ui.form import Form, saved_defaults
from modules.ui.form_values import Controls, usable

if TYPE_CHECKING:
    from modules.runtime import Runtime

FIELDS = {"txt2img": TXT2IMG_FIELDS, "img2img": IMG2IMG_FIELDS}


class KeysRequest(BaseModel):
    """Settings by key."""

    keys: list[str]


class BackupRequest(BaseModel):
    """The name of a new copy, or the file of one that is there."""

    name: str = ""
    file: str = ""


class FormDefaultsRequest(BaseModel):
    """The values of a tab's form by the names of its fields; `store`: write them, else only say what would change."""

    tab: Literal["txt2img", "img2img"]
    values: dict[str, Any]
    store: bool = False


def settings_tools_router(rt: Runtime, controls: Mapping[str, Controls]) -> APIRouter:
    """The routes for this runtime; `controls` are those of each generating tab, by name. With a login they are the administrators'."""
    router = APIRouter(prefix="/internal/settings", include_in_schema=False, default_response_class=SafeJSONResponse,
                       dependencies=[Depends(admin_only)])
    backups = Backups(rt.folders.data / "settings-backups")
    backups.save_daily(rt.settings)

    @router.get("/changed")
    def changed() -> dict[str, Any]:
        """The settings that differ from their defaults."""
        return {"settings": [asdict(row) for row in differences(rt.settings)]}

    @router.post("/reset")
    def reset(body: KeysRequest) -> dict[str, Any]:
        """Set these back to their defaults."""
        unknown = [key for key in body.keys if key not in rt.settings.data_labels]
        if unknown:
            raise RequestError("keys", f'There is no setting "{unknown[0][:80]}".')
        return {"notes": put(rt.settings, {key: rt.settings.data_labels[key].default for key in body.keys})}

    @router.get("/backups")
    def listed() -> dict[str, Any]:
        """The copies of the settings."""
        return {"backups": [asdict(backup) for backup in backups.listed()]}

    @router.post("/backups/save")
    def save(body: BackupRequest) -> dict[str, Any]:
        """Copy the settings as they are."""
        try:
            return asdict(backups.save(rt.settings, body.name))
        except OSError as error:
            raise write_problem("the copy of the settings", rt.folders.data / "settings-backups", error) from error

    @router.post("/backups/restore")
    def restore(body: BackupRequest) -> dict[str, Any]:
        """Set everything as in a copy."""
        return {"notes": backups.restore(rt.settings, body.file)}

    @router.post("/form-defaults")
    def form_defaults(body: FormDefaultsRequest) -> dict[str, Any]:
        """What a new page would show otherwise if the form began with these values; `store` makes it so."""
        values, notes = usable(controls.get(body.tab, {}), {name: value for name, value in body.values.items()
                                                             if name in controls.get(body.tab, {})})
        changes = form_changes(rt, body.tab, values)
        if body.store and changes:
            store_form_defaults(rt, {f"{body.tab}/{change['label']}/value": change["value"] for change in changes})
        return {"changes": changes, "notes": notes}

    return router


def form_changes(rt: Runtime, tab: str, values: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The fields whose value is not the present default of the form: name, label, value and default."""
    form = Form(tab=tab, fields=FIELDS[tab], saved=saved_defaults(rt.folders.ui_config_file))
    fields = {row.name: row for row in FIELDS[tab]}
    return [{"name": name, "label": fields[name].label, "value": value, "default": form.default(name)}
            for name, value in values.items() if name in fields and value != form.default(name)]


def store_form_defaults(rt: Runtime, entries: Mapping[str, Any]) -> None:
    """Add entries to ui-config.json; they count for pages of the next start. Raises UserError."""
    path = rt.folders.ui_config_file
    try:
        write_atomically(path, json.dumps({**saved_defaults(path), **entries}, indent=4, ensure_ascii=False).encode(),
                         previous=path.with_name(path.name + ".bak"))
    except OSError as error:
        raise write_problem("the defaults of the form", path, error) from error
