"""What a loaded LoRA is, under the names of A1111's built-in `network`."""
from modules.generation.lora_views import Network, NetworkModule, NetworkOnDisk
