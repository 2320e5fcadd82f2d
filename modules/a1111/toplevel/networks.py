"""LoRA files and what is at work, under the names of A1111's built-in `networks`."""
from types import SimpleNamespace

import torch

from modules import runtime
from modules._live import live
from modules.errors import UserError
from modules.generation.lora_views import Network, NetworkOnDisk, loaded_views
from modules.networks.file_names import named_files
from modules.networks.lora import SUFFIXES

forbidden_network_aliases: dict = {}
networks_in_memory: dict = {}
originals = SimpleNamespace(
    Linear_forward=torch.nn.Linear.forward, Conv2d_forward=torch.nn.Conv2d.forward, GroupNorm_forward=torch.nn.GroupNorm.forward,
    LayerNorm_forward=torch.nn.LayerNorm.forward, MultiheadAttention_forward=torch.nn.MultiheadAttention.forward)
loaded_bundle_embeddings: dict = {}
lora_cache: dict = {}


def _on_disk() -> dict[str, NetworkOnDisk]:
    folders = runtime.current().folders
    found = named_files((folders.lora, *folders.extra_lora), SUFFIXES)
    return {path.stem: NetworkOnDisk(path.stem, str(path)) for path in found.values()}


def list_available_networks() -> None:
    """Look at the folders again."""
    runtime.current().loras.refresh()


def load_network(name: str, network_on_disk=None):
    """The network of a file as a view. Raises NotFound or WeightsError."""
    rt = runtime.current()
    return Network(rt.loras.find(name), rt.models.current)


def load_networks(names, te_multipliers=None, unet_multipliers=None, dyn_dims=None) -> None:
    """Put these networks into the list of those at work, with their weights; the next batch uses them."""
    loaded_views().clear()
    for place, name in enumerate(names):
        try:
            view = load_network(name)
        except UserError:
            continue  # told when the prompt's tag is read
        view.te_multiplier = te_multipliers[place] if te_multipliers else 1.0
        view.unet_multiplier = unet_multipliers[place] if unet_multipliers else 1.0
        view.dyn_dim = dyn_dims[place] if dyn_dims else None
        loaded_views().append(view)


def purge_networks_from_memory() -> None:
    """Nothing: the program keeps few."""


def network_apply_weights(self) -> None:
    """Nothing: weights are changed for the length of a batch by the program."""


def network_reset_cached_weight(self) -> None:
    """Nothing: weights are restored by the program."""


network_restore_weights_from_backup = network_backup_weights = network_reset_cached_weight


def network_forward(org_module, input, original_forward):
    """The module's own answer; its weights hold the networks already."""
    return original_forward(org_module, input)


network_Linear_forward = torch.nn.Linear.forward
network_Conv2d_forward = torch.nn.Conv2d.forward
network_GroupNorm_forward = torch.nn.GroupNorm.forward
network_LayerNorm_forward = torch.nn.LayerNorm.forward
network_MultiheadAttention_forward = torch.nn.MultiheadAttention.forward


def _aliases() -> dict:
    return {alias: entry for entry in _on_disk().values() for alias in (entry.name, entry.alias)}


live(__name__, computed={
    "available_networks": _on_disk, "available_network_aliases": _aliases, "available_loras": _on_disk,
    "available_network_hash_lookup": lambda: {entry.shorthash: entry for entry in _on_disk().values() if entry.shorthash},
    "loaded_networks": loaded_views, "loaded_loras": loaded_views,
})
