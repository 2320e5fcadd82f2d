"""The parts of the running program, and the one place that says which program is running."""
from __future__ import annotations

import argparse
from dataclasses import dataclass, field
from pathlib import Path

from modules.checkpoints.files import CheckpointInfo, CheckpointList
from modules.checkpoints.manager import ModelManager
from modules.checkpoints.vae import choose_vae, vae_files
from modules.errors import UserError
from modules.extensions.discovery import Extension
from modules.folders import Folders
from modules.gallery.gallery import Gallery
from modules.hardware import Hardware
from modules.history import History
from modules.imaging.faces import FaceRestoration
from modules.imaging.interrogate import Interrogator
from modules.imaging.safety import SafetyFilter
from modules.imaging.unsaved import UnsavedPictures
from modules.imaging.upscaler_table import UpscalerTable
from modules.jobs.queue import JobQueue
from modules.jobs.state import JobState
from modules.networks.lora import LoraCatalog
from modules.networks.textual_inversion import EmbeddingTable
from modules.prompt.condition_cache import ConditionCache
from modules.settings.store import Options
from modules.styles import StyleTable


@dataclass(kw_only=True)
class Runtime:
    """Everything that one running program owns. Built by modules.engine; layers below generation get its parts as arguments."""

    args: argparse.Namespace
    folders: Folders
    settings: Options
    hardware: Hardware
    checkpoints: CheckpointList
    models: ModelManager
    state: JobState
    queue: JobQueue
    styles: StyleTable
    embeddings: EmbeddingTable
    loras: LoraCatalog
    upscalers: UpscalerTable
    faces: FaceRestoration
    interrogator: Interrogator
    safety: SafetyFilter
    gallery: Gallery
    extensions: list[Extension] = field(default_factory=list)
    conditions: ConditionCache = field(default_factory=ConditionCache)
    unsaved: UnsavedPictures = field(default_factory=UnsavedPictures)
    notices: list[str] = field(default_factory=list)
    history: History = field(init=False)

    def __post_init__(self) -> None:
        self.history = History(self.folders.history_file)

    def notice(self, text: str) -> None:
        """Say something on the page until the program ends, once."""
        if text not in self.notices:
            self.notices.append(text)

    def all_notices(self) -> list[str]:
        """What people should know about settings, styles and models as they were found, and what was noticed since."""
        return list(dict.fromkeys((*self.settings.notices, *self.styles.notes, *self.models.notices, *self.notices)))

    def chosen_checkpoint(self, name: str | None = None) -> CheckpointInfo:
        """The checkpoint called `name` (raises NotFound), or the one of the settings, or the demo model with a notice."""
        if name:
            return self.checkpoints.find(name)
        selected = self.settings.sd_model_checkpoint or self.args.ckpt
        if not selected:
            return self.checkpoints.default()
        try:
            return self.checkpoints.find(selected)
        except UserError as error:
            default = self.checkpoints.default()
            self.notice(f"{error} {default.title} is used instead.")
            return default

    def vae_files(self) -> dict[str, Path]:
        """VAE files by name."""
        return vae_files((self.folders.vae, *self.folders.extra_vae))

    def chosen_vae(self, info: CheckpointInfo) -> Path | None:
        """The VAE file of --vae-path, else the one that the settings choose. Raises KeyError for a name that is no file."""
        if self.args.vae_path:
            return Path(self.args.vae_path).resolve()
        return choose_vae(self.settings.sd_vae, info.path, self.vae_files(),
                          own_choice_counts_first=not self.settings.sd_vae_overrides_per_model_preferences)


_running: list[Runtime] = []


def use(runtime: Runtime | None) -> None:
    """Make `runtime` the running program; None ends it."""
    _running[:] = [] if runtime is None else [runtime]


def current() -> Runtime:
    """The running program. Raises RuntimeError when there is none."""
    if not _running:
        raise RuntimeError("no program is running: call modules.engine.start first")
    return _running[0]
