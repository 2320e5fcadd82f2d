"""The gallery: all pictures in the output folders, found, sorted, marked, moved and deleted with a way back."""
from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from modules.atomic_files import safe_name, write_problem
from modules.errors import NotFound, RequestError, UserError, report
from modules.gallery.bin import Bin, Deleted, companions, move_files
from modules.gallery.index import Found, Index, Order
from modules.gallery.marks import Marks, MarksFiles, cleaned
from modules.gallery.scan import file_at, files_below, read_text
from modules.settings.store import Options

FOLDER_SETTINGS = ("outdir_samples", "outdir_txt2img_samples", "outdir_img2img_samples", "outdir_extras_samples", "outdir_grids",
                   "outdir_txt2img_grids", "outdir_img2img_grids", "outdir_save")
FURTHER_FOLDERS = "gallery_folders"
READ_AT_ONCE = 50
PAUSE_SECONDS = 0.02  # between two of these: pictures in the making and pages come first
LISTED_AT_ONCE = 1_000  # so that a page is there before very many files are entered
MOST_AT_ONCE = 5_000


def picture_folders(settings: Options, data: Path) -> list[Path]:
    """The folders that the gallery shows: those for pictures in the settings, and further ones; none lies in another."""
    names = [str(getattr(settings, key)) for key in FOLDER_SETTINGS if key in settings.data_labels and getattr(settings, key)]
    further = [name.strip() for name in str(getattr(settings, FURTHER_FOLDERS)).split(";") if name.strip()]
    folders = list(dict.fromkeys((data / name).resolve() for name in (*names, *further)))
    return [folder for folder in folders if not any(folder != other and folder.is_relative_to(other) for other in folders)]


@dataclass(frozen=True, kw_only=True)
class Changed:
    """What became of a change to several pictures: how many it reached, ids by which it can be undone, and what went wrong."""

    count: int
    undo: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


class Gallery:
    """One for the program. `look` finds out in the background what is new; all else answers from the index at once."""

    def __init__(self, index_file: Path | None, roots: Callable[[], list[Path]]) -> None:
        """`roots` gives the folders of pictures as the settings name them at the moment."""
        self._index_file = index_file
        self._index: Index | None = None
        self._opening = threading.Lock()
        self._roots = roots
        self._marks = MarksFiles()
        self._wanted = threading.Event()
        self._listed = threading.Event()
        self._closing = threading.Event()
        self._changing = threading.Lock()
        self._thread: threading.Thread | None = None
        self._parts: dict[Path, Gallery] = {}

    def part(self, index_file: Path, roots: Callable[[], list[Path]]) -> Gallery:
        """A gallery of other folders that ends with this one, made when it is first asked for."""
        with self._opening:
            if index_file not in self._parts:
                self._parts[index_file] = Gallery(index_file, roots)
                self._parts[index_file]._marks = self._marks  # the folders of a part are folders of the whole too
            return self._parts[index_file]

    def close(self) -> None:
        """End the work in the background."""
        for part in self._parts.values():
            part.close()
        self._closing.set()
        self._wanted.set()
        if self._thread is not None:
            self._thread.join(5)
        if self._index is not None:
            self._index.close()

    @property
    def index(self) -> Index:
        """The index, opened when it is first needed."""
        with self._opening:
            if self._index is None:
                self._index = Index(self._index_file)
            return self._index

    @property
    def roots(self) -> list[Path]:
        return self._roots()

    @property
    def bin(self) -> Bin:
        return Bin(self.roots)

    # What is there

    def look(self, wait_seconds: float = 0.0) -> None:
        """Have the folders listed and new files read in the background; a first list is waited for that long, the reading never."""
        self._listed.clear()
        with self._opening:
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._work, name="gallery", daemon=True)
                self._thread.start()
        self._wanted.set()
        if wait_seconds and not self.index.version and self.index.is_empty():
            self._listed.wait(wait_seconds)

    def _work(self) -> None:
        while not self._closing.is_set():
            self._wanted.wait()
            self._wanted.clear()
            try:
                if not self._closing.is_set():
                    self.list_files()
                self._listed.set()
                while not self._wanted.is_set() and self._read_some() and not self._closing.wait(PAUSE_SECONDS):
                    pass
            except Exception as error:  # whatever it is: the next look tries again, and the page must not lose its gallery
                report("The gallery could not bring its index up to date.", error)
                self._listed.set()

    def list_files(self) -> None:
        """Compare the folders with the index."""
        with self._changing:
            found = {file.path: file for file in files_below(self.roots)}
            known = self.index.files()
            changed = sorted((file for path, file in found.items() if known.get(path) != (file.modified, file.size)),
                             key=lambda file: -file.modified)
            gone = {path for path, facts in known.items() if path not in found or (found[path].modified, found[path].size) != facts}
            if changed or gone:
                self.index.list_files(changed[:LISTED_AT_ONCE], gone)
                self._listed.set()
                for first in range(LISTED_AT_ONCE, len(changed), LISTED_AT_ONCE):
                    self._closing.wait(PAUSE_SECONDS)
                    self.index.list_files(changed[first:first + LISTED_AT_ONCE], ())
                self._enter_marks({Path(file.path).parent for file in changed})

    def _enter_marks(self, folders: Iterable[Path]) -> None:
        marks = {str(folder / name): mark for folder in folders for name, mark in self._marks.of_folder(folder).items()}
        if marks:
            self.index.write_marks(marks)

    def _read_some(self) -> bool:
        """Read some of the files that were only listed; whether there were any."""
        rows = self.index.unread(READ_AT_ONCE)
        if rows:
            self.index.write_texts({number: read_text(Path(path)) for number, path in rows})
        return bool(rows)

    def read_all(self) -> None:
        """List and read everything now."""
        self.list_files()
        while self._read_some():
            pass

    def rebuild(self) -> None:
        """Make the index again from the files."""
        self.index.empty()
        self.look()

    # Questions

    def find(self, query: str, order: Order, folder: str) -> Found:
        """What a query finds. `folder`: a label of `folders`. Raises RequestError, NotFound."""
        return self.index.find(query, order, str(self._folder_named(folder)) if folder else "")

    def folders(self) -> list[dict[str, Any]]:
        """The folders that hold pictures, each with a label and the number of pictures in it and below."""
        return [{"label": label, "count": count} for label, (_, count) in sorted(self._labelled().items())]

    def _labelled(self) -> dict[str, tuple[Path, int]]:
        """Label -> folder and number of pictures in it and below."""
        roots = self.roots
        counts = dict.fromkeys(roots, 0)
        for name, count in self.index.folders().items():
            folder = Path(name)
            for inside in (folder, *folder.parents):
                counts[inside] = counts.get(inside, 0) + count
                if inside in roots:
                    break
        return {_label(folder, roots): (folder, count) for folder, count in counts.items()
                if any(folder == root or folder.is_relative_to(root) for root in roots)}

    def label_of(self, folder: Path) -> str:
        """A folder as people see it: from the name of its root on; roots of the same name are told apart by their path."""
        return _label(folder, self.roots)

    def _folder_named(self, label: str) -> Path:
        found = self._labelled().get(label)
        if found is None:
            raise NotFound(f'There is no folder "{label[:100]}" in the gallery.')
        return found[0]

    # Changes

    def star(self, ids: Sequence[str], starred: bool) -> Changed:
        """Give pictures a star, or take it away. Raises RequestError, NotFound."""
        return self._mark(ids, lambda _, marks: replace(marks, starred=starred))

    def tag(self, ids: Sequence[str], add: Sequence[str], remove: Sequence[str]) -> Changed:
        """Add and remove tags. Raises RequestError, NotFound."""
        gone = set(cleaned(remove))
        return self._mark(ids, lambda _, marks: replace(marks, tags=tuple(tag for tag in cleaned([*marks.tags, *add]) if tag not in gone)))

    def _mark(self, ids: Sequence[str], changed: Callable[[Path, Marks], Marks]) -> Changed:
        with self._changing:
            result = self._marks.change(self._paths(ids), changed)
            self.index.write_marks({str(path): marks for path, marks in result.items()})
        return Changed(count=len(result))

    def delete(self, ids: Sequence[str]) -> Changed:
        """Put pictures into the bin; `undo` holds what `restore` needs."""
        entries: list[Deleted] = []
        notes: list[str] = []
        trash = self.bin
        with self._changing:
            for path, marks in self._marks.of_pictures(self._paths(ids)).items():
                try:
                    entries.append(trash.put(path, marks))
                except OSError as error:
                    notes.append(_refusal(f"{path.name} was not deleted", error))
            self._marks.forget(Path(entry.path) for entry in entries)
            self.index.list_files((), [entry.path for entry in entries])
        return Changed(count=len(entries), undo=tuple(entry.id for entry in entries), notes=tuple(notes))

    def restore(self, entry_ids: Sequence[str]) -> Changed:
        """Bring pictures back from the bin. Raises NotFound."""
        notes: list[str] = []
        restored: dict[Path, Marks] = {}
        trash = self.bin
        for entry_id in _limited(entry_ids):
            trash.file(entry_id)  # nothing is restored where one of them is unknown
        with self._changing:
            for entry_id in entry_ids:
                try:
                    path, marks = trash.restore(entry_id)
                except OSError as error:
                    notes.append(_refusal("A picture was not restored", error))
                    continue
                restored[path] = marks
            self.index.list_files(map(file_at, restored), map(str, restored))
            self._put_marks(restored)
        self.look()
        return Changed(count=len(restored), notes=tuple(notes))

    def move(self, ids: Sequence[str], folder: str, new_folder: str = "") -> Changed:
        """Move pictures to a folder of the gallery, or to a new one in it. Raises RequestError, NotFound."""
        target = self._folder_named(folder)
        if new_folder:
            name = safe_name(new_folder, 100)
            if name.startswith("."):
                raise RequestError("new_folder", f'"{name}" cannot be the name of a folder here.',
                                   "What begins with a dot is hidden, also from the gallery.")
            target = target / name
        notes: list[str] = []
        moved: dict[Path, Path] = {}
        with self._changing:
            known = self._marks.of_pictures(path for path in self._paths(ids) if path.parent != target)
            for path in known:
                try:
                    moved[path] = move_files(companions(path), target)
                except OSError as error:
                    notes.append(_refusal(f"{path.name} was not moved", error))
                    continue
                self.index.moved(str(path), str(moved[path]))
            self._put_marks({new: known[old] for old, new in moved.items()})
            self._marks.forget(moved)
        return Changed(count=len(moved), notes=tuple(notes))

    def _put_marks(self, marks: Mapping[Path, Marks]) -> None:
        """Write the stars and tags of pictures that have come into their folders."""
        marked = {path: mark for path, mark in marks.items() if mark != Marks()}
        if marked:
            self._marks.change(marked, lambda path, _: marked[path])
            self.index.write_marks({str(path): mark for path, mark in marked.items()})

    def _paths(self, ids: Sequence[str]) -> list[Path]:
        return [self.index.path_of(picture_id) for picture_id in dict.fromkeys(_limited(ids))]


def _label(folder: Path, roots: Sequence[Path]) -> str:
    root = next((root for root in roots if folder == root or folder.is_relative_to(root)), None)
    if root is None:
        return str(folder)
    name = root.name if sum(other.name == root.name for other in roots) == 1 else str(root)
    return "/".join((name, *folder.relative_to(root).parts))


def _limited(ids: Sequence[str]) -> Sequence[str]:
    if len(ids) > MOST_AT_ONCE:
        raise RequestError("ids", f"At most {MOST_AT_ONCE:,} pictures can be changed at once.")
    return ids


def _refusal(what: str, error: OSError) -> str:
    problem: UserError = write_problem("it", Path(error.filename or "."), error)
    return f"{what}: {problem.why} {problem.remedy}".strip()
