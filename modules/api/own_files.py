"""Pictures of users who are no administrators: saved into a folder of their own, and served to nobody else."""
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from fastapi import Request

from modules.api.own_queue import NotAllowed, OwnQueue, Viewer, own_queue, viewer_of
from modules.api.queue_view import picture_paths
from modules.atomic_files import file_below, safe_name
from modules.errors import NotFound, RequestError
from modules.jobs.fairness import user_of
from modules.runtime import Runtime

# How settings that name folders and files begin: with logins they are for administrators.
PATH_SETTINGS = ("outdir_", "temp_dir", "gallery_folders", "folders_", "font")
_OUTPUTS = "outdir_"
_OWN = "user-"

Settings = Mapping[str, Any]


def folder_of(user: str) -> str:
    """The name of a user's folder: the user's, or what a file system can take of it and a mark that tells it from others.

    It begins with a word that folders of everybody do not have, whatever a user is called.
    """
    name = safe_name(user)
    return _OWN + (name if name == user else f"{name}-{zlib.crc32(user.encode()):08x}")


def settings_for_users(admins: frozenset[str]) -> Callable[[str, Settings, Settings], Settings]:
    """For the queue: (owner, request, settings) -> the settings of the job, with its owner's own folders for pictures.

    Without logins, and for administrators, nothing changes. Raises RequestError where the request itself names such a folder.
    """
    def settings_for(owner: str, request: Settings, settings: Settings) -> Settings:
        user = user_of(owner)
        if not user or user in admins:
            return settings
        if named := next((key for key in request.get("override_settings") or () if key.startswith(PATH_SETTINGS)), None):
            raise RequestError("override_settings", f"{named}: only an administrator of this server may choose folders.")
        if folders := [name for name, value in folders_named_in(request) if value]:
            raise RequestError(folders[0], "Only an administrator of this server may name folders of it.", remedy="Upload the pictures.")
        return {**settings, **{key: own_folder(value, user) for key, value in settings.items() if key.startswith(_OUTPUTS) and value}}

    return settings_for


def folders_named_in(request: Settings) -> Iterator[tuple[str, Any]]:
    """The folders of this machine that a request names: those of batches over files."""
    batch = request.get("batch")
    batch = batch if isinstance(batch, Mapping) else {}
    yield from ((name, value) for place in (request, batch) for name, value in place.items() if str(name).endswith("_dir"))


def own_folder(folder: str, user: str) -> str:
    """The user's part of a folder; the same again for what is one already, as a job that is made again has."""
    name = folder_of(user)
    return folder if Path(folder).name == name else str(Path(folder) / name)


def served_folders(rt: Runtime) -> list[Path]:
    """Folders whose files may be fetched by path: outputs, results that were not saved, uploads, and those that the owner named."""
    return [rt.folders.outputs, rt.folders.log, rt.folders.results, rt.folders.temporary, *rt.folders.shown]


def served_file(rt: Runtime, request: Request | None, name: str) -> Path:
    """The file with this path, when it lies in a folder that is served, and is the user's own or of an administrator's asking.

    Raises NotFound.
    """
    path = file_below(served_folders(rt), name)
    if not (viewer_of(request).is_admin or is_own(rt, own_queue(rt, request), path)):
        raise NotFound("There is no such file.")
    return path


def is_own(rt: Runtime, queue: OwnQueue, path: Path) -> bool:
    """Whether a file is one of the user's: in their folder, of one of their jobs, or among uploads, whose names nobody can guess."""
    outputs = (value for key, value in rt.settings.snapshot().items() if key.startswith(_OUTPUTS) and value)
    own = [rt.folders.data / own_folder(folder, queue.viewer.user) for folder in outputs]
    if any(path.is_relative_to(folder.resolve()) for folder in (*own, rt.folders.temporary)):
        return True
    jobs = (*queue.jobs(), *queue.unfinished(), *queue.recent())
    return any(str(path) in picture_paths(job).values() for job in jobs)


def check_settings(viewer: Viewer, keys: Iterable[str]) -> None:
    """Raises NotAllowed when somebody who is no administrator would change where everybody's files go."""
    if not viewer.is_admin and any(key.startswith(PATH_SETTINGS) for key in keys):
        raise NotAllowed("Only an administrator of this server may change folders.")
