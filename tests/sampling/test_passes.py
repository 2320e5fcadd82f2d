"""Passes: start, settings, second passes, masks, cancellation, and independence of the batch."""
import math

import pytest
import torch
from sampling.gaussian_parts import NormalData, RecordedNetwork, plain_conditions, recorded, recorded_choice, sampled

from modules.errors import RequestError
from modules.generation.noise import NoiseSource
from modules.sampling.options import SamplingOptions
from modules.sampling.passes import SamplingHooks, sample_from_latent, sample_from_noise
from modules.sampling.plan import planned_evaluations
from modules.sampling.registry import SAMPLERS, find_sampler
from modules.sampling.timesteps import sample_ddim_cfgpp

LATENT = torch.sin(torch.arange(2 * 4 * 64.0)).reshape(2, 4, 8, 8)


def second(name, steps=10, strength=0.5, *, network=None, hooks=None, options=None, pictures=2, **more):
    sampler, schedule = recorded_choice(name)
    return sample_from_latent(network or RecordedNetwork(), find_sampler(sampler), schedule, steps,
                              NoiseSource((4, 8, 8), range(1, 1 + pictures)), plain_conditions(pictures), 7.0,
                              options or SamplingOptions(), hooks, init_latent=LATENT[:pictures], denoising_strength=strength, **more)


# The adaptive sampler takes one step size for the whole batch, from its error.
@pytest.mark.parametrize("sampler", [s for s in SAMPLERS if s.name != "DPM adaptive"], ids=lambda s: s.name)
def test_a_picture_is_the_same_alone_and_in_a_batch(sampler):
    together = sampled(sampler.name, 6, seed=11, pictures=3)
    alone = sampled(sampler.name, 6, seed=12, pictures=1)
    torch.testing.assert_close(alone[0], together[1], atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("sampler", SAMPLERS, ids=lambda s: s.name)
def test_watching_a_pass_changes_nothing_and_reports_every_step_in_order(sampler):
    reports = []
    on_step = lambda report: reports.append((report.i, report.estimate("Prompt").shape))
    watched = sampled(sampler.name, 6, hooks=SamplingHooks(on_step=on_step))
    assert torch.equal(watched, sampled(sampler.name, 6))
    assert [i for i, _ in reports] == list(range(len(reports))) and all(shape == (2, 4, 8, 8) for _, shape in reports)


@pytest.mark.parametrize("name", ["Euler", "DPM++ 2M Karras", "DDIM", "UniPC", "LCM"])
def test_all_kinds_of_estimates_are_near_what_the_network_was_told(name):
    last = []
    sampled(name, 20, hooks=SamplingHooks(on_step=last.append))
    mu = torch.tensor(recorded_mean())
    for subject, g in (("Prompt", 1.0), ("Negative prompt", 0.5)):
        assert (last[0].estimate(subject) - g * mu).abs().mean() < 0.25
    assert torch.equal(last[0].estimate("Combined"), last[0].denoised)


def recorded_mean():
    return [[[math.sin(0.7 * c + 0.5 * y + 0.3 * x) for x in range(8)] for y in range(8)] for c in range(4)]


@pytest.mark.parametrize("name, calls", [
    ("Euler", 10), ("Heun", 19), ("DPM2", 19), ("DPM++ SDE", 19), ("DPM++ 2M", 10), ("DDIM", 9), ("PLMS", 10), ("UniPC", 10), ("LCM", 10),
    ("DPM fast", 10), ("Restart", 19)])
def test_planned_evaluations_are_those_that_happen(name, calls):
    network = RecordedNetwork()
    sampled(name, 10, network=network)
    sampler, schedule = recorded_choice(name)
    assert len(network.calls) == calls
    assert planned_evaluations(find_sampler(sampler), schedule, 10, network.alphas_cumprod) == calls


def test_planned_evaluations_of_second_passes_and_of_the_adaptive_sampler():
    alphas = RecordedNetwork().alphas_cumprod
    for name in ("Euler", "Heun", "DDIM", "UniPC", "Restart"):
        network = RecordedNetwork()
        second(name, 40, 0.6, network=network)
        sampler, schedule = recorded_choice(name)
        assert planned_evaluations(find_sampler(sampler), schedule, 40, alphas, denoising_strength=0.6) == len(network.calls)
    assert planned_evaluations(find_sampler("DPM adaptive"), None, 20, alphas) is None


def test_start_is_noise_at_the_first_level_or_with_its_variance():
    starts = []
    hooks = SamplingHooks(on_start=lambda start: starts.append(start.x))
    sampled("Euler", hooks=hooks)
    sampled("Euler", hooks=hooks, sgm_noise_multiplier=True)
    sampled("DDIM", hooks=hooks)
    unit, top = NoiseSource((4, 8, 8), [1, 2]).first(), 14.614643
    for start, scale in zip(starts, (top, math.sqrt(1 + top**2), 1)):
        torch.testing.assert_close(start, unit * scale)


def test_a_second_pass_starts_at_the_level_of_its_strength():
    starts, reports = [], []
    second("Euler", hooks=SamplingHooks(on_start=starts.append, on_step=reports.append))
    levels = torch.tensor(recorded()[1]["sigmas|Euler|10"])
    torch.testing.assert_close(starts[0].sigmas, levels[4:])
    torch.testing.assert_close(starts[0].x, LATENT + NoiseSource((4, 8, 8), [1, 2]).first() * levels[4])
    assert len(reports) == 6 and reports[0].steps == 6


def test_exact_and_given_steps_run_that_many():
    for arguments in ({"exact_steps": True}, {"given_steps": 10}):
        reports = []
        second("Euler", 10, 0.3, hooks=SamplingHooks(on_step=reports.append), **arguments)
        assert len(reports) == 10


def test_a_second_pass_on_timesteps_mixes_latent_and_noise():
    starts = []
    second("DDIM", hooks=SamplingHooks(on_start=starts.append))
    a = RecordedNetwork().alphas_cumprod[501].item()
    assert starts[0].timesteps == [1, 101, 201, 301, 401]
    torch.testing.assert_close(starts[0].x, LATENT * math.sqrt(a) + NoiseSource((4, 8, 8), [1, 2]).first() * math.sqrt(1 - a))


@pytest.mark.parametrize("sampler", SAMPLERS, ids=lambda s: s.name)
@pytest.mark.parametrize("strength", [0.0, 0.02, 0.75, 1.0])
def test_every_sampler_makes_finite_second_passes(sampler, strength):
    if sampler.name == "UniPC" and strength < 0.5:
        with pytest.raises(RequestError, match="UniPC of order 3 needs at least 3 steps, not 0"):
            second(sampler.name, 12, strength)
    else:
        assert torch.isfinite(second(sampler.name, 12, strength)).all()


def test_no_strength_with_exact_steps_gives_the_picture_back():
    assert torch.equal(second("Euler", 10, 0.0, exact_steps=True), LATENT)


@pytest.mark.parametrize("name, scale", [("Euler", 1.0), ("DDIM", math.sqrt(RecordedNetwork().alphas_cumprod[501].item()))])
def test_extra_noise_is_added_to_the_start_and_a_hook_may_replace_it(name, scale):
    starts = []
    hooks = SamplingHooks(on_start=lambda start: starts.append(start.x),
                          on_extra_noise=lambda event: setattr(event, "noise", event.noise * 2))
    second(name, hooks=SamplingHooks(on_start=hooks.on_start))
    second(name, hooks=hooks, options=SamplingOptions(img2img_extra_noise=0.1))
    unit = NoiseSource((4, 8, 8), [1, 2]).first()
    torch.testing.assert_close(starts[1] - starts[0], unit * (0.2 * scale), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("name", ["Euler", "DDIM", "Heun", "LCM", "UniPC"])
def test_what_a_mask_keeps_is_the_original_to_the_bit(name):
    mask = torch.zeros(1, 1, 8, 8)
    mask[..., 4:] = 1
    got = second(name, mask=mask)
    assert torch.equal(got[..., :4], LATENT[..., :4]) and not torch.equal(got[..., 4:], LATENT[..., 4:])


def test_a_mask_blend_may_be_replaced():
    blends = []
    second("Euler", mask=torch.zeros(1, 1, 8, 8), hooks=SamplingHooks(on_mask_blend=lambda event: blends.append(event.level)))
    assert len(blends) == 7 and blends[-1] is None


@pytest.mark.parametrize("name", ["DPM fast", "DPM adaptive"])
def test_samplers_that_choose_their_steps_go_down_to_the_models_level(name):
    reports = []
    sampled(name, 1, hooks=SamplingHooks(on_step=reports.append))
    assert reports[-1].sigma < 15


def test_a_free_list_and_a_scripts_schedule_replace_the_schedule():
    for options in ({"sigmas": (9.0, 4.0, 1.0, 0.0)}, {"schedule_override": lambda steps: torch.tensor([9.0, 4.0, 1.0, 0.0])}):
        starts = []
        sampled("Euler", 20, hooks=SamplingHooks(on_start=starts.append), **options)
        assert starts[0].sigmas.tolist() == [9.0, 4.0, 1.0, 0.0] and starts[0].steps == 3


@pytest.mark.parametrize("name, steps, options, sentence", [
    ("UniPC", 2, {}, "UniPC of order 3 needs at least 3 steps, not 2. Take more steps or a higher denoising strength, or lower"),
    ("Euler", 0, {}, "Euler needs at least 1 step, not 0."),
    ("Euler", 5, {"sigmas": (3.0, 4.0, 0.0)}, "does not fall: entry 2 is 4 after 3"),
    ("DDIM", 5, {"sigmas": (3.0, 1.0, 0.0)}, "DDIM works on timesteps and takes no sigma list."),
    ("DDIM", 1001, {}, "This sampler knows 1 to 1000 steps, not 1001."),
    ("Euler Karras", 5, {"sigma_min": 3.0, "sigma_max": 2.0}, "Sigma min 3 is not below sigma max 2.")])
def test_what_cannot_be_sampled_is_refused_with_one_sentence(name, steps, options, sentence):
    with pytest.raises(RequestError) as refused:
        sampled(name, steps, **options)
    assert sentence in str(refused.value)


def test_cancelling_stops_before_the_next_network_call():
    class Stop(BaseException):
        pass

    network, reports = RecordedNetwork(), []

    def check():
        if len(network.calls) == 3:
            raise Stop

    with pytest.raises(Stop):
        sampled("Heun", 10, network=network, hooks=SamplingHooks(check=check, on_step=reports.append))
    assert len(network.calls) == 3 and len(reports) == 2


def test_cfgpp_follows_the_formula_of_the_paper():
    """x' = sqrt(a') x0(guided) + sqrt(1-a') eps(unguided), guided = u + lambda (c - u), lambda = cfg / 12.5."""
    network = RecordedNetwork()
    alphas, steps = network.alphas_cumprod, 5
    x = NoiseSource((4, 8, 8), [1]).first()
    conditions = plain_conditions(1).at(0)
    for t, t_next in ((801, 601), (601, 401), (401, 201), (201, 1)):
        a, a_next = alphas[t], alphas[t_next]
        c, u = (network.apply_model(x, torch.tensor([float(t)]), cond) for cond in (conditions.cond, conditions.uncond))
        x = a_next.sqrt() * (x - (1 - a).sqrt() * (u + 0.56 * (c - u))) / a.sqrt() + (1 - a_next).sqrt() * u
    torch.testing.assert_close(sampled("DDIM CFG++", steps, 1, 1), x, atol=1e-4, rtol=1e-4)


def test_cfgpp_with_equal_predictions_is_ddim():
    data, alphas = NormalData(), RecordedNetwork().alphas_cumprod
    latest = []
    predict = lambda x, t: latest.append(data.eps(alphas, x, t)) or latest[-1]
    x, noise = torch.randn(1, 4, 8, 8, dtype=torch.float64), lambda t, t_next: torch.zeros(())
    got = sample_ddim_cfgpp(predict, x, [1, 201, 401], alphas, noise=noise, last_unguided=lambda: latest[-1])
    torch.testing.assert_close(got, find_sampler("DDIM").function(predict, x, [1, 201, 401], alphas, noise=noise))


def test_a_list_of_levels_may_stand_in_place_of_a_schedules_name():
    starts = []
    arguments = (5, NoiseSource((4, 8, 8), [1]), plain_conditions(1), 7.0)
    sample_from_noise(RecordedNetwork(), find_sampler("DPM2"), "9, 4, 1", *arguments, hooks=SamplingHooks(on_start=starts.append))
    assert starts[0].sigmas.tolist() == [9.0, 4.0, 1.0, 0.0]
    with pytest.raises(RequestError, match="DDIM works on timesteps"):
        sample_from_noise(RecordedNetwork(), find_sampler("DDIM"), "9, 4, 1", *arguments)


def test_a_network_that_fails_ends_the_adaptive_sampler():
    class Network(RecordedNetwork):
        def apply_model(self, x, t, cond):
            return super().apply_model(x, t, cond) * float("nan")

    assert sampled("DPM adaptive", network=Network()).isnan().all()


def test_a_negative_seed_has_a_path_too():
    assert torch.isfinite(sampled("DPM++ SDE", 4, seed=-5)).all()


def test_start_noise_may_be_given():
    start = torch.ones(2, 4, 8, 8)
    starts = []
    sample_from_noise(RecordedNetwork(), find_sampler("Euler"), "Karras", 3, NoiseSource((4, 8, 8), [1, 2]), plain_conditions(2), 7.0,
                      hooks=SamplingHooks(on_start=lambda begin: starts.append(begin.x)), start=start)
    torch.testing.assert_close(starts[0], start * 14.614643)


def test_zero_terminal_snr_and_quantised_timesteps_reach_the_network():
    seen = []

    class Network(RecordedNetwork):
        def apply_model(self, x, t, cond):
            seen.append(t[0].item())
            return super().apply_model(x, t, cond)

    sampled("Euler Karras", 4, network=Network(), enable_quantization=True)
    assert all(t == int(t) for t in seen)
    starts = []
    sampled("Euler", 4, hooks=SamplingHooks(on_start=starts.append), sd_noise_schedule="Zero Terminal SNR")
    assert starts[0].sigmas[0].item() > 4000


def test_the_path_of_a_whole_batch_is_an_option_for_old_pictures():
    old = sampled("DPM++ SDE", 5, no_dpmpp_sde_batch_determinism=True)
    assert torch.equal(old, sampled("DPM++ SDE", 5, no_dpmpp_sde_batch_determinism=True))
    assert not torch.allclose(old, sampled("DPM++ SDE", 5))


@pytest.mark.parametrize("channels, rows", [(None, 2), (5, 2), (4, 3)])
def test_the_second_scale_acts_on_instruction_models_alone(channels, rows):
    seen = []

    class Network(RecordedNetwork):
        def apply_model(self, x, t, cond):
            seen.append(len(x))
            return super().apply_model(x, t, cond)

    image = None if channels is None else torch.zeros(1, channels, 8, 8)
    sample_from_noise(Network(), find_sampler("Euler"), None, 2, NoiseSource((4, 8, 8), [1]), plain_conditions(1), 7.0,
                      SamplingOptions(image_cfg_scale=1.5), image_cond=image)
    assert seen == [rows, rows]


class OnDevice(torch.Tensor):
    """A latent that may not be read back, as one on a busy device should not be."""

    waiting = {torch.Tensor.item, torch.Tensor.tolist, torch.Tensor.__bool__, torch.Tensor.__float__, torch.Tensor.__int__,
               torch.Tensor.cpu, torch.Tensor.numpy, torch.Tensor.nonzero}

    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        if func in cls.waiting and isinstance(args[0], OnDevice):
            raise AssertionError(f"{func.__name__} waits for the device")
        return super().__torch_function__(func, types, args, kwargs or {})


class DeviceNoise(NoiseSource):
    """Noise that may not be read back."""

    def first(self):
        return super().first().as_subclass(OnDevice)

    def next(self):
        return super().next().as_subclass(OnDevice)


@pytest.mark.parametrize("sampler", [s for s in SAMPLERS if s.name != "DPM adaptive"], ids=lambda s: s.name)
def test_no_sampler_waits_for_the_device(sampler):
    noise, reports = DeviceNoise((4, 8, 8), [1, 2]), []
    got = sample_from_noise(RecordedNetwork(), sampler, None, 24, noise, plain_conditions(2), 7.0,
                            SamplingOptions(s_churn=2.0, s_min_uncond=1.0), SamplingHooks(on_step=reports.append))
    assert isinstance(got, OnDevice) and isinstance(reports[3].estimate("Prompt"), OnDevice)


def test_the_check_for_waiting_works():
    with pytest.raises(AssertionError, match="item waits for the device"):
        torch.ones(1).as_subclass(OnDevice).item()
