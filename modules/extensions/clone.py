"""Where an installed extension came from, read from the git files in its folder.

git itself is not run: the settings in a strange clone could name programs that it then starts.
"""
from dataclasses import dataclass
from pathlib import Path

COMMIT_CHARS = 40
MOST_CHARS = 100_000


@dataclass(frozen=True, kw_only=True)
class Origin:
    """Address, branch and commit of a clone, "" for what is not known."""

    remote: str = ""
    branch: str = ""
    commit: str = ""


def origin_of(folder: Path) -> Origin:
    """The origin of the clone in `folder`; all empty for a folder that is none."""
    git = folder / ".git"
    head = _text(git / "HEAD").strip()
    branch = head.removeprefix("ref: refs/heads/") if head.startswith("ref: refs/heads/") else ""
    commit = _commit_of(git, branch) if branch else head
    return Origin(remote=_remote(git), branch=branch, commit=commit if len(commit) == COMMIT_CHARS else "")


def _commit_of(git: Path, branch: str) -> str:
    loose = _text(git / "refs" / "heads" / branch).strip() if ".." not in branch else ""
    if loose:
        return loose
    packed = (line.split() for line in _text(git / "packed-refs").splitlines())
    return next((parts[0] for parts in packed if len(parts) == 2 and parts[1] == f"refs/heads/{branch}"), "")


def _remote(git: Path) -> str:
    """The first address in the clone's settings, without a login in it."""
    lines = (line.strip() for line in _text(git / "config").splitlines())
    address = next((line.partition("=")[2].strip() for line in lines if line.partition("=")[0].strip() == "url"), "")
    scheme, mark, rest = address.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}{mark}{host.rpartition('@')[2]}{slash}{path}" if mark else address


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")[:MOST_CHARS] if path.is_file() else ""
    except OSError:
        return ""
