"""Networks that extensions build beside the U-Net with the arguments of `ldm`, and what they replace in the U-Net's parts."""
import importlib
import sys

import pytest
import torch
from torch import nn

from modules import network_parts as parts
from modules.folders import PROGRAM
from modules.nn import attention, unet

EMB = 128


def test_parts_are_built_with_the_arguments_of_ldm():
    x, emb, text = torch.randn(2, 32, 8, 8), torch.randn(2, EMB), torch.randn(2, 7, 24)
    block = unet.TimestepEmbedSequential(
        parts.ResBlock(32, EMB, 0, out_channels=64, dims=2, use_checkpoint=False, use_scale_shift_norm=False),
        parts.SpatialTransformer(64, 4, 16, depth=1, context_dim=24, disable_self_attn=False, use_linear=True, use_checkpoint=False),
        parts.Downsample(64, True, dims=2, out_channels=96))
    assert block(x, emb, text).shape == (2, 96, 4, 4)
    assert parts.Downsample(32, use_conv=False)(x).equal(nn.functional.avg_pool2d(x, 2))
    assert parts.CrossAttention(32, 24, heads=2, dim_head=16, dropout=0.1)(torch.randn(2, 5, 32), text).shape == (2, 5, 32)


def test_a_part_that_these_networks_do_not_have_is_refused():
    with pytest.raises(ValueError):
        parts.ResBlock(32, EMB, 0, use_scale_shift_norm=True)


@pytest.mark.parametrize("name", ["CrossAttention", "FeedForward", "BasicTransformerBlock", "SpatialTransformer"])
def test_parts_of_the_unet_count_as_these(name):
    assert issubclass(getattr(attention, name), getattr(parts, name))


def test_what_is_replaced_on_a_part_is_replaced_in_the_unet():
    running, original = attention.CrossAttention(32), parts.CrossAttention.forward
    try:
        parts.CrossAttention.forward = lambda self, x, context=None, mask=None: x + 1
        assert running(torch.ones(1, 2, 32)).eq(2).all()
    finally:
        parts.CrossAttention.forward = original
    assert attention.CrossAttention.forward is original and "forward" not in vars(parts.CrossAttention)


def test_a_subclass_of_an_extension_is_a_class_of_its_own():
    class Own(parts.CrossAttention):
        """One that only its extension uses."""

    Own.forward = lambda self, x, context=None, mask=None: x
    assert isinstance(Own(32), attention.CrossAttention) and not isinstance(attention.CrossAttention(32), Own)
    assert attention.CrossAttention.forward is not Own.forward


def test_the_inner_forward_of_a_block_can_be_replaced():
    block = attention.BasicTransformerBlock(32, 2, 16, 24)
    block.merging_ratio = 0.5
    block._forward = lambda x, context=None: x * 2
    assert block(torch.ones(1, 4, 32), context=None, size=(2, 2)).eq(2).all()


@pytest.fixture
def packages(monkeypatch):
    """Names of other packages as extensions find them."""
    monkeypatch.syspath_prepend(str(PROGRAM / "modules" / "a1111" / "toplevel"))
    yield lambda name: importlib.import_module(name)
    sys.modules.pop("pkg_resources", None)


def test_installed_packages_are_asked_for_by_their_requirements(packages):
    pkg_resources = packages("pkg_resources")
    assert pkg_resources.get_distribution("numpy>=2").version == pkg_resources.working_set.by_key["numpy"].version
    assert [found.project_name for found in pkg_resources.require(["numpy", "torch"])] == ["numpy", "torch"]
    assert pkg_resources.parse_version("1.10.2") > pkg_resources.parse_version("1.9")
    with pytest.raises(pkg_resources.VersionConflict):
        pkg_resources.require("numpy<1")
    with pytest.raises(pkg_resources.DistributionNotFound):
        pkg_resources.get_distribution("easel-has-no-such-package")


def test_files_beside_a_package_are_found(packages):
    pkg_resources = packages("pkg_resources")
    assert pkg_resources.resource_filename("modules.nn", "unet.py") == str(PROGRAM / "modules" / "nn" / "unet.py")
    assert pkg_resources.resource_exists("modules.nn.unet", "attention.py")
    assert pkg_resources.resource_string("modules.nn", "unet.py").startswith(b'"""The U-Net')
