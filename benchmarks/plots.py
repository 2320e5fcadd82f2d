"""Plots against single jobs, and what scripts cost a batch: python benchmarks/plots.py [--side 6] [--steps 20] [--repeat 3]

With the demo model. Plots are compared with as many single jobs of the same requests, taken turn about on the same machine; network
evaluations are counted where the network is called. The host's overhead is that of 20 always-on scripts with every hook, over none.
"""
import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from modules import cmd_args, engine, scripts, txt2img
from modules.runtime import Runtime
from modules.scripts import HOOKS, AlwaysVisible, Script

PLOT = "X/Y/Z plot"
ON_FORM = {"prompt": "a red circle on a blue background", "sampler_name": "Euler", "scheduler": "Automatic", "seed": 1, "width": 64,
           "height": 64, "do_not_save_samples": True, "do_not_save_grid": True}
SECOND_PASS = {"enable_hr": True, "hr_scale": 1.5, "hr_upscaler": "Latent", "hr_second_pass_steps": 6, "denoising_strength": 0.5}


class Counter:
    """Rows that the network was asked for, with those of the first size apart."""

    def __init__(self, model: Any):
        self.rows: dict[int, int] = {}
        self.of_plot: dict[int, int] = {}
        self._original = model.apply_model
        model.apply_model = self._counted

    def _counted(self, x: Any, *args: Any, **named: Any) -> Any:
        self.rows[x.shape[-1]] = self.rows.get(x.shape[-1], 0) + len(x)
        return self._original(x, *args, **named)

    def taken(self) -> dict[int, int]:
        """Width of the latent -> rows since the last call."""
        rows, self.rows = self.rows, {}
        return rows


def seconds_of(rt: Runtime, requests: list[dict[str, Any]]) -> float:
    """All `requests` as jobs, one after the other as a person would queue them."""
    began = time.perf_counter()
    jobs = [txt2img.submit(rt, request) for request in requests]
    for job in jobs:
        job.wait()
        assert job.status == "done", job.error
    return time.perf_counter() - began


def plot_request(x: tuple[str, str], y: tuple[str, str], **values: Any) -> dict[str, Any]:
    """A plot along two axes, each a label and its values."""
    args = [*x, [], *y, [], "Nothing", "", [], True, False, False, False, False, False, False, 0, True]
    return {**ON_FORM, **values, "scripts": {"selected": PLOT, "args": {PLOT: args}}}


def compared(rt: Runtime, counter: Counter, plot: dict[str, Any], singles: list[dict[str, Any]], repeat: int) -> tuple[float, ...]:
    """Median seconds of the plot and of the single jobs, and the median ratio of the processor's time, which others disturb less."""
    together, apart, ratios = [], [], []
    for _ in range(repeat):
        counter.taken()
        began = time.process_time()
        together.append(seconds_of(rt, [plot]))
        middle = time.process_time()
        counter.of_plot = counter.taken()
        apart.append(seconds_of(rt, singles))
        ratios.append((middle - began) / (time.process_time() - middle))
    return statistics.median(together), statistics.median(apart), statistics.median(ratios)


def guidance_and_words(side: int, steps: int) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """CFG scale x Prompt S/R."""
    words, scales = ["red", "green", "yellow", "white", "black", "grey", "pink", "brown"][:side], range(3, 3 + side)
    plot = plot_request(("CFG Scale", ",".join(map(str, scales))), ("Prompt S/R", ",".join(words)), steps=steps)
    return plot, [{**ON_FORM, "steps": steps, "cfg_scale": scale, "prompt": ON_FORM["prompt"].replace("red", word)}
                  for word in words for scale in scales]


def upscalers_and_strengths(side: int, steps: int) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Hires upscaler x Denoising."""
    upscalers = ["Latent", "Latent (antialiased)", "Latent (bicubic)", "Latent (bicubic antialiased)", "Latent (nearest)",
                 "Latent (nearest-exact)", "Lanczos", "Nearest"][:side]
    strengths = [round(0.3 + number * 0.1, 1) for number in range(side)]
    plot = plot_request(("Hires upscaler", ",".join(upscalers)), ("Denoising", ",".join(map(str, strengths))), steps=steps, **SECOND_PASS)
    return plot, [{**ON_FORM, **SECOND_PASS, "steps": steps, "hr_upscaler": upscaler, "denoising_strength": strength}
                  for strength in strengths for upscaler in upscalers]


def idle_script(number: int) -> Script:
    """An always-on script that takes part in every hook and does nothing."""
    body: dict[str, Any] = {hook: lambda self, p, *args, **named: None for hook in HOOKS}
    script = type(f"Idle{number}", (Script,), {**body, "title": lambda self: f"Idle {number}", "show": lambda self, _: AlwaysVisible})()
    script.args_from = script.args_to = 1
    script.alwayson = True
    script.filename = __file__
    return script


def overhead_of_scripts(rt: Runtime, count: int, repeat: int) -> float:
    """Milliseconds of the processor's time that `count` always-on scripts add to a batch."""
    runner = scripts.scripts_txt2img
    runner.ensure_controls()
    own, batches = list(runner.alwayson_scripts), 20
    idle = [idle_script(number) for number in range(count)]
    request = {**ON_FORM, "steps": 1, "n_iter": batches}
    measured: dict[int, list[float]] = {0: [], count: []}
    for _ in range(repeat):
        for number, seconds in measured.items():
            runner.alwayson_scripts[:] = own + idle[:number]
            began = time.process_time()
            seconds_of(rt, [request])
            seconds.append(time.process_time() - began)
    runner.alwayson_scripts[:] = own
    return (statistics.median(measured[count]) - statistics.median(measured[0])) / batches * 1000


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--side", type=int, default=6)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--scripts", type=int, default=20)
    arguments = parser.parse_args()
    rt = engine.start(cmd_args.parse(["--data-dir", tempfile.mkdtemp()]))
    seconds_of(rt, [{**ON_FORM, "steps": 1}])  # loads the checkpoint
    counter = Counter(rt.models.current)
    plots: list[tuple[str, Callable, float]] = [("CFG scale x Prompt S/R", guidance_and_words, 1.05),
                                                ("Hires upscaler x Denoising", upscalers_and_strengths, 0.6)]
    print(f"{'plot':28} {'cells':>5} {'plot s':>8} {'single s':>8} {'ratio':>6} {'CPU':>6} {'most':>5}   evaluations by latent width")
    for name, request_of, most in plots:
        plot, singles = request_of(arguments.side, arguments.steps)
        together, apart, cpu = compared(rt, counter, plot, singles, arguments.repeat)
        print(f"{name:28} {len(singles):5} {together:8.2f} {apart:8.2f} {together / apart:6.3f} {cpu:6.3f} {most:5.2f}   {counter.of_plot}")
    overhead = overhead_of_scripts(rt, arguments.scripts, arguments.repeat * 3)
    print(f"{arguments.scripts} always-on scripts: {overhead:+.2f} ms a batch (most 2.00)")
    engine.stop(rt)


if __name__ == "__main__":
    main()
