"""Where an extension is installed from: a git address over https, or a folder, a local clone or a zip archive of this machine."""
from __future__ import annotations

import lzma
import os
import re
import shutil
import stat
import subprocess
import zipfile
import zlib
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from modules.atomic_files import safe_name
from modules.errors import RequestError, UserError

Kind = Literal["git", "clone", "folder", "zip"]
GIT_WAIT_S = 300
MOST_BYTES = 2 << 30
MOST_FILES = 50_000
BRANCH = re.compile(r"(?!-)(?!.*\.\.)[\w./+-]{1,200}")
COMMIT = re.compile(r"[0-9a-f]{40}")
# git obeys settings and hooks of a repository; none of those that start programs count here.
QUIET_GIT = ("-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", "-c", "protocol.ext.allow=never", "-c", "credential.helper=",
             "-c", "core.sshCommand=false", "-c", "core.symlinks=false", "-c", "safe.directory=*")


@dataclass(frozen=True, kw_only=True)
class Source:
    """What was named: an address for "git", else a path. `branch` empty: the usual one."""

    kind: Kind
    place: str
    branch: str = ""

    @property
    def name(self) -> str:
        """The name of the folder that it gets if none is given."""
        last = re.split(r"[/\\]", self.place.rstrip("/\\"))[-1]
        stem = last.removesuffix(".git") if self.kind in ("git", "clone") else last.removesuffix(".zip") if self.kind == "zip" else last
        return safe_name(stem, 100)


def is_of_this_machine(text: str) -> bool:
    """Whether what a person typed would be looked for on this machine."""
    return "://" not in text or text.strip().strip('"').lower().startswith("file://")


def source_of(text: str, branch: str = "") -> Source:
    """What a person typed. Raises RequestError for what is neither an https address nor something on this machine."""
    text, branch = text.strip().strip('"'), branch.strip()
    if not text:
        raise RequestError("url", "The address of the extension is missing.")
    if branch and not BRANCH.fullmatch(branch):
        raise RequestError("branch", f'"{branch[:60]}" is no name of a branch.')
    if not is_of_this_machine(text):
        return Source(kind="git", place=_address(text), branch=branch)
    path = Path(re.sub(r"(?i)^file://", "", text)).expanduser()
    try:
        if path.is_dir():
            is_clone = (path / ".git").exists() or ((path / "HEAD").is_file() and (path / "objects").is_dir())
            return Source(kind="clone" if is_clone else "folder", place=str(path.resolve()), branch=branch if is_clone else "")
        if path.is_file() and path.suffix.lower() == ".zip":
            return Source(kind="zip", place=str(path.resolve()))
    except (OSError, ValueError):
        pass  # no path either
    raise RequestError("url", f'"{text[:200]}" cannot be installed from.',
                       "It is no https address, and no folder or zip archive on this machine.")


def _address(text: str) -> str:
    try:
        parts = urlsplit(text)
        is_plain = parts.scheme.lower() == "https" and bool(parts.hostname) and parts.port is not False and not parts.username
    except ValueError:
        is_plain = False
    if not is_plain or len(text) > 2000 or any(ord(sign) <= 32 or ord(sign) >= 127 for sign in text):
        raise RequestError("url", f'"{text[:200]}" cannot be installed from.',
                           "Extensions are fetched over https only, without a login in the address.")
    return text.rstrip("/")


def fetch(source: Source, target: Path, commit: str = "") -> None:
    """Bring it into the new folder `target`; nothing of it is run. Raises UserError; `target` may be left then."""
    if source.kind in ("git", "clone"):
        clone(source, target)
        if commit:
            git(["checkout", "--quiet", "--detach", commit], target, f"There is no commit {commit[:10]}")
    elif source.kind == "zip":
        unpack(Path(source.place), target)
    else:
        copy_folder(Path(source.place), target)


def clone(source: Source, target: Path) -> None:
    """The same for git."""
    branch = ["--branch", source.branch] if source.branch else []
    git(["clone", "--quiet", "--no-hardlinks", *branch, "--", source.place, str(target)], target.parent,
        f"{source.place} could not be cloned", is_local=source.kind == "clone")
    if not any(entry.name != ".git" for entry in target.iterdir()):
        raise UserError(f"{source.place} is empty.")


def git(arguments: list[str], folder: Path, failure: str, *, is_local: bool = False) -> str:
    """Run git in a folder, without hooks, questions and other protocols; what it prints. Raises UserError beginning with `failure`."""
    program = shutil.which(os.environ.get("GIT", "git"))
    if program is None:
        raise UserError(f"{failure}.", "git is not installed.", "Install git, or install from a zip archive.")
    environment = {**os.environ, "GIT_TERMINAL_PROMPT": "0", "GIT_ALLOW_PROTOCOL": "https:file" if is_local else "https",
                   "GIT_CONFIG_NOSYSTEM": "1", "GIT_ASKPASS": "true", "GIT_LFS_SKIP_SMUDGE": "1"}
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):
        environment.pop(name, None)
    try:
        done = subprocess.run([program, *QUIET_GIT, *arguments], cwd=folder, env=environment, capture_output=True, text=True,
                              encoding="utf-8", errors="replace", timeout=GIT_WAIT_S)
    except subprocess.TimeoutExpired:
        raise UserError(f"{failure}.", f"git did not answer within {GIT_WAIT_S} s.", "Try again later.") from None
    except OSError as error:
        raise UserError(f"{failure}.", f"{error.strerror}.") from error
    if done.returncode:
        said = [line.strip() for line in done.stderr.splitlines() if line.strip()]
        raise UserError(f"{failure}.", f"git says: {(said or ['nothing'])[-1][:300]}")
    return done.stdout.strip()


def unpack(archive: Path, target: Path) -> None:
    """The files of a zip archive; a single folder around all of them is taken off. Raises UserError."""
    try:
        with zipfile.ZipFile(archive) as content:
            members = [member for member in content.infolist() if not member.is_dir()]
            names = [_member_parts(member) for member in members]
            _check_amount(len(members), sum(member.file_size for member in members))
            skip = 1 if names and len({parts[0] for parts in names}) == 1 and all(len(parts) > 1 for parts in names) else 0
            for member, parts in zip(members, names, strict=True):
                path = target.joinpath(*parts[skip:])
                path.parent.mkdir(parents=True, exist_ok=True)
                with content.open(member) as read, open(path, "xb") as written:
                    shutil.copyfileobj(read, written)
    except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, NotImplementedError, RuntimeError, EOFError) as error:
        raise UserError(f"{archive.name} cannot be unpacked.", f"{error or type(error).__name__}.") from error
    except OSError as error:
        raise UserError(f"{archive.name} cannot be unpacked.", f"{error.strerror or error}.") from error


def _member_parts(member: zipfile.ZipInfo) -> tuple[str, ...]:
    """The path of a member. Raises UserError for one that leads out, and for links."""
    parts = tuple(part for part in re.split(r"[/\\]", member.filename) if part not in ("", "."))
    if not parts or ".." in parts or ":" in parts[0] or member.filename.startswith(("/", "\\")) or stat.S_ISLNK(member.external_attr >> 16):
        raise UserError("The archive cannot be unpacked.", f'It holds a file "{member.filename[:80]}", which would lie elsewhere.')
    return parts


def _check_amount(files: int, size_bytes: int) -> None:
    if files > MOST_FILES or size_bytes > MOST_BYTES:
        raise UserError("It is too large for an extension.", f"It has {files:,} files with {size_bytes >> 20:,} MB.")


def copy_folder(folder: Path, target: Path) -> None:
    """A copy of a folder; links in it are left out. Raises UserError."""
    try:
        found = (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
        files = list(islice(found, MOST_FILES + 1))
        _check_amount(len(files), sum(path.stat().st_size for path in files))
        for path in files:
            copy = target / path.relative_to(folder)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, copy)
    except OSError as error:
        raise UserError(f"{folder} cannot be copied.", f"{error.strerror or error}.") from error
