"""Where the weights of a model lie: all on the device, or only those at work while the others wait in main memory."""
from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields, is_dataclass, replace
from typing import Any, Literal, Protocol

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from modules.nn.latent_diffusion import LatentDiffusion

# "whole": everything is on the device. "parts": only the U-Net, the VAE or the text encoder, whichever is at work (--medvram).
# "modules": of the U-Net, which is the largest, only the block at work (--lowvram).
Policy = Literal["whole", "parts", "modules"]
PARTS = ("unet", "vae", "text")
POLICIES: tuple[Policy, ...] = ("whole", "parts", "modules")


class Stations(Protocol):
    """The two places of weights: where they work, and where they wait."""

    @property
    def device(self) -> torch.device:
        """Where they work."""

    def bring(self, module: nn.Module) -> None:
        """Put a module's weights where they work."""

    def put_aside(self, module: nn.Module) -> None:
        """Put them where they wait."""


@dataclass(frozen=True)
class DeviceAndMemory:
    """A graphics card, and main memory."""

    device: torch.device

    def bring(self, module: nn.Module) -> None:
        module.to(self.device)

    def put_aside(self, module: nn.Module) -> None:
        module.to("cpu")


@dataclass
class Unit:
    """Weights of a part that move together: `module` is brought before any of `triggers` runs."""

    part: str
    module: nn.Module
    triggers: Sequence[nn.Module]
    handles: list[RemovableHandle] = field(default_factory=list)


class Placement:
    """The place of one model's weights. `at_home`: parts that are never moved, since they work where others wait."""

    def __init__(self, model: LatentDiffusion, stations: Stations, at_home: frozenset[str] = frozenset()):
        self.model, self.stations, self.at_home = model, stations, at_home
        self.policy: Policy | None = None  # None: all of it waits
        self._units: list[Unit] = []
        self._at_work: Unit | None = None

    def follow(self, policy: Policy | None) -> None:
        """Place the weights as the policy says; with None all of them wait, e.g. while another model works."""
        if policy == self.policy:
            return
        self._forget_units()
        self.policy = policy
        self.model.runs_on = None if policy in (None, "whole") else self.stations.device
        for unit in self._parts():
            if unit.part in self.at_home:
                continue
            self._move(unit.module, is_at_work=policy == "whole")
            if policy in ("parts", "modules"):
                self._units += _blocks(unit.module) if policy == "modules" and unit.part == "unet" else [unit]
        for unit in self._units:
            unit.handles = [trigger.register_forward_pre_hook(self._before(unit), with_kwargs=True) for trigger in unit.triggers]

    def use(self, part: str) -> None:
        """Bring a part that is about to be used other than by running it."""
        for unit in self._units:
            if unit.part == part:
                self._bring(unit)

    def _parts(self) -> list[Unit]:
        model, vae = self.model, self.model.first_stage_model
        texts = [child for encoder in model.cond_stage_model.encoders for child in encoder.children()]
        return [Unit("unet", model.model, [model.model.diffusion_model]),
                Unit("vae", vae, [vae.encoder, vae.quant_conv, vae.decoder, vae.post_quant_conv]),
                Unit("text", model.cond_stage_model, texts)]

    def _before(self, unit: Unit) -> Callable[..., Any]:
        def make_room(module: nn.Module, args: tuple, kwargs: dict[str, Any]) -> tuple[tuple, dict[str, Any]]:
            self._bring(unit)
            return moved(args, self.stations.device), moved(kwargs, self.stations.device)
        return make_room

    def _bring(self, unit: Unit) -> None:
        if self._at_work is not unit:
            if self._at_work is not None:
                self._move(self._at_work.module, is_at_work=False)
            self._move(unit.module, is_at_work=True)
            self._at_work = unit

    def _move(self, module: nn.Module, *, is_at_work: bool) -> None:
        with torch.inference_mode(False):  # weights made in inference mode could not be changed outside of it
            (self.stations.bring if is_at_work else self.stations.put_aside)(module)

    def _forget_units(self) -> None:
        for unit in self._units:
            for handle in unit.handles:
                handle.remove()
        self._units, self._at_work = [], None


def _blocks(wrapper: nn.Module) -> list[Unit]:
    """The U-Net in pieces that run one after another."""
    pieces: list[nn.Module] = []
    for child in wrapper.diffusion_model.children():
        pieces += child if isinstance(child, nn.ModuleList) else [child]
    return [Unit("unet", piece, [piece]) for piece in pieces]


def moved(value: Any, device: torch.device) -> Any:
    """The tensors in a value on the device, whatever holds them."""
    if isinstance(value, Tensor):
        return value.to(device)
    if isinstance(value, tuple | list):
        return type(value)(moved(each, device) for each in value)
    if isinstance(value, dict):
        return {name: moved(each, device) for name, each in value.items()}
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{each.name: moved(getattr(value, each.name), device) for each in fields(value) if each.init})
    return value
