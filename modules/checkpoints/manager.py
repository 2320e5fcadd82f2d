"""ModelManager: which models are in memory, and the VAE that each of them uses."""
from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from torch import Tensor

from modules.checkpoints.execution import Care, CarefulExecution
from modules.checkpoints.files import GONE, CheckpointInfo, CheckpointList
from modules.checkpoints.hashing import FileState
from modules.checkpoints.in_memory import WeightsInMemory
from modules.checkpoints.loading import load_model, load_vae, model_of
from modules.checkpoints.placement import PARTS, POLICIES, DeviceAndMemory, Placement, Policy, Stations
from modules.checkpoints.problems import WeightsError
from modules.errors import report
from modules.hardware import Hardware, is_out_of_memory
from modules.nn.latent_diffusion import LatentDiffusion

# Files up to this size are hashed before `ensure` returns, so that the first picture already names its model's hash.
_HASH_AT_ONCE_BYTES = 512 << 20
# 16-bit files may be kept in 32 bits.
_GROWTH = 2


@dataclass(frozen=True, kw_only=True)
class Room:
    """How many models stay loaded, and how many of those on the device; the others wait in main memory."""

    models: int = 1
    on_device: int = 1


@dataclass(kw_only=True)
class _Loaded:
    model: LatentDiffusion
    placement: Placement | None = None
    saves_at_least: Policy = "whole"  # what it came to when the card was too small for all of it
    own_vae: dict[str, Tensor] | None = None
    vae: tuple[Path, FileState] | None = None


class ModelManager:
    """Owner of the models in memory. Only the worker thread calls its methods.

    keep: how many models stay loaded; the one that was not used for longest goes. `room_of` may ask for more at every use.
    `policy_of`: where the weights of a model lie while it is the one in use. `stations`: None where there is no second place, as on
    a machine without a graphics card. `on_loaded`: called with every fresh model. `notices`: what the user should know, e.g. that
    the demo model stands in for a broken file.
    """

    def __init__(self, checkpoints: CheckpointList, hardware: Hardware, *, keep: int = 1, looks_for_nan: bool = True):
        self.checkpoints = checkpoints
        self.hardware = hardware
        self.keep = keep
        self.room_of: Callable[[], Room] | None = None
        self.policy_of: Callable[[LatentDiffusion], Policy] = lambda model: "whole"
        self.stations: Stations | None = None if hardware.device.type == "cpu" else DeviceAndMemory(hardware.device)
        self.execution = CarefulExecution(hardware, looks_for_nan=looks_for_nan, free_others=lambda: self._drop_down_to(1))
        self.on_loaded: list[Callable[[LatentDiffusion], object]] = []
        self.vae_of: Callable[[CheckpointInfo], Path | None] | None = None  # the VAE file for a checkpoint; raises KeyError
        self.notices: list[str] = []
        self._loaded: OrderedDict[tuple[Path, FileState], _Loaded] = OrderedDict()

    @property
    def current(self) -> LatentDiffusion | None:
        """The model used last."""
        return next(reversed(self._loaded.values())).model if self._loaded else None

    def ensure(self, info: CheckpointInfo, *, fall_back: bool = True) -> LatentDiffusion:
        """The model of this checkpoint, loaded if it is not in memory; it is `current` afterwards.

        A file that cannot be loaded is listed as broken from then on. With `fall_back` the demo model takes its place and a
        notice says so; without it WeightsError is raised and the current model stays.
        """
        key = (info.path, info.state)
        room = self._room()
        if key in self._loaded:
            self._loaded.move_to_end(key)
            self._drop_down_to(room.models)
            self._place(room)
            self._use_vae_of(info)
            return self._loaded[key].model
        self._make_room(room)
        try:
            model = self._load(info)
        except WeightsError as error:
            self.checkpoints.refuse(info, error.why)
            demo = self.checkpoints.demo_checkpoint()
            if not fall_back or info.is_demo or demo is None:
                raise
            self._notice(f"{error} {demo.title} is used instead.")
            return self.ensure(demo)
        return self._taken(info, model, room)

    def adopt(self, info: CheckpointInfo, weights: WeightsInMemory) -> LatentDiffusion:
        """The model of weights that no file holds; it is `current` afterwards, and listed until it leaves the memory.

        Raises WeightsError.
        """
        room = self._room()
        self._make_room(room)
        if self.hardware.free_memory() < info.state.size * _GROWTH:
            self._drop_down_to(0)
        try:
            model = model_of(weights, self.hardware, is_waiting=self.stations is not None)
        except WeightsError as error:
            raise WeightsError(info.path, error.why, error.remedy) from error
        model.checkpoint = info
        vars(info)["architecture"] = model.architecture  # there is no header to read it from
        self.checkpoints.hold(info)
        return self._taken(info, model, room)

    def _taken(self, info: CheckpointInfo, model: LatentDiffusion, room: Room) -> LatentDiffusion:
        """A fresh model, now the current one."""
        self._loaded[info.path, info.state] = self._kept(model)
        self._drop_down_to(room.models)
        self._place(room)
        self._use_vae_of(info)
        for callback in self.on_loaded:
            try:
                callback(model)
            except Exception as error:  # an extension's fault must not take the loaded model away
                report(f"After loading {info.title}, {getattr(callback, '__qualname__', callback)} failed.", error)
        return model

    @property
    def vae_file(self) -> tuple[Path, FileState] | None:
        """The VAE file that the current model uses, None while it is the checkpoint's own."""
        return next(reversed(self._loaded.values())).vae if self._loaded else None

    def _use_vae_of(self, info: CheckpointInfo) -> None:
        if self.vae_of is None:
            return
        try:
            self.ensure_vae(self.vae_of(info))
        except KeyError as error:
            self._notice(f"There is no VAE named {error.args[0]!r}; the one in {info.title} is used.")
            self.ensure_vae(None)
        except WeightsError as error:
            self._notice(f"{error} The VAE in {info.title} is used instead.")
            self.ensure_vae(None)

    def ensure_vae(self, path: Path | None) -> None:
        """Let the current model use the VAE in this file; None is the checkpoint's own, which comes back bit for bit.

        Raises WeightsError when the file does not fit; the VAE in use stays.
        """
        if not self._loaded:
            return
        loaded = next(reversed(self._loaded.values()))
        first_stage = loaded.model.first_stage_model
        place = next(first_stage.parameters()).device
        if path is None:
            if loaded.own_vae is not None:
                first_stage.load_state_dict(loaded.own_vae, strict=True, assign=True)
                first_stage.to(place)
            loaded.own_vae = loaded.vae = None
            return
        try:
            wanted = (path, FileState.of(path))
        except OSError as error:
            raise WeightsError(path, f"It cannot be read: {error.strerror or error}.", "Choose another file as SD VAE.") from error
        if loaded.vae == wanted:
            return
        weights = load_vae(path, loaded.model, self.hardware)
        if loaded.own_vae is None:
            loaded.own_vae = dict(first_stage.state_dict(keep_vars=True))
        first_stage.load_state_dict(weights, strict=True, assign=True)
        first_stage.to(place)
        loaded.vae = wanted

    def unload(self) -> None:
        """Let go of all models."""
        self._drop_down_to(0)

    @contextmanager
    def careful(self, care: Care) -> Iterator[None]:
        """Run networks with this care; what it changed to save memory ends with it."""
        try:
            with self.execution.under(care):
                yield
        finally:
            if care.policy:
                self._place(self._room())

    def _room(self) -> Room:
        wished = self.room_of() if self.room_of else Room(on_device=self.keep)
        return replace(wished, models=max(self.keep, wished.models))

    def _policy(self, loaded: _Loaded) -> Policy:
        """What is wanted, or what the model or the running job came to where that saves more."""
        return max(self.policy_of(loaded.model), loaded.saves_at_least, self.execution.care.policy or "whole", key=POLICIES.index)

    def _place(self, room: Room) -> None:
        """Have the current model ready for work; of the others so many stay on the device as there is room for."""
        for rank, loaded in enumerate(reversed(self._loaded.values())):
            policy = self._policy(loaded)
            if rank == 0:
                self._place_current(loaded, policy)
            elif loaded.placement is not None:
                loaded.placement.follow(policy if rank < room.on_device and policy == "whole" else None)

    def _place_current(self, loaded: _Loaded, policy: Policy) -> None:
        """Place a model as the policy says, or more sparingly where the device is too small for that."""
        while loaded.placement is not None:
            try:
                return loaded.placement.follow(policy)
            except Exception as error:
                if policy == POLICIES[-1] or not is_out_of_memory(error):
                    raise
            self.hardware.gc()
            policy = loaded.saves_at_least = POLICIES[POLICIES.index(policy) + 1]
            self._notice(f"{loaded.model.checkpoint.title} is too large for the device: parts that are not at work wait in main memory.")

    def _make_room(self, room: Room) -> None:
        """Put models aside that leave the device when one more comes to it."""
        for rank, loaded in enumerate(reversed(self._loaded.values()), 1):
            if loaded.placement is not None and rank >= room.on_device:
                loaded.placement.follow(None)

    def _kept(self, model: LatentDiffusion) -> _Loaded:
        """A fresh model with what its owner knows of it."""
        model.execution = self.execution
        if self.stations is None:
            return _Loaded(model=model)
        at_home = frozenset(part for part in PARTS if self.hardware.device_of(part).type == "cpu" != self.stations.device.type)
        placement = self.execution.placements[id(model)] = Placement(model, self.stations, at_home)
        return _Loaded(model=model, placement=placement)

    def _load(self, info: CheckpointInfo) -> LatentDiffusion:
        """Load beside what is there; where memory is short, what is there goes first."""
        if info.is_in_memory:
            raise WeightsError(info.path, GONE, "Make them again, or choose another checkpoint.")
        if self.hardware.free_memory() < info.state.size * _GROWTH:
            self._drop_down_to(0)
        thread = self.checkpoints.hashes.start(info.path, info.state) if self.checkpoints.hashing and not info.sha256 else None
        model = load_model(info.path, self.hardware, is_waiting=self.stations is not None)
        model.checkpoint = info
        if thread is not None and info.state.size <= _HASH_AT_ONCE_BYTES:
            thread.join()
        return model

    def _drop_down_to(self, count: int) -> None:
        if len(self._loaded) <= count:
            return
        while len(self._loaded) > count:
            _, loaded = self._loaded.popitem(last=False)
            if loaded.model.checkpoint is not None and loaded.model.checkpoint.is_in_memory:
                self.checkpoints.let_go(loaded.model.checkpoint)
            if self.execution.placements.pop(id(loaded.model), None) and loaded.placement and loaded.placement.policy != "whole":
                loaded.placement.follow(None)  # a run that still holds it must not keep the device full
        self.hardware.gc()

    def _notice(self, text: str) -> None:
        if text not in self.notices:
            self.notices.append(text)
