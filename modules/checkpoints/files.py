"""The checkpoints on disk: found, named, checked cheaply, looked up by any of their names."""
from __future__ import annotations

import os
import re
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from modules.checkpoints.hashing import FileState, HashCache
from modules.checkpoints.loading import read_architecture
from modules.checkpoints.problems import WeightsError
from modules.checkpoints.safetensors_file import read_header
from modules.checkpoints.state_dict import quick_problem
from modules.errors import NotFound
from modules.nn.families import SD1, Architecture
from modules.sampling.names import nearest_first

SUFFIXES = (".safetensors", ".ckpt", ".pt")
DEMO_NAME = "easel-demo"
GONE = "An extension made its weights, no file holds them, and another model took their place in memory."
_HASH_IN_TITLE = re.compile(r"^(.*?)\s*\[([0-9a-fA-F]{8,64})\]$")


@dataclass(eq=False, kw_only=True)
class CheckpointInfo:
    """One checkpoint file. `name`: its path below the folder of checkpoints, with forward slashes."""

    path: Path
    name: str
    state: FileState
    is_demo: bool = False
    hashes: HashCache = field(default_factory=HashCache, repr=False)

    @property
    def stem(self) -> str:
        """The file's name without folder and ending."""
        return self.path.stem

    @property
    def model_name(self) -> str:
        """The name as infotexts have it: without ending, folders joined by underscores."""
        return self.name if self.is_demo else self.name.rpartition(".")[0].replace("/", "_")

    @property
    def sha256(self) -> str:
        """In hex; "" while it is not known."""
        return self.hashes.get(self.path, self.state)

    @property
    def short_hash(self) -> str:
        """The first ten digits of the SHA-256; "" while it is not known."""
        return self.sha256[:10]

    @property
    def title(self) -> str:
        """What lists show: the name, and the short hash once it is known."""
        if self.is_demo:
            return self.name
        return f"{self.name} [{self.short_hash}]" if self.short_hash else self.name

    @property
    def short_title(self) -> str:
        """The title without folders."""
        return self.title.removeprefix(self.name.rpartition("/")[0]).removeprefix("/")

    # The names that extensions use.

    @property
    def filename(self) -> str:
        return str(self.path)

    @property
    def hash(self) -> str | None:
        return self.short_hash or None

    shorthash = hash

    @property
    def name_for_extra(self) -> str:
        return self.stem

    @property
    def metadata(self) -> dict[str, Any]:
        """What the header of a safetensors file says."""
        try:
            return dict(read_header(self.path).metadata) if self.path.suffix.lower() == ".safetensors" else {}
        except WeightsError:
            return {}

    def calculate_shorthash(self) -> str | None:
        """The first ten digits of the SHA-256, computed now where it is not known."""
        return self.wait_for_hash()[:10] or None

    @cached_property
    def architecture(self) -> Architecture:
        """What the header of the file says it is; the first Stable Diffusion where the file cannot be read."""
        try:
            return read_architecture(self.path)
        except WeightsError:
            return SD1

    @property
    def native_size_px(self) -> int:
        """Edge of the pictures that the model was trained on."""
        return self.architecture.native_size_px

    @property
    def follows_instructions(self) -> bool:
        """Whether the model takes the picture of img2img as a second instruction beside the text."""
        return self.architecture.extra == "instruct"

    @property
    def is_in_memory(self) -> bool:
        """Whether no file holds its weights."""
        return False

    def __copy__(self) -> CheckpointCopy:
        copied = object.__new__(CheckpointCopy)
        vars(copied).update(vars(self))
        return copied

    def __deepcopy__(self, memo: dict[int, Any]) -> CheckpointCopy:
        return self.__copy__()

    def wait_for_hash(self) -> str:
        """The SHA-256, computed now where it is not known; for the worker, since it reads the whole file."""
        thread = self.hashes.start(self.path, self.state)
        thread.join()
        return self.sha256

    def __str__(self) -> str:
        return self.title


class CheckpointCopy(CheckpointInfo):
    """A copy that an extension made of an entry. It may give it other names and another hash, for weights that it makes itself."""

    def wait_for_hash(self) -> str:
        """The SHA-256 that was given, or that of the file."""
        return self.sha256 if "sha256" in vars(self) else super().wait_for_hash()


class _Given:
    """An attribute that is worked out until it is assigned."""

    def __init__(self, worked_out: property):
        self._worked_out = worked_out

    def __get__(self, info: CheckpointCopy, kind: type[CheckpointCopy]) -> Any:
        return self._worked_out.__get__(info, kind)


for _name in ("sha256", "short_hash", "shorthash", "hash", "title", "short_title", "model_name", "name_for_extra", "filename", "metadata",
              "is_in_memory"):
    setattr(CheckpointCopy, _name, _Given(getattr(CheckpointInfo, _name)))


@dataclass(frozen=True, kw_only=True)
class BrokenFile:
    """A file among the checkpoints that cannot be used, and the reason as a sentence."""

    path: Path
    name: str
    state: FileState | None
    reason: str


class CheckpointList:
    """What the folders of checkpoints hold, in natural order, with the demo model last.

    Listing reads a few hundred bytes of each file and computes no hash. `files`: single files from anywhere, listed first.
    """

    def __init__(
        self, folders: Sequence[Path], *, demo: Path | None = None, cache: Path | None = None, hashing: bool = True,
        files: Sequence[Path] = (),
    ):
        self.folders = tuple(folders)
        self.files = tuple(files)
        self.demo = demo
        self.hashing = hashing
        self.hashes = HashCache(cache)
        self._lock = threading.Lock()
        self._known: dict[Path, CheckpointInfo] = {}
        self._listed: tuple[CheckpointInfo, ...] = ()
        self._broken: tuple[BrokenFile, ...] = ()
        self._refused: dict[Path, BrokenFile] = {}
        self._in_memory: list[CheckpointInfo] = []
        self._let_go: dict[str, BrokenFile] = {}
        self.refresh()

    def __iter__(self) -> Iterator[CheckpointInfo]:
        return iter(self._listed)

    def __len__(self) -> int:
        return len(self._listed)

    def list(self) -> list[CheckpointInfo]:
        """All that can be chosen."""
        return [*self._listed]

    @property
    def broken(self) -> tuple[BrokenFile, ...]:
        """Files that cannot be used: found out when listing, or when loading was tried."""
        return self._broken

    def refresh(self) -> None:
        """Look at the folders again. Files that did not change keep their CheckpointInfo."""
        with self._lock:
            examined = [self._examined(path, name) for path, name in self._found()]
            listed = [info for info in examined if isinstance(info, CheckpointInfo)]
            listed.sort(key=lambda info: (info.path not in self.files, natural_order(info.name)))
            listed += self._in_memory
            if self.demo is not None:
                demo = self._examined(self.demo, DEMO_NAME, is_demo=True)
                listed += [demo] if isinstance(demo, CheckpointInfo) else []
                examined.append(demo)
            self._listed = tuple(listed)
            self._broken = tuple(file for file in examined if isinstance(file, BrokenFile))
            self._known = {info.path: info for info in listed}

    def find(self, text: str) -> CheckpointInfo:
        """The checkpoint with this title, name, model name, stem or beginning of its hash. Raises NotFound, with the reason if broken."""
        text = text.strip()
        in_title = _HASH_IN_TITLE.match(text)
        names = [text] + ([in_title[1]] if in_title else [])
        for exact in (True, False):
            for wanted in names:
                for info in self._listed:
                    if _is_called(info, wanted, exact):
                        return info
        digits = in_title[2] if in_title else text
        if found := self._by_hash(digits):
            return found
        for broken in (*self._broken, *self._let_go.values()):
            if broken.name in names or Path(broken.name).stem in names:
                raise NotFound(f"Cannot use the checkpoint {broken.name}.", broken.reason, "Choose another one.")
        nearest = ", ".join(nearest_first(text, [info.name for info in self._listed])[:3])
        raise NotFound(f'There is no checkpoint "{text[:200]}".', f"The nearest names are {nearest}." if nearest else "",
                       "Choose one from the list, or refresh the list if the file is new.")

    def default(self) -> CheckpointInfo:
        """What is used when nothing is chosen: the first of the list. Raises NotFound when there is none at all."""
        if not self._listed:
            raise NotFound("There is no checkpoint.", "The demo model is missing, too.", "Put a Stable Diffusion checkpoint into "
                           f"{self.folders[0] if self.folders else 'the folder of checkpoints'}.")
        return self._listed[0]

    def demo_checkpoint(self) -> CheckpointInfo | None:
        """The demo model, if it is there."""
        return next((info for info in self._listed if info.is_demo), None)

    def refuse(self, info: CheckpointInfo, reason: str) -> None:
        """Count a file among the broken ones from now on, until it changes."""
        with self._lock:
            self._refused[info.path] = BrokenFile(path=info.path, name=info.name, state=info.state, reason=reason)
        self.refresh()

    def hold(self, info: CheckpointInfo) -> None:
        """List a checkpoint that no file holds, as long as a model of it is in memory."""
        with self._lock:
            self._in_memory.append(info)
            self._let_go.pop(info.name, None)
        self.refresh()

    def let_go(self, info: CheckpointInfo) -> None:
        """List it no longer; who looks for it is told why it is gone."""
        with self._lock:
            self._in_memory = [held for held in self._in_memory if held is not info]
            if all(held.name != info.name for held in self._in_memory):
                self._let_go[info.name] = BrokenFile(path=info.path, name=info.name, state=info.state, reason=GONE)
        self.refresh()

    def _found(self) -> Iterator[tuple[Path, str]]:
        """Path and name of every candidate; a name that was there before gets its folder in front."""
        names: set[str] = set()
        for path in self.files:
            names.add(path.name)
            yield path, path.name
        for folder in self.folders:
            for path in files_below(folder, SUFFIXES):
                name = path.relative_to(folder).as_posix()
                if path in self.files or ".vae." in path.name.lower():
                    continue
                if name in names:
                    name = f"{folder.name}/{name}"
                names.add(name)
                yield path, name

    def _examined(self, path: Path, name: str, *, is_demo: bool = False) -> CheckpointInfo | BrokenFile:
        try:
            state = FileState.of(path)
        except OSError as error:
            return BrokenFile(path=path, name=name, state=None, reason=f"It cannot be read: {error.strerror or error}.")
        refused, known = self._refused.get(path), self._known.get(path)
        if refused is not None and refused.state == state:
            return refused
        if known is not None and known.state == state and known.name == name:
            return known
        if reason := quick_problem(path):
            return BrokenFile(path=path, name=name, state=state, reason=reason)
        return CheckpointInfo(path=path, name=name, state=state, is_demo=is_demo, hashes=self.hashes)

    def _by_hash(self, digits: str) -> CheckpointInfo | None:
        if not re.fullmatch(r"[0-9a-fA-F]{8,64}", digits):
            return None
        return next((info for info in self._listed if info.sha256.startswith(digits.lower())), None)


def _is_called(info: CheckpointInfo, wanted: str, exact: bool) -> bool:
    names = (info.title, info.name, info.model_name, info.stem, str(info.path))
    return wanted in names if exact else wanted.casefold() in (name.casefold() for name in names)


def natural_order(name: str) -> list[tuple[int, int, str]]:
    """Sorts v2 before v10, whatever the case."""
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in re.split(r"(\d+)", name.casefold()) if part]


def files_below(folder: Path, suffixes: Iterable[str]) -> Iterator[Path]:
    """Files with these endings in the folder and below it, links followed, each folder once.

    Hidden files and folders that cannot be read are left out.
    """
    endings = tuple(suffixes)
    for files in folders_below(folder):
        for entry in files:
            if entry.name.lower().endswith(endings):
                yield Path(entry.path)


def folders_below(folder: Path) -> Iterator[list[os.DirEntry[str]]]:
    """The files of the folder and of each folder below it, folder by folder; links are followed, loops are not."""
    seen, waiting = set(), [str(folder)]
    while waiting:
        place = waiting.pop()
        real = os.path.realpath(place)
        if real in seen:
            continue
        seen.add(real)
        files = []
        try:
            with os.scandir(place) as entries:
                for entry in entries:
                    if entry.name.startswith("."):
                        continue
                    if entry.is_dir():
                        waiting.append(entry.path)
                    else:
                        files.append(entry)
        except OSError:
            pass  # no such folder, or no right to read it: it holds nothing that can be used
        yield files
