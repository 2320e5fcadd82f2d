"""Pictures described in words: a caption with the best of lists of texts, or tags. The networks are files that a person has placed."""
from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import torch
from PIL import Image

from modules.checkpoints.hashing import FileState
from modules.errors import NotFound
from modules.hardware import Hardware
from modules.imaging.caption_network import Captioner, CaptionOptions, load_captioner
from modules.imaging.clip_ranking import described, load_ranker, read_categories
from modules.imaging.known_files import CAPTION_WORDS, CAPTIONS, DEEPBOORU, RANKING, KnownFile, needed
from modules.imaging.tag_networks import Tagger, load_deepbooru, load_wd_tagger
from modules.imaging.tag_text import TagOptions, tag_text

T = TypeVar("T")
CLIP, BOORU = "clip", "deepdanbooru"
# Further names that clients and extensions use.
SAME = {"deepbooru": BOORU, "blip": CLIP}
WD_FOLDER = "WD-taggers"
WD_FILES = ("model.safetensors", "model.onnx")


@dataclass(frozen=True, kw_only=True)
class ClipOptions:
    """What settings say about captions and lists. left_out: names of lists; most_lines: of each list, 0 for all."""

    caption: CaptionOptions = field(default_factory=CaptionOptions)
    left_out: tuple[str, ...] = ()
    most_lines: int = 1500
    shows_ranks: bool = False


class Interrogator:
    """The networks that describe pictures, kept between pictures until `unload`; for the thread of the jobs.

    models: the folder of models. lists: the folder with lists of texts. check: looked at before each call of a network; may raise.
    """

    def __init__(self, models: Path, lists: Path, hardware: Hardware, check: Callable[[], None] = lambda: None):
        self.models, self.lists, self.hardware, self.check = models, lists, hardware, check
        self._loaded: dict[Path, tuple[FileState, object]] = {}
        self._guard = threading.Lock()

    def taggers(self) -> list[str]:
        """DeepBooru, and the taggers of the WD kind that have a folder of their own."""
        folder = self.models / WD_FOLDER
        return [BOORU, *sorted({path.parent.name for name in WD_FILES for path in folder.glob(f"*/{name}")})]

    def checked_name(self, name: str) -> str:
        """The name of a way to describe pictures as this class knows it. Raises NotFound.

        Without DeepBooru's file its name stands for the first of the other taggers, if there is one.
        """
        known, taggers = SAME.get(name.lower(), name), self.taggers()
        if known == BOORU and DEEPBOORU.path(self.models) is None and len(taggers) > 1:
            return taggers[1]
        for candidate in (CLIP, *taggers):
            if candidate.lower() == known.lower():
                return candidate
        raise NotFound(f'There is no model named "{name[:100]}" that describes pictures.',
                       remedy=f"Choose one of: {', '.join((CLIP, *self.taggers()))}.")

    def missing(self, name: str) -> KnownFile | None:
        """The first file that this way to describe pictures cannot do without. Raises NotFound."""
        files = {CLIP: (CAPTIONS, CAPTION_WORDS), BOORU: (DEEPBOORU,)}.get(self.checked_name(name), ())
        return next((file for file in files if file.path(self.models) is None), None)

    def caption(self, image: Image.Image, options: CaptionOptions) -> str:
        """One sentence. Raises FileMissing, WeightsError."""
        path, words = needed(CAPTIONS, self.models), needed(CAPTION_WORDS, self.models)
        captioner: Captioner = self._network(path, lambda: load_captioner(path, words, self.hardware.device))
        return captioner(image, options, self.check)

    def described(self, image: Image.Image, options: ClipOptions) -> tuple[str, list[str]]:
        """(a caption and the best of each list, notes about what was left out). Raises FileMissing, WeightsError."""
        caption = self.caption(image, options.caption)
        categories = read_categories(self.lists, left_out=options.left_out, most_lines=options.most_lines)
        if not categories:
            return caption, [f"There are no lists of texts in {self.lists}, so this is the caption alone."]
        path = RANKING.path(self.models)
        if path is None:
            return caption, [RANKING.needs + " Without it this is the caption alone."]
        ranker = self._network(path, lambda: load_ranker(path, self.hardware.device))
        self.check()
        features = ranker.picture(image)
        ranked = [(category, ranker.best(features, category.items, category.top, self.check)) for category in categories]
        return described(caption, ranked, shows_ranks=options.shows_ranks), []

    def tags(self, image: Image.Image, name: str, options: TagOptions) -> str:
        """Tags over the threshold. Raises NotFound, FileMissing, WeightsError."""
        name = self.checked_name(name)
        device = self.hardware.device
        if name == BOORU:
            path = needed(DEEPBOORU, self.models)
            tagger: Tagger = self._network(path, lambda: load_deepbooru(path, device))
        else:
            folder = self.models / WD_FOLDER / name
            path = next(path for ending in WD_FILES if (path := folder / ending).is_file())
            tagger = self._network(path, lambda: load_wd_tagger(path.parent, device))
        self.check()
        return tag_text(tagger(image), options)

    def unload(self) -> None:
        """Let go of the networks."""
        with self._guard:
            self._loaded.clear()
        if self.hardware.device.type == "cuda":
            torch.cuda.empty_cache()

    def _network(self, path: Path, load: Callable[[], T]) -> T:
        state = FileState.of(path)
        with self._guard:
            if path not in self._loaded or self._loaded[path][0] != state:
                self._loaded[path] = state, load()
            return self._loaded[path][1]  # type: ignore[return-value]
