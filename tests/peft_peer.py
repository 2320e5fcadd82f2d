"""The peft package as a second opinion on small networks that change weights."""

import torch
from hidden_torchvision import imported
from torch import nn


def peft():
    """The package."""
    return imported("peft")


def randomly_adapted(network: nn.Module, config):
    """The network (which is used up) with peft's networks of random numbers: weights before, keys of the file, weights after."""
    peer = peft().get_peft_model(network.double(), config)
    with torch.no_grad():
        for name, parameter in peer.named_parameters():
            if parameter.requires_grad:
                # Lengths of vectors are positive.
                parameter.copy_(0.5 * torch.randn(parameter.shape) + (2.0 if "magnitude" in name else 0.0))
    before = {name.removeprefix("base_model.model.").removesuffix(".base_layer"): module.weight.detach().clone()
              for name, module in peer.named_modules() if name.endswith(".base_layer")}
    file = {key: value.clone() for key, value in peft().get_peft_model_state_dict(peer).items()}
    merged = peer.merge_and_unload()
    return before, file, {name: merged.get_submodule(name).weight.detach() for name in before}
