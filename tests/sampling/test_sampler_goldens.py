"""Every recorded latent, trajectory and noise schedule comes out again."""
import numpy as np
import pytest
from sampling.gaussian_parts import RecordedNetwork, plain_conditions, recorded, recorded_choice, sampled

from modules.generation.noise import NoiseSource
from modules.sampling.options import SamplingOptions
from modules.sampling.passes import SamplingHooks, second_pass_steps
from modules.sampling.registry import SAMPLERS, find_sampler
from modules.sampling.schedules import discrete_timesteps

FACTS, ARRAYS = recorded()
VARIANTS = {(name, tag): settings for name, tag, settings in FACTS["variants"]}


def keys(prefix: str) -> list[str]:
    return [key for key in ARRAYS if key.startswith(prefix + "|")]


def tolerance(name: str) -> float:
    """Step sizes of the adaptive sampler are chosen at run time, so that its last digits wander."""
    return 0.2 if name == "DPM adaptive" else 1e-3


def sigmas_of(name: str, steps: int, **options):
    """The levels that a pass would walk."""
    sampler, schedule = recorded_choice(name)
    seen = []
    hooks = SamplingHooks(on_start=lambda start: seen.append(start.sigmas))
    from modules.sampling.passes import sample_from_noise
    sample_from_noise(RecordedNetwork(), find_sampler(sampler), schedule, steps, NoiseSource((4, 8, 8), [1]), plain_conditions(1), 1.0,
                      SamplingOptions(**options), hooks)
    return seen[0].numpy()


@pytest.mark.parametrize("key", keys("sigmas"))
def test_levels_of_a_sampler_equal_the_recorded_ones(key):
    _, name, steps = key.split("|")
    np.testing.assert_allclose(sigmas_of(name, int(steps)), ARRAYS[key], rtol=1e-4)


SETTINGS = {"sched": {}, "sched_discard": {}, "sched_oldkarras": {"use_old_karras_scheduler_sigmas": True},
            "sched_min0.2_max8_rho3": {"sigma_min": 0.2, "sigma_max": 8.0, "rho": 3.0}}


@pytest.mark.parametrize("key", [key for prefix in SETTINGS for key in keys(prefix)])
def test_levels_of_a_schedule_follow_the_settings(key):
    prefix, schedule, steps = key.split("|")
    sampler = "DPM++ 3M SDE" if prefix == "sched_discard" else "Euler"
    schedule = "Uniform" if schedule == "Automatic" else schedule
    np.testing.assert_allclose(sigmas_of(f"{sampler} {schedule}", int(steps), **SETTINGS[prefix]), ARRAYS[key], rtol=1e-4)


@pytest.mark.parametrize("name", ["Euler", "DPM++ 2M Karras", "DPM2 Karras"])
def test_discarding_the_next_to_last_level_does_it_once(name):
    got = sigmas_of(name, 10, always_discard_next_to_last_sigma=True)
    np.testing.assert_allclose(got, ARRAYS[f"always_discard|{name}|10"], rtol=1e-4)


@pytest.mark.parametrize("key", keys("timesteps"))
def test_timesteps_equal_the_recorded_ones(key):
    assert discrete_timesteps(int(key.split("|")[2])) == ARRAYS[key].tolist()


def test_discarding_makes_the_grid_of_timesteps_finer():
    assert discrete_timesteps(11) == ARRAYS["always_discard|DDIM|10"].tolist()


@pytest.mark.parametrize("key", keys("analytic"))
def test_latents_equal_the_recorded_ones(key):
    _, name, steps, seed, batch = key.split("|")
    got = sampled(name, int(steps.removeprefix("steps")), int(seed.removeprefix("seed")), int(batch.removeprefix("batch")))
    np.testing.assert_allclose(got.numpy(), ARRAYS[key], atol=tolerance(name), rtol=0)


@pytest.mark.parametrize("key", keys("analytic_var"))
def test_user_parameters_act_as_recorded(key):
    _, name, tag = key.split("|")[:3]
    settings = dict(VARIANTS[name, tag])
    options = {**settings.pop("option overrides", {}), **settings}
    if tag == "nodet":
        assert options == {"no_dpmpp_sde_batch_determinism": False}
    named = {"cfg_scale": "cfg_scale", "randn_source": "source", "eta_noise_seed_delta": "ensd"}
    got = sampled(name, 8, 1, 2, **{named.get(option, option): value for option, value in options.items()})
    np.testing.assert_allclose(got.numpy(), ARRAYS[key], atol=tolerance(name), rtol=0)


@pytest.mark.parametrize("key", keys("analytic_traj_x"))
def test_every_step_on_the_way_equals_the_recorded_one(key):
    _, name = key.split("|")[:2]
    reports = []
    sampled(name, 6, 1, 1, hooks=SamplingHooks(on_step=reports.append))
    bound = tolerance(name)
    np.testing.assert_allclose(np.stack([r.x[0].numpy() for r in reports]), ARRAYS[key], atol=bound, rtol=0)
    denoised = ARRAYS.get(key.replace("traj_x", "traj_denoised"))
    if denoised is not None:
        np.testing.assert_allclose(np.stack([r.denoised[0].numpy() for r in reports]), denoised, atol=bound, rtol=0)
    # The recording has no levels for timesteps, and for Restart those after the step.
    if name != "Restart" and find_sampler(recorded_choice(name)[0]).kind != "timestep":
        np.testing.assert_allclose([r.sigma for r in reports], ARRAYS[key.replace("traj_x", "traj_sigma")], rtol=1e-3)


@pytest.mark.parametrize("exact, steps, strength, given, expected", FACTS["img2img_steps"]["rows"])
def test_steps_of_a_second_pass_equal_the_recorded_table(exact, steps, strength, given, expected):
    plan = second_pass_steps(steps, strength, exact_steps=exact, given_steps=given)
    assert [plan.schedule_steps, plan.encode_steps] == expected


@pytest.mark.parametrize("sampler", [s for s in SAMPLERS if "golden" in s.checks], ids=lambda s: s.name)
def test_a_sampler_that_claims_goldens_has_latents_and_a_trajectory(sampler):
    names = {recorded_choice(key.split("|")[1])[0] for key in keys("analytic") + keys("analytic_traj_x")}
    assert sampler.name in names
