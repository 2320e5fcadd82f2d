"""What the property tests of this folder need."""
import pytest
import torch


@pytest.fixture(autouse=True)
def small_numbers_stay_what_they_are() -> None:
    """Libraries loaded by other tests switch the processor to a mode without subnormal numbers, in which hypothesis refuses to work."""
    torch.set_flush_denormal(False)
