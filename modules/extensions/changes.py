"""Installing, updating, rolling back and removing extensions: each change is whole, or the folder is as it was."""
from __future__ import annotations

import json
import os
import re
import shutil
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from modules.atomic_files import safe_name, write_atomically
from modules.errors import NotFound, RequestError, UserError, report
from modules.extensions import sources
from modules.extensions.clone import origin_of
from modules.extensions.discovery import BUNDLED_PREFIX
from modules.extensions.installers import install_requirements, run_installer
from modules.extensions.preview import Preview, preview_of
from modules.extensions.sources import COMMIT, Source
from modules.folders import Folders

KEPT_VERSIONS = 3
STAMP = "%Y%m%d-%H%M%S"
MOST_LINES = 2000
LARGE_BYTES = 32 << 20
State = Literal["looked at", "installing", "done", "failed"]
# Names that would change what `import` finds, or that belong to the program.
FORBIDDEN_NAMES = {"scripts", "modules", "extensions", "extensions-builtin"}


@dataclass(kw_only=True)
class Installation:
    """One extension on its way in. `folder`: where it lies meanwhile; `lines`: the output of its installers."""

    id: str
    name: str
    source: Source
    folder: Path
    preview: Preview
    replaces: bool = False
    state: State = "looked at"
    error: str = ""
    lines: list[str] = field(default_factory=list)

    def say(self, line: str) -> None:
        if len(self.lines) < MOST_LINES:
            self.lines.append(line[:2000])

    def as_dict(self) -> dict[str, Any]:
        """For the page."""
        return {"id": self.id, "name": self.name, "source": self.source.place, "replaces": self.replaces, "state": self.state,
                "error": self.error, "lines": list(self.lines), "preview": asdict(self.preview)}


@dataclass(frozen=True, kw_only=True)
class KeptVersion:
    """An earlier state of an extension that it can be rolled back to."""

    name: str
    stamp: str
    path: Path


class ExtensionChanges:
    """Changes to the extensions of one data folder, one at a time. What runs already goes on as it is until the next start."""

    def __init__(self, folders: Folders) -> None:
        self._extensions = folders.extensions
        self._versions = folders.data / "cache" / "extension-versions"
        self._staging = folders.data / "cache" / "extension-staging"
        self._installations: dict[str, Installation] = {}
        self._lock = threading.Lock()
        self._beginning = threading.Lock()

    @contextmanager
    def _one_at_a_time(self) -> Iterator[None]:
        if not self._lock.acquire(blocking=False):
            raise UserError("Another extension is being installed.", remedy="Wait until it is done.")
        try:
            yield
        finally:
            self._lock.release()

    # Installing

    def look_at(self, text: str, branch: str = "", name: str = "") -> Installation:
        """Fetch an extension to look at it; nothing of it runs and nothing is installed yet. Raises UserError."""
        source = sources.source_of(text, branch)
        name = self._free_name(name.strip() or source.name, source)
        return self._fetched(source, name)

    def _fetched(self, source: Source, name: str, commit: str = "") -> Installation:
        with self._one_at_a_time():
            self._forget_others()
            place = self._staging / uuid.uuid4().hex
            place.mkdir(parents=True)
            try:
                sources.fetch(source, place / name, commit)
                preview = preview_of(place / name)
            except BaseException:
                shutil.rmtree(place, ignore_errors=True)
                raise
            installation = Installation(id=place.name, name=name, source=source, folder=place / name, preview=preview)
            self._installations[installation.id] = installation
            return installation

    def _free_name(self, name: str, source: Source) -> str:
        cleaned = safe_name(name, 100)
        if cleaned != name or cleaned.lower() in FORBIDDEN_NAMES or cleaned.startswith((".", "__", BUNDLED_PREFIX)):
            raise RequestError("name", f'"{name[:80]}" cannot be the name of an extension.', remedy="Choose another folder name.")
        if (self._extensions / cleaned).exists():
            raise RequestError("name", f"There is an extension {cleaned} already.", remedy="Update it, or choose another folder name.")
        for folder in self._folders():
            remote = origin_of(folder).remote
            if source.kind == "git" and _same_address(remote, source.place):
                raise RequestError("url", f"This is installed already, as {folder.name}.", remedy="Update that one.")
        return cleaned

    def _folders(self) -> list[Path]:
        with suppress(OSError):
            return [path for path in self._extensions.iterdir() if path.is_dir() and not path.name.startswith(".")]
        return []

    def _forget_others(self) -> None:
        """Remove what was only looked at; one choice is open at a time."""
        for installation in list(self._installations.values()):
            if installation.state != "installing":
                shutil.rmtree(installation.folder.parent, ignore_errors=True)
                if installation.state == "looked at":
                    del self._installations[installation.id]

    def known(self, installation_id: str) -> Installation:
        """Raises NotFound."""
        if installation_id not in self._installations:
            raise NotFound("This installation is not known any more.", remedy="Begin again.")
        return self._installations[installation_id]

    def begin(self, installation_id: str) -> Installation:
        """Install what was looked at, in the background; `known` tells how far it is. Raises NotFound, UserError."""
        installation = self.known(installation_id)
        with self._beginning:
            if installation.state != "looked at":
                raise UserError("This was installed already.")
            installation.state = "installing"
        threading.Thread(target=self._finish, args=[installation], name="install extension", daemon=True).start()
        return installation

    def _finish(self, installation: Installation) -> None:
        try:
            self.install(installation)
        except UserError as error:
            installation.error, installation.state = str(error), "failed"
        except Exception as error:  # the page waits for an end, whatever happened
            report(f"{installation.name} could not be installed", error)
            installation.error, installation.state = f"{installation.name} could not be installed. The log says why.", "failed"

    def install(self, installation: Installation) -> None:
        """Run its installers, and put it among the extensions only when they succeeded. Raises UserError; nothing is changed then.

        Python packages that pip installed before a failure stay.
        """
        installation.state = "installing"
        final = self._extensions / installation.name
        with self._one_at_a_time():
            self._extensions.mkdir(parents=True, exist_ok=True)
            kept = self._put_in(installation.folder, final)
            try:
                self._run_installers(final, installation.say)
            except BaseException:
                self._take_out(final, kept)
                raise
            finally:
                shutil.rmtree(installation.folder.parent, ignore_errors=True)
            self._keep_few(installation.name)
        installation.state = "done"

    def _run_installers(self, folder: Path, say: Callable[[str], None]) -> None:
        """Its requirements, then its install.py. Where there is one, it may do without requirements that cannot be met here."""
        try:
            install_requirements(folder, say)
        except UserError as error:
            if not (folder / "install.py").is_file():
                raise
            say(f"{error} Its install.py goes on.")
        run_installer(folder, say)

    def _put_in(self, folder: Path, final: Path) -> Path | None:
        """Move a new version to its place, the present one into the kept versions; where that lies now."""
        kept = None
        try:
            if final.exists():
                target = self._version_folder(final.name)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.move(final, target)
                kept = target
            shutil.move(folder, final)
        except OSError as error:
            if kept is not None:
                shutil.move(kept, final)
            raise UserError(f"{final.name} could not be moved to {final.parent}.", f"{error.strerror or error}.") from error
        return kept

    def _take_out(self, final: Path, kept: Path | None) -> None:
        shutil.rmtree(final, ignore_errors=True)
        if kept is not None:
            shutil.move(kept, final)

    # Updating and rolling back

    def commit_of(self, name: str) -> str:
        """The commit at which a clone is. Raises NotFound."""
        return origin_of(self._own(name)).commit

    def newest_commit(self, name: str) -> str:
        """The commit that an update would bring, empty for one that is no clone. Asks its server. Raises UserError, NotFound."""
        origin = origin_of(self._own(name))
        if not origin.remote:
            return ""
        source = sources.source_of(origin.remote)
        wanted = f"refs/heads/{origin.branch}" if origin.branch else "HEAD"
        listed = sources.git(["ls-remote", "--", source.place, wanted], self._extensions,
                             f"The server of {name} could not be asked", is_local=source.kind == "clone")
        commit = listed.split()[0] if listed else ""
        return commit if COMMIT.fullmatch(commit) else ""

    def look_at_update(self, name: str, commit: str = "") -> Installation:
        """Fetch the newest version of a clone, or one commit of it, beside the present one. Files that git does not know come along.

        Raises UserError, NotFound.
        """
        present = self._own(name)
        origin = origin_of(present)
        if not origin.remote:
            raise UserError(f"{name} cannot be updated.", "It was not installed by git.", "Install it again under another name.")
        if commit and not COMMIT.fullmatch(commit):
            raise RequestError("commit", f'"{commit[:60]}" is no commit.')
        source = sources.source_of(origin.remote, origin.branch)
        installation = self._fetched(source, name, commit)
        try:
            self._bring_along(present, installation.folder)
        except OSError as error:
            raise UserError(f"{name} cannot be updated.", f"{error.strerror or error}.") from error
        installation.replaces = True
        return installation

    def _bring_along(self, present: Path, new: Path) -> None:
        """Copy what a person or the extension itself put into its folder: files that the new version does not have and git ignored."""
        known = set(sources.git(["ls-files", "-z"], present, f"{present.name} cannot be read", is_local=True).split("\0"))
        for path in present.rglob("*"):
            relative = path.relative_to(present)
            is_kept = path.is_file() or path.is_symlink()
            if relative.parts[0] == ".git" or not is_kept or relative.as_posix() in known or os.path.lexists(new / relative):
                continue
            (new / relative).parent.mkdir(parents=True, exist_ok=True)
            _bring(path, new / relative)

    def versions(self, name: str) -> list[KeptVersion]:
        """Earlier versions, the last one first."""
        folder = self._versions / safe_name(name, 100)
        with suppress(OSError):
            found = sorted((path for path in folder.iterdir() if path.is_dir()), key=lambda path: path.name, reverse=True)
            return [KeptVersion(name=name, stamp=path.name, path=path) for path in found]
        return []

    def roll_back(self, name: str, commit: str = "") -> KeptVersion:
        """Change an extension with its last kept version, also one that was removed; with `commit`, the last that is at it.

        Raises NotFound, UserError.
        """
        kept = [version for version in self.versions(name) if not commit or origin_of(version.path).commit == commit]
        if not kept:
            raise NotFound(f"There is no earlier version of {name[:80]}.")
        with self._one_at_a_time():
            final = self._extensions / safe_name(name, 100)
            self._put_in(kept[0].path, final)
        return kept[0]

    def remove(self, name: str) -> None:
        """Take an extension out; it is kept, so that `roll_back` brings it back. Raises NotFound, UserError."""
        present = self._own(name)
        with self._one_at_a_time():
            kept = self._version_folder(name)
            kept.parent.mkdir(parents=True, exist_ok=True)
            try:
                shutil.move(present, kept)
            except OSError as error:
                raise UserError(f"{name} could not be removed.", f"{error.strerror or error}.") from error
            self._keep_few(name)

    def _own(self, name: str) -> Path:
        """The folder of an installed extension. Raises NotFound for unknown and bundled ones."""
        found = next((folder for folder in self._folders() if folder.name == name and not name.startswith(BUNDLED_PREFIX)), None)
        if found is None:
            raise NotFound(f"There is no installed extension {name[:80]}.")
        return found

    def _version_folder(self, name: str) -> Path:
        stamp = time.strftime(STAMP)
        folder = self._versions / name
        number = 0
        while os.path.lexists(folder / (stamp if not number else f"{stamp}-{number}")):
            number += 1
        return folder / (stamp if not number else f"{stamp}-{number}")

    def _keep_few(self, name: str) -> None:
        for version in self.versions(name)[KEPT_VERSIONS:]:
            shutil.rmtree(version.path, ignore_errors=True)

    def clean(self) -> None:
        """Remove what earlier runs left of installations that were not finished."""
        shutil.rmtree(self._staging, ignore_errors=True)


def _bring(path: Path, target: Path) -> None:
    """Copy a file; links stay links, and large ones, which are models, get a second name, so that no version costs their room again."""
    if not path.is_symlink() and path.stat().st_size >= LARGE_BYTES:
        with suppress(OSError):  # a disk without such links
            os.link(path, target)
            return
    shutil.copy2(path, target, follow_symlinks=False)


def _same_address(one: str, other: str) -> bool:
    plain = lambda address: re.sub(r"(\.git)?/*$", "", address.strip().lower())
    return bool(one) and plain(one) == plain(other)


@dataclass(frozen=True, kw_only=True)
class ConfigState:
    """Which extensions were installed at a moment, at which commits, and which were switched on."""

    name: str
    created: float
    program: str
    extensions: dict[str, dict[str, Any]]


class ConfigStates:
    """Saved states, each a file in config_states/ of the data folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def save(self, name: str, program: str, extensions: dict[str, dict[str, Any]]) -> ConfigState:
        """Write one. Raises OSError."""
        state = ConfigState(name=name.strip() or "State", created=time.time(), program=program, extensions=extensions)
        file = self._folder / f"{time.strftime(STAMP)}-{safe_name(state.name, 80)}.json"
        write_atomically(file, json.dumps(asdict(state), indent=1).encode())
        return state

    def listed(self) -> dict[str, ConfigState]:
        """All of them by file name, the newest first; what cannot be read is left out."""
        found: dict[str, ConfigState] = {}
        for path in sorted(self._folder.glob("*.json"), reverse=True) if self._folder.is_dir() else []:
            try:
                data = json.loads(path.read_bytes())
                entries = {str(name): dict(entry) for name, entry in data["extensions"].items()}
                found[path.name] = ConfigState(name=str(data["name"]), created=float(data["created"]), program=str(data.get("program", "")),
                                               extensions=entries)
            except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
                report(f"The saved state {path.name} cannot be read", error)
        return found

    def known(self, file: str) -> ConfigState:
        """Raises NotFound."""
        state = self.listed().get(file)
        if state is None:
            raise NotFound("This saved state is not there any more.")
        return state
