"""Files that are whole or absent: writing, publishing under a free name, safe names, and paths that stay inside a folder."""
import errno
import os
import platform
import re
import secrets
import time
import unicodedata
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import BinaryIO

from modules.errors import NotFound, UserError

fcntl: ModuleType | None
try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

ON_WINDOWS = os.name == "nt"
PART_SUFFIX = ".easel-part"
LOCK_SUFFIX = ".easel-lock"
ORPHAN_AGE_SECONDS = 3600.0
NAME_LIMIT_BYTES = 255
MAXIMUM_TRIES = 100_000

# Errors by which file systems (exFAT, some network shares, Android) say that they have no hard links.
NO_LINKS = {errno.EPERM, errno.EACCES, errno.ENOSYS, errno.EMLINK, errno.EOPNOTSUPP, errno.ENOTSUP, errno.EINVAL}

RESERVED = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])\s*(\..*)?", re.IGNORECASE | re.DOTALL)
FORBIDDEN = set('#<>:"/\\|?*')
BIDIRECTIONAL_CONTROLS = set("\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


Content = bytes | Callable[[BinaryIO], None]


class OutsideFolder(NotFound):
    """A name in a request that would lead out of the folder it belongs to."""


def write_atomically(path: Path, data: bytes, *, previous: Path | None = None) -> None:
    """Replace the file at `path` by `data`: a reader, or the next start after a kill, sees the old content or the new, whole.

    A symbolic link is followed, so that it stays one. `previous`: where the old content is kept, itself written atomically.
    Raises OSError (see `write_problem`); the old file is then untouched.
    """
    target = Path(os.path.realpath(path))
    target.parent.mkdir(parents=True, exist_ok=True)
    if previous is not None and target.is_file():
        _keep(target, previous)
    with _part_file(target.parent, data) as part:
        with suppress(OSError):
            os.chmod(part, os.stat(target).st_mode & 0o777)
        os.replace(part, target)
    _sync_folder(target.parent)


def _keep(target: Path, previous: Path) -> None:
    """Give the file at `target` the name `previous` as well. It is on disk already, so a link saves writing it again."""
    link = target.parent / _part_name()
    try:
        os.link(target, link)
        os.replace(link, previous)
    except OSError as error:
        if error.errno not in NO_LINKS:
            raise
        write_atomically(previous, target.read_bytes())
    finally:
        with suppress(OSError):  # it is still there when `previous` was the same file
            os.unlink(link)


def publish(
    folder: Path,
    name: str | Callable[[int], str],
    data: Content,
    *,
    first: int | Callable[[], int] = 0,
    taken: Callable[[Path], bool] | None = None,
) -> Path:
    """Put `data` into a new file of `folder` and return its path; a file that exists is never replaced, by any process.

    `data`: the bytes, or a function that writes them; what it raises leaves no file.
    `name`: a function of a number, tried with `first`, first + 1, ... until a name is free, or one name, which gets `-1`, `-2`,
    ... before its ending when it is taken. `first` may be a function; it then runs while other writers of this folder wait, so
    that it can count the files that exist. `taken`: further reasons to pass over a path. Raises OSError; nothing is left then.
    """
    folder.mkdir(parents=True, exist_ok=True)
    _clean_once(folder)
    with _part_file(folder, data) as part, folder_lock(folder):
        number = first() if callable(first) else first
        for attempt in range(MAXIMUM_TRIES):
            path = folder / (name(number + attempt) if callable(name) else _with_number(name, attempt))
            if not (taken and taken(path)) and _publish_as(part, path):
                _sync_folder(folder)
                return path
    raise FileExistsError(errno.EEXIST, "No free name was found", str(folder))


@cache
def _clean_once(folder: Path) -> None:
    """Remove what a kill left in `folder`, when this process first publishes there."""
    remove_orphans(folder)


def _with_number(name: str, number: int) -> str:
    if number == 0:
        return name
    stem, ending = os.path.splitext(name)
    mark = f"-{number}"
    return safe_name(stem, NAME_LIMIT_BYTES - len((mark + ending).encode())) + mark + ending


def _publish_as(part: Path, path: Path) -> bool:
    """Give the finished file its name; False when the name is taken."""
    try:
        if ON_WINDOWS:
            os.rename(part, path)
        else:
            os.link(part, path)
    except FileExistsError:
        return False
    except OSError as error:
        if error.errno not in NO_LINKS:
            raise
        return _publish_under_lock(part, path)
    return True


def _publish_under_lock(part: Path, path: Path) -> bool:
    """The same where the file system has no hard links. A lock left by a kill costs its one name, never a file."""
    lock = path.with_name(_hidden_name(path.name, LOCK_SUFFIX))
    try:
        os.close(os.open(lock, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
    except FileExistsError:
        return False
    try:
        if os.path.lexists(path):
            return False
        os.rename(part, path)
        return True
    finally:
        with suppress(OSError):
            os.unlink(lock)


def _hidden_name(name: str, suffix: str) -> str:
    return f".{zlib.crc32(name.encode('utf-8', 'surrogatepass')):08x}{suffix}"


@contextmanager
def _part_file(folder: Path, data: Content) -> Iterator[Path]:
    """A complete, synced file under a temporary name in `folder`; whatever is left of it is removed at the end."""
    part = folder / _part_name()
    try:
        with open(part, "xb") as file:
            if callable(data):
                data(file)
            else:
                file.write(data)
            file.flush()
            os.fsync(file.fileno())
        yield part
    finally:
        with suppress(OSError):
            os.unlink(part)


def _part_name() -> str:
    return f".{_token()}-{secrets.token_hex(6)}{PART_SUFFIX}"


def _token() -> str:
    """Host, process id and a random word: lets a later start tell the remains of dead processes from files being written."""
    host = zlib.crc32(platform.node().encode())
    return f"{host:08x}-{os.getpid()}-{_word_of_process(os.getpid())}"


@cache
def _word_of_process(pid: int) -> str:
    """Drawn once per process; by process id, so that a fork does not inherit its parent's."""
    return secrets.token_hex(4)


def _sync_folder(folder: Path) -> None:
    """Make new names in `folder` survive a power cut; file systems that cannot do it are left alone."""
    if ON_WINDOWS:
        return
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


@contextmanager
def folder_lock(folder: Path) -> Iterator[None]:
    """Let one thread of one process at a time work on the names in `folder`; a killed holder lets go by itself.

    Where the system cannot lock a folder this does nothing: `publish` stays safe, but two pictures may share a number.
    """
    with ExitStack() as scope:
        with suppress(OSError):
            if fcntl is not None:
                handle = os.open(folder, os.O_RDONLY)
                scope.callback(os.close, handle)
                fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def remove_orphans(folder: Path) -> int:
    """Remove temporary files that killed processes left in `folder` (not below it); returns how many."""
    removed = 0
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.endswith((PART_SUFFIX, LOCK_SUFFIX)) and _is_orphan(entry):
                with suppress(OSError):
                    os.unlink(entry.path)
                    removed += 1
    return removed


def _is_orphan(entry: os.DirEntry[str]) -> bool:
    with suppress(OSError):
        if time.time() - entry.stat(follow_symlinks=False).st_mtime > ORPHAN_AGE_SECONDS:
            return True
    named = re.match(r"\.([0-9a-f]{8})-(\d+)-([0-9a-f]{8})-", entry.name)
    our_host, our_pid, our_word = _token().split("-")
    if not named or named[1] != our_host:
        return False
    if named[2] == our_pid:
        return named[3] != our_word  # a container gives the same process id again after a restart
    return not is_running(int(named[2]))


def is_running(pid: int) -> bool:
    if ON_WINDOWS:  # there, signal 0 ends the process
        return True
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


def safe_name(text: str, byte_limit: int = NAME_LIMIT_BYTES) -> str:
    """`text` as a file name that Linux, macOS and Windows accept: at most `byte_limit` bytes of UTF-8, never empty, no separators.

    Forbidden signs and control characters become `_`; leading spaces and trailing spaces and dots go; `CON` and its like get a
    `_` in front; what is too long is cut between characters.
    """
    cleaned = "".join("_" if _is_forbidden(sign) else sign for sign in text).lstrip(" ").rstrip(" .")
    if RESERVED.fullmatch(cleaned):
        cleaned = "_" + cleaned
    cut = cleaned.encode("utf-8")[: max(byte_limit, 1)].decode("utf-8", "ignore").rstrip(" .")
    return cut or "_"


def _is_forbidden(sign: str) -> bool:
    return sign in FORBIDDEN or sign in BIDIRECTIONAL_CONTROLS or unicodedata.category(sign) in {"Cc", "Cs", "Zl", "Zp"}


def resolve_inside(root: Path, name: str) -> Path:
    """The real path of `name` below `root`, with links followed; the only way from a name in a request to a path.

    The path need not exist. Raises OutsideFolder when the name is absolute, has a drive, goes up, or leads out through a link.
    """
    parts = re.split(r"[/\\]", name)
    has_drive = re.match(r"[A-Za-z]:", name) or (ON_WINDOWS and ":" in name)
    if "\0" in name or not parts[0] or has_drive or ".." in parts:
        raise _outside(name)
    real_root = os.path.realpath(root)
    try:
        real = os.path.realpath(os.path.join(real_root, *parts))
        inside = os.path.commonpath([real_root, real]) == real_root
    except (ValueError, OSError):  # surrogates, other drive, loops of links
        raise _outside(name) from None
    if not inside:
        raise _outside(name)
    return Path(real)


def file_below(roots: Iterable[Path], name: str) -> Path:
    """The existing file with the path `name`, when it lies below one of the folders after all links are followed. Raises NotFound."""
    try:
        path = Path(name).resolve()
        is_inside = any(path.is_relative_to(root.resolve()) for root in roots) and path.is_file()
    except (OSError, ValueError):  # a name with NUL, too long, or a loop of links
        is_inside = False
    if not is_inside:
        raise NotFound("There is no such file.")
    return path


def _outside(name: str) -> OutsideFolder:
    shown = name[:100].encode("utf-8", "replace").decode().replace("\0", "?")
    return OutsideFolder(f'"{shown}" is not a name in this folder.', remedy="Give the name of a file as it is listed.")


REASONS = {
    errno.ENOSPC: ("The disk is full.", "Free some space"),
    errno.EDQUOT if hasattr(errno, "EDQUOT") else errno.ENOSPC: ("Your quota on this disk is used up.", "Free some space"),
    errno.EROFS: ("The disk is read-only.", "Make it writable"),
    errno.EACCES: ("This user may not write there.", "Change the permissions of the folder"),
    errno.EPERM: ("This user may not write there.", "Change the permissions of the folder"),
    errno.ENOTDIR: ("A part of the path is a file, not a folder.", "Remove that file"),
    errno.EISDIR: ("A folder has that name.", "Rename that folder"),
    errno.ENAMETOOLONG: ("The path is too long for this disk.", "Use a shorter pattern"),
    errno.EIO: ("The disk reported a fault.", "Check the disk"),
}


def write_problem(thing: str, path: Path, error: OSError, *, alternative: str = "") -> UserError:
    """The sentence for a failed write: `thing` as in "the picture"; `alternative` is the other way out ("choose another folder")."""
    reason, remedy = REASONS.get(error.errno or 0, (f"{error.strerror or error}.", "Check the folder"))
    return UserError(
        what=f"Cannot save {thing} to {path}.",
        why=reason,
        remedy=f"{remedy}, or {alternative}." if alternative else f"{remedy} and try again.",
    )
