"""The older name of `networks`."""
from networks import (
    list_available_networks,
    load_network,
    load_networks,
    network_apply_weights,
)

from modules._live import live

load_loras, list_available_loras, load_lora = load_networks, list_available_networks, load_network
lora_apply_weights = network_apply_weights

live(__name__, homes={name: f"networks:{name}" for name in (
    "available_loras", "available_networks", "available_network_aliases", "available_network_hash_lookup", "loaded_loras",
    "loaded_networks", "forbidden_network_aliases", "networks_in_memory")})
