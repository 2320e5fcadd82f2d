"""Strengths by block of the U-Net: lists, names, and what they do to the changes of a LoRA."""
import pytest

from modules.errors import RequestError
from modules.networks.block_weights import LISTS, NAMED, block_factors, factor_of


@pytest.mark.parametrize("count", LISTS)
def test_numbers_belong_to_the_blocks_of_the_network_in_their_order(count):
    factors = block_factors(",".join(str(number) for number in range(count)))
    assert list(factors.values()) == list(range(count)) and len(factors) == count and next(iter(factors)) == "BASE"
    names = list(factors)
    middle = names.index("M00")
    assert names[1:middle] == sorted(n for n in names if n.startswith("IN"))
    assert names[middle + 1:] == sorted(n for n in names if n.startswith("OUT"))


@pytest.mark.parametrize("block, factor", [
    ("input_blocks.1.1.transformer_blocks.0.attn1.to_q.weight", 1), ("input_blocks.8.0.in_layers.2.weight", 6),
    ("middle_block.1.proj_in.weight", 7), ("output_blocks.3.1.norm.weight", 8), ("output_blocks.11.1.norm.weight", 16),
    ("input_blocks.3.0.op.weight", 2), ("input_blocks.11.0.in_layers.2.weight", 6), ("input_blocks.0.0.weight", 1),
    ("output_blocks.0.0.in_layers.2.weight", 8), ("time_embed.0.weight", 1.0), ("out.2.weight", 1.0)])
def test_a_block_without_a_number_goes_with_its_neighbour(block, factor):
    factors = block_factors(",".join(map(str, range(17))))
    assert factor_of(factors, f"model.diffusion_model.{block}") == factor


def test_names_stand_for_lists():
    assert set(block_factors("none").values()) == {0.0} and set(block_factors("ALL").values()) == {1.0}
    assert all(len(digits) == 17 and block_factors(name)["BASE"] == float(digits[0]) for name, digits in NAMED.items())
    assert [name for name, factor in block_factors("MIDD").items() if not factor] == [
        "IN01", "IN02", "IN04", "OUT07", "OUT08", "OUT09", "OUT10", "OUT11"]


@pytest.mark.parametrize("text", ["", "SOME", "1,2,3", "1,x" + ",1" * 15, "nan nan"])
def test_other_lists_are_refused_with_what_there_is(text):
    with pytest.raises(RequestError, match="12, 17, 20, 26 numbers, or one of NONE, ALL"):
        block_factors(text)
