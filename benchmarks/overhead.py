"""The time of a whole job over the network calls it needs: python benchmarks/overhead.py [--steps 20] [--repeat 15] [--checkpoint NAME]

A job parses, encodes, samples, decodes, saves. The time inside the U-Net, the text encoder and the decoder is taken within the
same job, so that a machine that grows slower or faster between two runs does not change the outcome.
"""
import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from modules import cmd_args, engine, txt2img


class Stopwatch:
    """Adds up the seconds spent in the functions it wraps; a call within another one counts once."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._depth = 0

    def wrapped(self, call: Callable) -> Callable:
        def timed(*args, **kwargs):
            began = time.perf_counter()
            self._depth += 1
            try:
                return call(*args, **kwargs)
            finally:
                self._depth -= 1
                if self._depth == 0:
                    self.seconds += time.perf_counter() - began
        return timed


def watch_networks(model, watch: Stopwatch) -> None:
    """Have the three networks of a model timed."""
    for network, name in ((model.model.diffusion_model, "forward"), (model.first_stage_model, "decode"),
                          (model.cond_stage_model, "forward"), (model.cond_stage_model, "encode_with_transformers")):
        if hasattr(network, name):
            setattr(network, name, watch.wrapped(getattr(network, name)))


def measured(job: Callable[[], None], watch: Stopwatch) -> tuple[float, float]:
    """Seconds of one job, and those of them inside the networks."""
    watch.seconds = 0.0
    began = time.perf_counter()
    job()
    return time.perf_counter() - began, watch.seconds


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--repeat", type=int, default=15)
    parser.add_argument("--data-dir")
    parser.add_argument("--checkpoint")
    parser.add_argument("--size", type=int, help="pixels; the checkpoint's own size when not given")
    arguments = parser.parse_args()
    rt = engine.start(cmd_args.parse(["--data-dir", arguments.data_dir or tempfile.mkdtemp()]))
    info = rt.chosen_checkpoint(arguments.checkpoint)
    request = {"prompt": "a red circle on a blue background", "sampler_name": "Euler", "scheduler": "Automatic", "steps": arguments.steps,
               "seed": 1, "override_settings": {"sd_model_checkpoint": info.title}}

    def job_with_previews(every_n_steps: int, number: int = 0) -> None:
        rt.settings.set("show_progress_every_n_steps", every_n_steps)
        # Another prompt each time: the text is encoded anew.
        made = txt2img.submit(rt, {**request, "prompt": f"{request['prompt']}, {number}"})
        made.wait()
        assert made.status == "done", made.error

    request.update(width=64, height=64, steps=1)
    job_with_previews(-1)  # loads the checkpoint in the worker
    size = arguments.size or rt.models.current.native_size_px
    request.update(width=size, height=size, steps=arguments.steps)
    watch = Stopwatch()
    watch_networks(rt.models.current, watch)
    job_with_previews(-1)
    job_with_previews(1)
    plain, previewed = [], []
    for number in range(arguments.repeat):
        plain.append(measured(lambda number=number: job_with_previews(-1, number), watch))
        previewed.append(measured(lambda number=number: job_with_previews(1, number), watch))
    ratio = statistics.median(whole / inside for whole, inside in plain)
    over = statistics.median(whole - inside for whole, inside in plain)
    over_previewed = statistics.median(whole - inside for whole, inside in previewed)
    whole, inside = (statistics.median(column) for column in zip(*plain, strict=True))
    print(f"{'checkpoint':30} {'size':>5} {'steps':>5} {'job s':>8} {'network s':>9} {'ratio':>6} {'ms/step over':>12}")
    per_step, preview = over / arguments.steps * 1000, over_previewed - over
    print(f"{info.model_name:30} {size:5} {arguments.steps:5} {whole:8.3f} {inside:9.3f} {ratio:6.3f} {per_step:12.2f}")
    print(f"live previews, at most 3 a second: {preview * 1000:+.1f} ms a job, {preview / whole * 100:+.2f} %")
    engine.stop(rt)


if __name__ == "__main__":
    main()
