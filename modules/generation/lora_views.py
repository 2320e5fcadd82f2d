"""LoRAs at work in the form that extensions read and change: `networks.loaded_networks`, and back into that of the engine."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from torch import Tensor

from modules.checkpoints.problems import WeightsError
from modules.checkpoints.safetensors_file import read_header
from modules.networks.key_names import kohya_names
from modules.networks.lora import Lora, LoraUse, Part


class Holder:
    """A layer of a LoRA; `weight` may be replaced."""

    def __init__(self, weight: Tensor):
        self.weight = weight


class NetworkModule:
    """The change of one module."""

    # Attribute here -> tensor of the engine's part.
    tensors: dict[str, str] = {}

    def __init__(self, part: Part):
        self.part = part
        self.alpha = part.tensors["alpha"].item() if "alpha" in part.tensors else None
        self.scale = None
        for attribute, name in self.tensors.items():
            value = part.tensors.get(name)
            setattr(self, attribute, value)

    def changed_part(self) -> Part:
        """The engine's part with what stands here now."""
        here = {name: getattr(self, attribute) for attribute, name in self.tensors.items()}
        changes = {name: value for name, value in here.items() if isinstance(value, Tensor) and value is not self.part.tensors.get(name)}
        return replace(self.part, tensors={**self.part.tensors, **{n: v.detach() for n, v in changes.items()}}) if changes else self.part


class NetworkModuleLora(NetworkModule):
    """The product of two matrices."""

    def __init__(self, part: Part):
        super().__init__(part)
        self.up_model, self.down_model = Holder(part.tensors["up"]), Holder(part.tensors["down"])
        self.mid_model = Holder(part.tensors["mid"]) if "mid" in part.tensors else None
        self.dim = part.tensors["down"].shape[0]

    @property
    def up(self) -> Holder:
        return self.up_model

    @property
    def down(self) -> Holder:
        return self.down_model

    def changed_part(self) -> Part:
        now = {"up": self.up_model.weight.detach(), "down": self.down_model.weight.detach()}
        is_same = all(self.part.tensors[name] is value for name, value in now.items())
        return self.part if is_same else replace(self.part, tensors={**self.part.tensors, **now})


class NetworkModuleHada(NetworkModule):
    """The product by elements of two products."""

    tensors = {"w1a": "hada_w1_a", "w1b": "hada_w1_b", "w2a": "hada_w2_a", "w2b": "hada_w2_b", "t1": "hada_t1", "t2": "hada_t2"}


class NetworkModuleLokr(NetworkModule):
    """The Kronecker product of two matrices."""

    tensors = {"w1": "lokr_w1", "w1a": "lokr_w1_a", "w1b": "lokr_w1_b", "w2": "lokr_w2", "w2a": "lokr_w2_a", "w2b": "lokr_w2_b",
               "t2": "lokr_t2"}


class NetworkModuleFull(NetworkModule):
    """A whole difference."""

    tensors = {"weight": "diff", "ex_bias": "diff_b"}


class NetworkModuleIa3(NetworkModule):
    """A factor for each channel."""

    tensors = {"w": "weight"}


class NetworkModuleGLora(NetworkModule):
    """Two products, one of them with the weight itself."""

    tensors = {"w1a": "a1", "w1b": "b1", "w2a": "a2", "w2b": "b2"}


KINDS: dict[str, type[NetworkModule]] = {
    "LoRA": NetworkModuleLora, "LoHa": NetworkModuleHada, "LoKr": NetworkModuleLokr, "full": NetworkModuleFull, "IA3": NetworkModuleIa3,
    "GLoRA": NetworkModuleGLora}


class NetworkOnDisk:
    """A file."""

    def __init__(self, name: str, filename: str):
        self.name, self.filename = name, filename
        self.hash, self.shorthash = "", ""
        self.sd_version = "Unknown"
        self.is_safetensors = filename.lower().endswith(".safetensors")

    @property
    def metadata(self) -> dict[str, Any]:
        try:
            return dict(read_header(Path(self.filename)).metadata) if self.is_safetensors else {}
        except WeightsError:
            return {}

    @property
    def alias(self) -> str:
        return self.metadata.get("ss_output_name") or self.name

    def get_alias(self) -> str:
        """The name by which prompts call it."""
        return self.alias

    def read_hash(self) -> None:
        """Nothing: it is known when the file is read."""

    def set_hash(self, digest: str) -> None:
        """Note a hash."""
        self.hash, self.shorthash = digest, digest[:12]


class Network:
    """A LoRA at work with its strengths. `modules` is made when it is asked for; what is changed in it counts from the next batch on."""

    def __init__(self, lora: Lora, model: Any = None):
        self.lora, self._model = lora, model
        self.name = self.mentioned_name = lora.name
        self.te_multiplier = self.unet_multiplier = 1.0
        self.dyn_dim: int | None = None
        self.blocks: Mapping[str, float] | None = None
        self.bundle_embeddings: dict[str, Any] = {}
        self.mtime = lora.path.stat().st_mtime if lora.path.exists() else 0.0
        self.network_on_disk = NetworkOnDisk(lora.name, str(lora.path))
        self.network_on_disk.set_hash(lora.hash12)
        self._modules: dict[str, NetworkModule] | None = None
        self._of_key: dict[str, str] = {}

    @property
    def multiplier(self) -> float:
        return self.unet_multiplier

    @multiplier.setter
    def multiplier(self, value: float) -> None:
        self.unet_multiplier = value

    @property
    def modules(self) -> dict[str, NetworkModule]:
        """By the name of the module that each changes, with underscores."""
        if self._modules is None:
            names = kohya_names(self._model) if self._model is not None else {}
            self._modules = {}
            for name, part in self.lora.parts.items():
                target = names.get(name)
                key = key_of(target.weight) if target is not None else name
                self._of_key[key] = name
                self._modules[key] = KINDS.get(part.kinds[0].name, NetworkModule)(part)
        return self._modules

    def use(self) -> LoraUse:
        """What the engine does with it."""
        lora, blocks = self.lora, self.blocks
        if self._modules is not None:
            parts = {self._of_key[key]: module.changed_part() for key, module in self._modules.items()}
            if any(part is not lora.parts[name] for name, part in parts.items()):
                # A script that weighs the parts has read the block weights of the tag; they must not count twice.
                lora, blocks = replace(lora, parts=parts), None
        return LoraUse(lora=lora, te_multiplier=self.te_multiplier, unet_multiplier=self.unet_multiplier, dyn_dim=self.dyn_dim,
                       blocks=blocks)


def key_of(parameter: str) -> str:
    """The name of a parameter as extensions call its module: diffusion_model_input_blocks_1_1_..., transformer_text_model_..."""
    for prefix in ("model.", "cond_stage_model.", "conditioner.embedders."):
        if parameter.startswith(prefix):
            parameter = parameter.removeprefix(prefix)
            break
    return parameter.rpartition(".")[0].replace(".", "_")


def view_of(use: LoraUse, model: Any) -> Network:
    """A LoRA at work as extensions see it."""
    view = Network(use.lora, model)
    view.te_multiplier, view.unet_multiplier, view.dyn_dim, view.blocks = use.te_multiplier, use.unet_multiplier, use.dyn_dim, use.blocks
    return view


def same(first: LoraUse, second: LoraUse) -> bool:
    """Whether both change the model alike."""
    strengths = lambda use: (use.te_multiplier, use.unet_multiplier, use.dyn_dim, use.blocks)
    return first.lora is second.lora and strengths(first) == strengths(second)


def all_same(first: Sequence[LoraUse], second: Sequence[LoraUse]) -> bool:
    """Whether both sets change the model alike."""
    return len(first) == len(second) and all(same(*pair) for pair in zip(first, second, strict=True))


_loaded: list[Network] = []


def loaded_views() -> list[Network]:
    """The LoRAs of the present batch; extensions read and change the list."""
    return _loaded
