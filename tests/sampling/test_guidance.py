"""Guidance: the formula, what is left out, in how many network calls, and what hooks see."""
import pytest
import torch
from sampling.gaussian_parts import RecordedNetwork, held, plain_conditions, text

from modules.prompt.conditioning import BatchConditions, ComposedCond, Conditioning, StepConditions
from modules.sampling.denoiser import NoiseLevels, inner_denoiser
from modules.sampling.guidance import (
    GuidanceHooks,
    GuidanceOptions,
    GuidedDenoiser,
    LatentMask,
    ModelSwitch,
    combined,
)

X = torch.randn(2, 4, 8, 8, generator=torch.Generator().manual_seed(0))


def composed(*parts):
    return ComposedCond(parts=tuple((held((1000, text(g))), weight) for g, weight in parts))


def guided(network=None, conditions=None, cfg_scale=7.0, options=None, hooks=None, **more) -> GuidedDenoiser:
    levels = NoiseLevels(RecordedNetwork().alphas_cumprod)
    return GuidedDenoiser(
        make_inner=lambda model: inner_denoiser(model, levels, "sigma"), model=network or RecordedNetwork(),
        conditions=conditions or plain_conditions(2), cfg_scale=cfg_scale, total_calls=more.pop("total_calls", 10),
        options=options or GuidanceOptions(), hooks=hooks or GuidanceHooks(), **more)


def level(sigma: float, rows: int = 2) -> torch.Tensor:
    return torch.full((rows,), sigma)


def alone(g: float, sigma: float, x=X) -> torch.Tensor:
    """The estimate for one text."""
    return guided().inner(x, level(sigma, len(x)), Conditioning(crossattn=torch.full((len(x), 77, 1), g)))


def test_guidance_moves_from_the_negative_prompt_through_the_prompt():
    expected = alone(0.5, 3.0) + 7 * (alone(1.0, 3.0) - alone(0.5, 3.0))
    torch.testing.assert_close(guided()(X, level(3.0)), expected, atol=1e-4, rtol=1e-4)


def test_composed_prompts_add_up_by_weight_and_pictures_may_differ():
    conditions = BatchConditions(positive=(composed((1.0, 1.3), (0.2, -0.4)), composed((0.7, 1.0))), negative=(held((9, text(0.5))),) * 2)
    got = guided(conditions=conditions, cfg_scale=5.0)(X, level(3.0))
    u, a, b, c = (alone(g, 3.0) for g in (0.5, 1.0, 0.2, 0.7))
    torch.testing.assert_close(got[0], (u + 5 * (1.3 * (a - u) - 0.4 * (b - u)))[0], atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(got[1], (u + 5 * (c - u))[1], atol=1e-4, rtol=1e-4)


def test_the_short_formula_equals_the_long_one():
    out, owners = torch.randn(4, 4, 3, 3), (((0, 0.8),), ((1, 0.8),))
    now = StepConditions(cond=text(1.0), uncond=text(1.0), owners=owners)
    by_hand = out[2:] + (out[:2] - out[2:]) * (0.8 * 3)
    torch.testing.assert_close(combined(out, now, 3.0), by_hand)
    other = StepConditions(cond=text(1.0), uncond=text(1.0), owners=(((0, 0.8),), ((1, 0.5),)))
    torch.testing.assert_close(combined(out, other, 3.0)[0], by_hand[0])


@pytest.mark.parametrize("options, tokens, expected", [
    ({}, (77, 77), [(4, 77)]), ({}, (154, 77), [(2, 154), (2, 77)]), ({"pad_cond_uncond": True}, (154, 77), [(4, 154)]),
    ({"pad_cond_uncond": True}, (77, 231), [(4, 231)]), ({"batch_cond_uncond": False}, (77, 77), [(2, 77), (2, 77)])])
def test_network_calls_are_as_few_as_the_texts_allow(options, tokens, expected):
    network = RecordedNetwork()
    guided(network, plain_conditions(2, tokens=tokens), options=GuidanceOptions(**options))(X, level(3.0))
    assert network.calls == expected


@pytest.mark.parametrize("options", [{"pad_cond_uncond": True}, {"batch_cond_uncond": False}, {}])
def test_batching_and_padding_change_nothing(options):
    got = guided(conditions=plain_conditions(2, tokens=(154, 77)), options=GuidanceOptions(**options))(X, level(3.0))
    torch.testing.assert_close(got, guided()(X, level(3.0)), atol=1e-5, rtol=1e-5)


def test_padding_takes_the_empty_prompt_where_it_is_known():
    seen = []

    class Network(RecordedNetwork):
        def apply_model(self, x, t, cond):
            seen.append(cond.crossattn)
            return super().apply_model(x, t, cond)

    empty = torch.full((1, 77, 1), 0.25)
    guided(Network(), plain_conditions(2, tokens=(154, 77)), options=GuidanceOptions(pad_cond_uncond=True, padding=empty))(X, level(3.0))
    assert (seen[0][:2, 77:] == 1.0).all() and (seen[0][2:, 77:] == 0.25).all()


def test_scale_one_takes_one_evaluation_of_the_prompt_alone():
    network = RecordedNetwork()
    got = guided(network, cfg_scale=1.0)(X, level(3.0))
    assert network.calls == [(2, 77)]
    torch.testing.assert_close(got, alone(1.0, 3.0), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("hooks, options, conditions", [
    (GuidanceHooks(after_denoise=lambda answer: None), GuidanceOptions(), None),
    (GuidanceHooks(), GuidanceOptions(needs_uncond=True), None),
    (GuidanceHooks(), GuidanceOptions(), BatchConditions(positive=(composed((1.0, 1.3)),) * 2, negative=(held((9, text(0.5))),) * 2))])
def test_scale_one_keeps_the_negative_prompt_where_it_matters(hooks, options, conditions):
    network = RecordedNetwork()
    guided(network, conditions, 1.0, options, hooks)(X, level(3.0))
    assert network.calls == [(4, 77)]


def test_below_the_minimum_sigma_every_second_call_goes_without_negative_prompt():
    network = RecordedNetwork()
    denoise = guided(network, options=GuidanceOptions(s_min_uncond=4.0))
    for sigma in (9.0, 8.0, 3.0, 2.0, 1.0, 0.5):
        out = denoise(X, level(sigma))
    assert [rows for rows, _ in network.calls] == [4, 4, 4, 2, 4, 2]
    torch.testing.assert_close(out, alone(1.0, 0.5), atol=1e-5, rtol=1e-5)


def test_the_first_steps_may_go_without_negative_prompt():
    network = RecordedNetwork()
    denoise = guided(network, options=GuidanceOptions(skip_early_cond=0.2))
    for _ in range(5):
        denoise(X, level(3.0))
    assert [rows for rows, _ in network.calls] == [2, 2, 2, 4, 4]


def test_without_negative_prompt_the_first_part_takes_its_place():
    conditions = BatchConditions(positive=(composed((1.0, 1.3), (0.2, -0.4)),) * 2, negative=(held((9, text(0.5))),) * 2)
    got = guided(conditions=conditions, options=GuidanceOptions(skip_early_cond=0.5))(X, level(3.0))
    a, b = alone(1.0, 3.0), alone(0.2, 3.0)
    torch.testing.assert_close(got, a - 0.4 * (b - a), atol=1e-4, rtol=1e-4)


def test_both_calls_of_a_step_see_the_prompt_of_that_step():
    seen = []

    class Network(RecordedNetwork):
        def apply_model(self, x, t, cond):
            seen.append(cond.crossattn[0, 0, 0].item())
            return super().apply_model(x, t, cond)

    prompt = ComposedCond(parts=((held((0, text(0.1)), (3, text(0.2))), 1.0),))
    edited = BatchConditions(positive=(prompt,), negative=(held((9, text(0.5))),))
    for per_call, expected in ((False, [0.1, 0.1, 0.2, 0.2]), (True, [0.1, 0.2, 0.2, 0.2])):
        seen.clear()
        denoise = guided(Network(), edited, calls_per_step=2, conditions_per_call=per_call)
        for _ in range(4):
            denoise(X[:1], level(3.0, 1))
        assert seen == pytest.approx(expected)


def test_hooks_see_and_replace_what_passes_at_all_three_places():
    calls = []

    def before(call):
        calls.append(("before", call.x.shape, call.level.shape, call.cond.crossattn.shape, len(call.uncond), call.step, call.steps))
        call.x = torch.zeros_like(call.x)

    def after(answer):
        calls.append(("after", answer.out.shape))
        answer.out = answer.out + 1

    def finish(event):
        calls.append(("combined", event.x.shape))
        event.x = event.x * 0 + 5

    denoise = guided(hooks=GuidanceHooks(before_denoise=before, after_denoise=after, after_combine=finish))
    assert (denoise(X, level(3.0)) == 5).all()
    assert calls == [("before", (4, 4, 8, 8), (4,), (2, 77, 1), 2, 0, 10), ("after", (4, 4, 8, 8)), ("combined", (2, 4, 8, 8))]
    torch.testing.assert_close(denoise.last.cond, alone(1.0, 3.0, torch.zeros_like(X)), atol=1e-5, rtol=1e-5)


def test_the_formula_itself_may_be_replaced():
    hooks = GuidanceHooks(combine=lambda out, now, scale: out[:2] * scale)
    torch.testing.assert_close(guided(hooks=hooks)(X, level(3.0)), 7 * alone(1.0, 3.0), atol=1e-4, rtol=1e-4)


def test_cancellation_is_checked_before_every_network_call():
    class Stop(BaseException):
        pass

    network, checks = RecordedNetwork(), []

    def check():
        checks.append(len(network.calls))
        if len(network.calls) == 1:
            raise Stop

    with pytest.raises(Stop):
        guided(network, plain_conditions(2, tokens=(154, 77)), hooks=GuidanceHooks(check=check))(X, level(3.0))
    assert len(network.calls) == 1


def test_another_model_takes_over_at_the_step_it_is_asked_for():
    first, second = RecordedNetwork(), RecordedNetwork()
    handover = ModelSwitch(second, plain_conditions(2, prompt=0.3))
    switch = lambda step, steps: handover if step == 2 else None
    denoise = guided(first, hooks=GuidanceHooks(switch=switch))
    for _ in range(4):
        out = denoise(X, level(3.0))
    assert (len(first.calls), len(second.calls)) == (2, 2)
    torch.testing.assert_close(out, alone(0.5, 3.0) + 7 * (alone(0.3, 3.0) - alone(0.5, 3.0)), atol=1e-4, rtol=1e-4)


def test_a_mask_keeps_the_original_in_the_answer_or_in_the_input():
    keep = torch.zeros(1, 1, 8, 8)
    keep[..., :4] = 1
    original = torch.full((2, 4, 8, 8), 9.0)
    got = guided(mask=LatentMask(original=original, keep=keep))(X, level(3.0))
    assert (got[..., :4] == 9).all()
    torch.testing.assert_close(got[..., 4:], guided()(X, level(3.0))[..., 4:])
    inputs = []
    hooks = GuidanceHooks(before_denoise=lambda call: inputs.append(call.x))
    guided(mask=LatentMask(original=original, keep=keep, on_input=True), hooks=hooks)(X, level(3.0))
    assert (inputs[0][..., :4] == 9).all() and torch.equal(inputs[0][:2, ..., 4:], X[..., 4:])


def test_extra_channels_follow_the_rows_and_instruction_models_get_three_groups():
    seen = []

    class Network(RecordedNetwork):
        def apply_model(self, x, t, cond):
            seen.append((cond.crossattn[:, 0, 0].tolist(), cond.concat[:, 0, 0, 0].tolist()))
            return super().apply_model(x, t, cond) * (1 + cond.concat[:, :1, :1, :1])

    image = torch.full((1, 5, 8, 8), 2.0)
    guided(Network(), image_cond=image)(X, level(3.0))
    assert seen == [([1.0, 1.0, 0.5, 0.5], [2.0] * 4)]
    seen.clear()
    got = guided(Network(), image_cond=image, options=GuidanceOptions(image_cfg_scale=1.5))(X, level(3.0))
    assert seen == [([1.0, 1.0, 0.5, 0.5, 0.5, 0.5], [2.0] * 4 + [0.0] * 2)]

    def estimate(g, pixel):
        cond = Conditioning(crossattn=torch.full((2, 77, 1), g), concat=torch.full((2, 5, 8, 8), pixel))
        return guided(Network()).inner(X, level(3.0), cond)

    both, image_only, neither = estimate(1.0, 2.0), estimate(0.5, 2.0), estimate(0.5, 0.0)
    torch.testing.assert_close(got, neither + 7 * (both - image_only) + 1.5 * (image_only - neither), atol=1e-3, rtol=1e-3)


def test_texts_that_do_not_change_are_not_put_together_again():
    conditions, asked = plain_conditions(2), []

    class Counted(BatchConditions):
        def at(self, step):
            asked.append(step)
            return super().at(step)

    denoise = guided(conditions=Counted(positive=conditions.positive, negative=conditions.negative))
    for _ in range(5):
        denoise(X, level(3.0))
    assert asked == [0]
