"""The table of samplers: names as people and programs write them, and a promise of checks that is kept."""
import pytest

from modules.errors import RequestError
from modules.sampling.registry import SAMPLERS, find_sampler, schedule_for, split_sampler_name
from modules.sampling.schedules import SCHEDULES


@pytest.mark.parametrize("text, expected", [
    ("Euler", ("Euler", None)), ("euler A", ("Euler a", None)), ("DPM++ 2M Karras", ("DPM++ 2M", "Karras")),
    ("k_dpmpp_2m_ka", ("DPM++ 2M", "Karras")), ("k_dpmpp_2m_sde_exp", ("DPM++ 2M SDE", "Exponential")),
    ("Euler a Karras", ("Euler a", "Karras")),
    ("dpm++ 2m sde heun exponential", ("DPM++ 2M SDE Heun", "Exponential")), ("DPM++ 2M SDE SGM Uniform", ("DPM++ 2M SDE", "SGM Uniform")),
    ("LMS Karras", ("LMS", "Karras")), ("k_dpm_2_a_ka", ("DPM2 a", "Karras")), ("k_euler_ancestral", ("Euler a", None)),
    ("DDIM CFG++", ("DDIM CFG++", None)), ("ddim", ("DDIM", None)), ("k_lcm", ("LCM", None)), ("k_dpm_ad", ("DPM adaptive", None)),
    ("  DPM++  2M   Karras ", ("DPM++ 2M", "Karras")), ("Euler align_your_steps", ("Euler", "Align Your Steps")),
    ("UniPC Beta", ("UniPC", "Beta")), ("restart", ("Restart", None))])
def test_a_name_is_split_into_sampler_and_schedule(text, expected):
    assert split_sampler_name(text) == expected


def test_every_sampler_with_every_schedule_is_split():
    for sampler in SAMPLERS:
        for schedule in SCHEDULES:
            assert split_sampler_name(f"{sampler.name} {schedule.label}".upper()) == (sampler.name, schedule.label)


def test_every_recorded_name_and_alias_is_known():
    from sampling.gaussian_parts import recorded
    for row in recorded()[0]["samplers"]:
        sampler = find_sampler(row["name"])
        for alias in row["aliases"]:
            # One recorded alias of the plain name says Karras, as that sampler once meant.
            assert find_sampler(alias) is sampler
        assert sampler.brownian == bool(row["options"].get("brownian_noise"))
        assert sampler.discards_next_to_last == bool(row["options"].get("discard_next_to_last_sigma"))
        assert sampler.calls_per_step == row["total_steps_for_20"] // 20
        assert {"s_noise", "s_churn"} & set(sampler.options) == {"s_noise", "s_churn"} & set(row["extra_params"])


@pytest.mark.parametrize("wrong, nearest", [("Eular a", "Euler a"), ("dpm++2m", "DPM++ 2M"), ("uni pc", "UniPC")])
def test_an_unknown_sampler_names_the_valid_ones_nearest_first(wrong, nearest):
    with pytest.raises(RequestError) as refused:
        find_sampler(wrong)
    assert f"Choose one of: {nearest}" in str(refused.value)
    assert all(row.name in str(refused.value) for row in SAMPLERS)
    assert refused.value.field == "sampler_name"


def test_a_name_of_a_megabyte_is_refused_shortly():
    with pytest.raises(RequestError) as refused:
        find_sampler("x" * 1_000_000)
    assert len(str(refused.value)) < 500


def test_automatic_is_the_samplers_own_schedule():
    assert schedule_for(find_sampler("DPM++ 2M"), "Automatic").label == "Karras"
    assert schedule_for(find_sampler("DPM++ 2M SDE"), None).label == "Exponential"
    assert schedule_for(find_sampler("Euler"), "").label == "Uniform"
    assert schedule_for(find_sampler("Euler"), "sgm uniform").label == "SGM Uniform"


@pytest.mark.parametrize("row", [*SAMPLERS, *SCHEDULES], ids=lambda row: getattr(row, "label", row.name))
def test_every_sampler_and_schedule_names_at_least_two_checks(row):
    assert len(set(row.checks)) >= 2


@pytest.mark.parametrize("schedule", [s for s in SCHEDULES if "formula" in s.checks], ids=lambda s: s.label)
def test_a_schedule_that_claims_a_formula_has_one(schedule):
    from sampling.test_schedules import FORMULAS
    assert schedule.label in {*FORMULAS, "KL Optimal", "Automatic"}


def test_names_and_aliases_are_unique():
    names = [key.lower() for row in SAMPLERS for key in {row.name.lower(), *row.aliases}]
    assert len(names) == len(set(names))
