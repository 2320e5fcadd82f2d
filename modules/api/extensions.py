"""Routes of the Extensions tab: what is installed and can be, installing, switching, updating, rolling back, saved states."""
from __future__ import annotations

import ipaddress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, Field

from modules.api.answers import SafeJSONResponse
from modules.api.own_queue import NotAllowed, admin_only
from modules.atomic_files import write_problem
from modules.cmd_args import is_reachable
from modules.errors import NotFound, UserError
from modules.extensions import timing
from modules.extensions.available import read_index
from modules.extensions.changes import ConfigStates, ExtensionChanges
from modules.extensions.clone import origin_of
from modules.extensions.discovery import Extension, all_disabled_by, discover
from modules.extensions.sources import is_of_this_machine
from modules.runtime import Runtime
from modules.version import version_text

REFUSED = "Extensions are programs, and this server can be reached from other machines."
HANDED_ON = ("forwarded", "x-forwarded-for", "x-real-ip", "via")  # by these a server in between says whom it asks for


class LookRequest(BaseModel):
    """Where an extension is, and what its folder shall be called (empty: by its address)."""

    url: str
    branch: str = ""
    name: str = ""


class IndexRequest(BaseModel):
    """The address or file of a list of extensions; empty: that of the settings."""

    url: str = Field("", max_length=2000)


class NameRequest(BaseModel):
    """An installed extension; `commit`: the one that it is brought to, empty for the newest."""

    name: str
    commit: str = ""


class IdRequest(BaseModel):
    """An extension that was looked at."""

    id: str


class SwitchRequest(BaseModel):
    """Which extensions are off, and whether all are: "none", "extra" or "all"."""

    disabled: list[str] = []
    disable_all: str = "none"


class StateRequest(BaseModel):
    """A name for a new state, or the file of a saved one."""

    name: str = ""
    file: str = ""


def may_change(rt: Runtime, request: Request) -> None:
    """Raises NotAllowed for others than administrators, and for all where the network reaches the server and no flag allows it."""
    admin_only(request)
    if is_reachable(rt.args) and not rt.args.enable_insecure_extension_access:
        raise NotAllowed(REFUSED, remedy="Start it without --listen and --share, or with --enable-insecure-extension-access.")


def is_from_this_machine(rt: Runtime, request: Request) -> bool:
    """Whether a program of this machine asks: over loopback, and neither through a tunnel nor through a server in between."""
    if rt.args.share or rt.args.subpath or any(name in request.headers for name in HANDED_ON):
        return False
    try:
        return ipaddress.ip_address(request.client.host if request.client else "").is_loopback
    except ValueError:
        return False


def extensions_router(rt: Runtime) -> APIRouter:
    """The routes for this runtime."""
    def allowed(request: Request) -> None:
        may_change(rt, request)

    router = APIRouter(prefix="/internal/extensions", tags=["page"], default_response_class=SafeJSONResponse,
                       dependencies=[Depends(admin_only)])
    for_changes = [Depends(allowed)]
    changes = ExtensionChanges(rt.folders)
    changes.clean()
    _add_installed(router, rt, changes)
    _add_installing(router, rt, changes, for_changes)
    _add_updating(router, changes, for_changes)
    _add_switching(router, rt, for_changes)
    _add_states(router, rt, changes, for_changes)
    return router


def _add_installed(router: APIRouter, rt: Runtime, changes: ExtensionChanges) -> None:
    @router.get("")
    def installed(request: Request) -> dict[str, Any]:
        """The extensions on disk now, and what is switched off from the next start on."""
        running = {extension.name: extension.is_enabled for extension in rt.extensions}
        seconds = seconds_by_folder()
        rows = [row_of(extension, changes, running, seconds) for extension in present_extensions(rt)]
        names = {row["name"] for row in rows}
        gone = [name for name in running if name not in names and changes.versions(name)]
        try:
            may_change(rt, request)
            refusal = ""
        except NotAllowed as error:
            refusal = str(error)
        return {"extensions": rows, "removed": gone, "disable_all": rt.settings.disable_all_extensions, "refusal": refusal}


def present_extensions(rt: Runtime) -> list[Extension]:
    """What a start now would find."""
    return discover(rt.folders, rt.settings.disabled_extensions, all_disabled_by(rt.args, rt.settings.disable_all_extensions))


def seconds_by_folder() -> dict[str, float]:
    """Seconds that the files below each folder of an extension took since the start."""
    found: dict[str, float] = {}
    for file, hooks in timing.table().items():
        for folder in Path(file).parents:
            found[str(folder)] = found.get(str(folder), 0.0) + sum(hooks.values())
    return found


def row_of(extension: Extension, changes: ExtensionChanges, running: dict[str, bool], seconds: dict[str, float]) -> dict[str, Any]:
    """One extension for the table."""
    origin = origin_of(extension.path)
    return {"name": extension.name, "is_bundled": extension.is_bundled, "enabled": extension.is_enabled,
            "runs": running.get(extension.name, False), "remote": origin.remote, "branch": origin.branch, "version": origin.commit[:8],
            "modified": extension.path.stat().st_mtime, "seconds": round(seconds.get(str(extension.path), 0.0), 3),
            "earlier": [version.stamp for version in changes.versions(extension.name)]}


def _add_installing(router: APIRouter, rt: Runtime, changes: ExtensionChanges, for_changes: list[Any]) -> None:
    @router.post("/look", dependencies=for_changes)
    def look(body: LookRequest, request: Request) -> dict[str, Any]:
        """Fetch an extension and say what it would add; nothing of it runs."""
        if not is_from_this_machine(rt, request) and is_of_this_machine(body.url):
            raise NotAllowed("Folders and archives of the server can be installed from the server itself only.")
        return changes.look_at(body.url, body.branch, body.name).as_dict()

    @router.post("/install", dependencies=for_changes)
    def install(body: IdRequest) -> dict[str, Any]:
        """Install what was looked at, in the background."""
        return changes.begin(body.id).as_dict()

    @router.get("/installation/{installation_id}", dependencies=for_changes)
    def installation(installation_id: str) -> dict[str, Any]:
        """How far an installation is, with the output of its installers."""
        return changes.known(installation_id).as_dict()

    @router.post("/available", dependencies=for_changes)  # it asks another server, which reading must not do
    def available(body: IndexRequest, request: Request) -> dict[str, Any]:
        """What an index offers; without an address, the one of the settings."""
        index = read_index(body.url or rt.settings.extension_index_url, allows_files=is_from_this_machine(rt, request))
        remotes = {origin_of(extension.path).remote.removesuffix(".git").lower() for extension in present_extensions(rt)}
        offers = [{**asdict(offer), "installed": offer.url.removesuffix(".git").lower() in remotes} for offer in index.offers]
        return {"tags": index.tags, "offers": offers}


def _add_updating(router: APIRouter, changes: ExtensionChanges, for_changes: list[Any]) -> None:
    @router.post("/check", dependencies=for_changes)
    def check(body: NameRequest) -> dict[str, Any]:
        """Ask the server of a clone whether it has something newer."""
        newest = changes.newest_commit(body.name)
        return {"newest": newest[:8], "is_new": bool(newest) and newest != changes.commit_of(body.name)}

    @router.post("/update", dependencies=for_changes)
    def update(body: NameRequest) -> dict[str, Any]:
        """Fetch the newest version of a clone and say what it would add."""
        return changes.look_at_update(body.name, body.commit).as_dict()

    @router.post("/roll-back", dependencies=for_changes)
    def roll_back(body: NameRequest) -> dict[str, Any]:
        """Bring back the version before, also of one that was removed."""
        return {"version": changes.roll_back(body.name).stamp}

    @router.post("/remove", dependencies=for_changes)
    def remove(body: NameRequest) -> dict[str, Any]:
        """Take an extension out; it can be rolled back."""
        changes.remove(body.name)
        return {}


def _add_switching(router: APIRouter, rt: Runtime, for_changes: list[Any]) -> None:
    @router.post("/switch", dependencies=for_changes)
    def switch(body: SwitchRequest) -> dict[str, Any]:
        """Set what is off from the next start on."""
        set_switches(rt, body.disabled, body.disable_all)
        return {}


def set_switches(rt: Runtime, disabled: list[str], disable_all: str) -> None:
    """Write the two settings. Raises UserError for what they do not take, or when the file cannot be written."""
    rt.settings.set("disabled_extensions", sorted(set(disabled)))
    rt.settings.set("disable_all_extensions", disable_all)
    rt.settings.save()


def _add_states(router: APIRouter, rt: Runtime, changes: ExtensionChanges, for_changes: list[Any]) -> None:
    states = ConfigStates(rt.folders.data / "config_states")

    @router.get("/states")
    def listed() -> dict[str, Any]:
        """The saved states."""
        return {"states": [{"file": file, "name": state.name, "created": state.created, "program": state.program,
                            "extensions": state.extensions} for file, state in states.listed().items()]}

    @router.post("/states/save", dependencies=for_changes)
    def save(body: StateRequest) -> dict[str, Any]:
        """Remember which extensions are installed at which commits, and which are on."""
        rows = {extension.name: {"enabled": extension.is_enabled, **asdict(origin_of(extension.path))}
                for extension in present_extensions(rt)}
        try:
            return {"name": states.save(body.name, version_text(), rows).name}
        except OSError as error:
            raise write_problem("the state", rt.folders.data / "config_states", error) from error

    @router.post("/states/restore", dependencies=for_changes)
    def restore(body: StateRequest) -> dict[str, Any]:
        """Switch extensions as they were, and bring those that are at another commit back to it. What failed is in the notes."""
        state = states.known(body.file)
        present = {extension.name: extension for extension in present_extensions(rt)}
        notes = [f"{name} is not installed any more." for name in state.extensions if name not in present]
        for name, entry in state.extensions.items():
            note = _brought_to(changes, present, name, str(entry.get("commit") or ""))
            notes += [note] if note else []
        off = [name for name, entry in state.extensions.items() if not entry.get("enabled")]
        set_switches(rt, [*off, *(name for name in present if name not in state.extensions)], "none")
        return {"notes": notes}


def _brought_to(changes: ExtensionChanges, present: dict[str, Extension], name: str, commit: str) -> str:
    """Bring an extension to a commit, from a kept version or else from its server; why that was not possible."""
    extension = present.get(name)
    if extension is None or extension.is_bundled or not commit or origin_of(extension.path).commit == commit:
        return ""
    try:
        try:
            changes.roll_back(name, commit)
        except NotFound:
            changes.install(changes.look_at_update(name, commit))
    except UserError as error:
        return f"{name} stays as it is. {error}"
    return ""
