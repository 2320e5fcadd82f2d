"""What SDXL and its refiner are told beside the text, and when a prompt counts as no prompt."""
import torch
from small_families import SMALL

from modules.nn.families import REFINER, SDXL
from modules.nn.unet import timestep_embedding
from modules.prompt.conditioning import Conditioning
from modules.prompt.picture_facts import PictureFacts, with_facts

FACTS = PictureFacts(width=1024, height=768, crop_top=8, crop_left=16)
TEXT = Conditioning(crossattn=torch.ones(1, 77, 2048), vector=torch.ones(1, 1280))


def embedded(*numbers: float) -> torch.Tensor:
    return torch.cat([timestep_embedding(torch.tensor([number]), 256) for number in numbers], dim=1)


def test_the_base_model_is_told_size_crop_and_target_height_before_width():
    assert torch.equal(FACTS.vector(SDXL), embedded(768, 1024, 8, 16, 768, 1024))


def test_the_refiner_is_told_a_score_that_is_lower_for_the_negative_prompt():
    assert torch.equal(FACTS.vector(REFINER), embedded(768, 1024, 8, 16, 6.0))
    assert torch.equal(FACTS.vector(REFINER, is_negative=True), embedded(768, 1024, 8, 16, 2.5))


def test_the_facts_stand_behind_the_pooled_text():
    cond, = with_facts([TEXT], ["a cube"], FACTS, SDXL)
    assert cond.vector.shape == (1, SDXL.unet.vector_dim) and torch.equal(cond.vector[:, :1280], TEXT.vector)
    assert torch.equal(cond.crossattn, TEXT.crossattn)


def test_a_negative_prompt_that_is_empty_throughout_becomes_zeros():
    cond, = with_facts([TEXT], [""], FACTS, SDXL, is_negative=True)
    assert not cond.crossattn.any() and not cond.vector[:, :1280].any() and torch.equal(cond.vector[:, 1280:], FACTS.vector(SDXL))


def test_one_that_is_empty_for_a_part_of_the_steps_or_a_prompt_stays_text():
    for texts, is_negative in ((["", "blurred"], True), ([""], False)):
        assert all(cond.crossattn.all() for cond in with_facts([TEXT] * len(texts), texts, FACTS, SDXL, is_negative=is_negative))


def test_other_families_are_told_nothing():
    conditions = [TEXT]
    assert with_facts(conditions, ["a cube"], FACTS, SMALL["sd2"]) is conditions
