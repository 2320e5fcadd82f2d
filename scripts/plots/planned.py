"""What a plot will cost before it is made: pictures, evaluations of the network, and time."""
import itertools
from collections import Counter
from dataclasses import dataclass, field

from modules import errors, extra_networks, runtime
from modules.generation.hires import hires_size
from modules.generation.planned_cost import planned_cost
from modules.generation.shared_passes import evaluation_keys, pass_key
from scripts.plots.axes import PROMPTS

# What the cost of a cell depends on beside its prompts and settings.
COUNTED = ("steps", "sampler_name", "scheduler", "cfg_scale", "n_iter", "batch_size", "width", "height", "denoising_strength", "enable_hr",
           "hr_scale", "hr_resize_x", "hr_resize_y", "hr_sampler_name", "hr_scheduler", "hr_second_pass_steps", "hr_cfg", "hr_upscaler",
           "hr_checkpoint_name", "refiner_checkpoint", "refiner_switch_at", "s_min_uncond", "resize_mode")


@dataclass
class PlotCost:
    """`evaluations` is None where a sampler chooses its steps while it runs; `work` counts them by the pixels of their pass."""

    cells: int = 0
    pictures: int = 0
    evaluations: int | None = 0
    work: int = 0
    is_upper_bound: bool = False
    failing: dict = field(default_factory=dict)
    uses: Counter = field(default_factory=Counter)  # evaluations by their keys


def plot_cost(plot):
    """The cost of the wanted cells of `plot`. First passes and evaluations that cells share count once."""
    rt, cost, known, made, wanted = runtime.current(), PlotCost(), {}, set(), set(plot.wanted)
    for cell in plot.work():
        if cell.place not in wanted:
            continue
        cost.cells += 1
        try:
            one = plot.run_of(cell.place)
            planned, sizes = _planned(rt, one, known)
        except Exception as error:  # an axis of an extension may raise anything; the cell will say the same
            cost.failing[plot.name(cell)] = str(error) or type(error).__name__
            continue
        cost.pictures += one.n_iter * one.batch_size
        cost.is_upper_bound |= planned.is_upper_bound
        for pictures in _batches(one):
            _count(cost, pictures, planned.passes[1:], sizes[1:])
            if (key := pass_key(one)) is None or key not in made:
                made.add(key)
                _count(cost, pictures, planned.passes[:1], sizes, fresh=_fresh(one, planned.passes[0].calls, cost.uses))
    return cost


def _count(cost, pictures, passes, sizes, fresh=None):
    """Add passes of that many pictures; `fresh`: how many of the evaluations are not known from other passes."""
    for each, pixels in zip(passes, sizes):
        if each.calls is None or cost.evaluations is None:
            cost.evaluations = None
            continue
        rows = pictures * each.rows * (each.calls if fresh is None else fresh)
        cost.evaluations += rows
        cost.work += rows * pixels


def _fresh(one, calls, uses):
    """How many of the `calls` of a pass no other pass began with; counts them all in `uses`."""
    keys = list(itertools.islice(evaluation_keys(one), calls or 0))
    known = sum(key in uses for key in keys)
    uses.update(keys)
    return (calls or 0) - known


def _planned(rt, one, known):
    """The passes of one picture, and the pixels of each. Raises UserError for what the run would refuse."""
    key = repr(([getattr(one, name, None) for name in (*COUNTED, *PROMPTS)], one.override_settings, one.styles))
    if key not in known:
        with rt.settings.overriding(one.override_settings):
            known[key] = planned_cost(rt, one.request()), sizes_of(one)
    return known[key]


def sizes_of(one):
    """The pixels of the first pass, and of the second."""
    sizes = [one.width * one.height]
    if getattr(one, "enable_hr", False):
        second = hires_size(one.width, one.height, scale=one.hr_scale, resize_x=one.hr_resize_x, resize_y=one.hr_resize_y)
        sizes.append(second.width * second.height)
    return sizes


def _batches(one):
    """Has `one` stand before each of its batches in turn, with texts as scripts make them; gives the number of pictures."""
    one.fill_lists()  # draws open seeds, so that their passes are not taken for shared ones
    for script in one.scripts.alwayson_scripts if one.scripts is not None else ():
        if script.is_done_when_replayed:
            script.process(one, *one.script_args[script.args_from:script.args_to])
    one.settle_lists()
    for iteration in range(one.n_iter):
        one.take_batch(iteration)
        one.prompts, one.extra_network_data = extra_networks.parse_prompts(one.prompts)
        yield len(one.prompts)


def sentences(cost, counts):
    """The cost in words; `counts` are the numbers of values of the axes that vary."""
    cells = f"{' × '.join(map(str, counts))} = {cost.cells:,} cells" if len(counts) > 1 else f"{cost.cells:,} cell{'s' * (cost.cells != 1)}"
    said = [f"{cells}, {cost.pictures:,} picture{'s' * (cost.pictures != 1)}"]
    if cost.evaluations is not None:
        said.append(f"{'at most ' if cost.is_upper_bound else ''}{cost.evaluations:,} network evaluations")
    lines = [f"{', '.join(said)}."]
    if cost.evaluations and (pace := seconds_per_work()):
        lines.append(f"About {duration(cost.work * pace)} at the pace of the last job.")
    if cost.failing:
        name, problem = next(iter(cost.failing.items()))
        others = f" (and {len(cost.failing) - 1} others)" if len(cost.failing) > 1 else ""
        lines.append(f"The cell {name}{others} will fail: {problem}")
    return "\n".join(lines)


def seconds_per_work():
    """Seconds for an evaluation of one pixel in the last finished job that was made without a script, None where there is none."""
    rt = runtime.current()
    for job in rt.queue.recent():
        if job.status != "done" or not job.seconds or "steps" not in job.request or (job.request.get("scripts") or {}).get("selected"):
            continue
        try:
            cost = planned_cost(rt, job.request)
        except errors.UserError:
            continue
        one = type("Request", (), {name: job.request.get(name) for name in COUNTED})
        work = sum((each.calls or 0) * each.rows * pixels for each, pixels in zip(cost.passes, sizes_of(one)))
        if work:
            return job.seconds / (work * cost.pictures)
    return None


def duration(seconds):
    """Seconds in words of two units at most."""
    whole = max(1, round(seconds))
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s" if minutes else f"{rest} s"
