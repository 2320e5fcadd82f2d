"""<lora:...> in prompts under the names of A1111's built-in `extra_networks_lora`."""
from modules.generation.lora_network import LoraNetwork as ExtraNetworkLora
