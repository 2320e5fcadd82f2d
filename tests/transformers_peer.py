"""The transformers package as a second opinion on our text encoder."""
from hidden_torchvision import imported


def transformers():
    """The package."""
    return imported("transformers", "CLIPTextModel", "CLIPTextConfig")
