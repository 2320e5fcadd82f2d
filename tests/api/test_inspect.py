"""POST /internal/inspect: what both prompts mean, what is unknown in them, and the planned evaluations."""
import time

import pytest


def inspect(client, tab="txt2img", **values) -> dict:
    answer = client.post("/internal/inspect", json={"values": values, "tab": tab})
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_tokens_weights_and_schedule_are_told_by_part(client):
    prompt = inspect(client, prompt="a (red:1.5) [cat:dog:0.5] AND sky :0.5", steps=10)["prompts"][0]
    first, second = prompt["parts"]
    assert [variant["until_step"] for variant in first["variants"]] == [5, 10] and second["weight"] == 0.5
    assert [[token[0].strip(), token[1]] for token in first["variants"][1]["chunks"][0]] == [["a", 1.0], ["red", 1.5], ["dog", 1.0]]
    assert prompt["token_count"] == 3 and prompt["limit"] == 75 and not prompt["notes"] and not prompt["unmatched"]


def test_what_is_unknown_is_named(client):
    notes = inspect(client, prompt="a cat <lora:nobody:1> <strange:x:1> __nowhere__")["prompts"][0]["notes"]
    text = " ".join(notes)
    assert 'There is no LoRA "nobody"' in text and "<strange:" in text and "no wildcard file for __nowhere__" in text


def test_a_bracket_without_partner_is_shown_where_it_stands(client):
    assert inspect(client, prompt="a (cat on a mat")["prompts"][0]["unmatched"] == [{"before": "a ", "sign": "(", "after": "cat on a mat"}]


def test_the_negative_prompt_is_one_part_and_knows_no_networks(client):
    negative = inspect(client, negative_prompt="blurry AND dark <lora:x:1>")["prompts"][1]
    assert len(negative["parts"]) == 1 and "read as words" in negative["notes"][0]


@pytest.mark.parametrize("values, evaluations", [
    ({}, 40), ({"cfg_scale": 1}, 20), ({"prompt": "a AND b"}, 60), ({"n_iter": 2, "batch_size": 3}, 240),
    ({"sampler_name": "Heun"}, 78), ({"sampler_name": "DPM adaptive"}, None),
    ({"enable_hr": True, "denoising_strength": 0.5, "hr_second_pass_steps": 10}, 60),
    ({"enable_hr": True, "denoising_strength": 0.5, "hr_second_pass_steps": 10, "hr_sampler_name": "heun karras"}, 78),
    ({"enable_hr": True, "denoising_strength": 0}, 40)])
def test_evaluations_of_the_whole_job_are_planned(client, values, evaluations):
    request = {"prompt": "a", "sampler_name": "Euler", "steps": 20, "cfg_scale": 7, **values}
    assert inspect(client, **request)["cost"]["evaluations"] == evaluations


@pytest.mark.parametrize("strength, evaluations", [(0.75, 32), (0.5, 22), (1, 40)])
def test_a_picture_to_begin_with_saves_steps(client, strength, evaluations):
    answer = inspect(client, "img2img", prompt="a", sampler_name="Euler", steps=20, cfg_scale=7, denoising_strength=strength)
    assert answer["cost"]["evaluations"] == evaluations


def test_values_that_make_no_job_are_explained_beside_the_prompts(client):
    answer = inspect(client, prompt="a", sampler_name="Nobody's")
    assert "Nobody" in answer["cost"]["sentences"][0] and answer["prompts"][0]["token_count"] == 1
    assert client.post("/internal/inspect", json={"values": {"steps": "many"}}).status_code == 422


@pytest.mark.parametrize("values", [{"enable_hr": True, "hr_sampler_name": "Nobody's"}, {"refiner_checkpoint": "Nobody's"}])
def test_further_passes_that_cannot_be_are_explained_as_the_job_would(client, values):
    assert "Nobody" in inspect(client, prompt="a", sampler_name="Euler", **values)["cost"]["sentences"][0]


def test_hostile_prompts_are_answered_soon(client):
    began = time.monotonic()
    for prompt in ("[a:b:1]" * 2000, "(" * 20_000, "[" * 20_000 + ":" * 10, "a|" * 10_000, "{a|" * 5000):
        inspect(client, prompt=prompt[:20_000], steps=1000)
    inspect(client, prompt=" ".join(f"[w{i}:v{i}:{i}]" for i in range(1, 400)), steps=1000)
    assert time.monotonic() - began < 30
    assert client.post("/internal/inspect", json={"values": {"prompt": "a" * 20_001}}).status_code == 422
