"""The time of a whole job over the network calls it needs: python benchmarks/overhead.py [--steps 20] [--repeat 7] [--checkpoint NAME]

A job parses, encodes, samples, decodes, saves; "bare" is the same number of network calls on tensors of the same shapes.
"""
import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import torch

from modules import cmd_args, engine, txt2img
from modules.prompt.conditioning import Conditioning
from modules.prompt.encode import encode


def timed(work, repeat: int) -> float:
    """Median seconds of `work()` after one call to warm up."""
    work()
    seconds = []
    for _ in range(repeat):
        began = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - began)
    return statistics.median(seconds)


def bare(model, steps: int, size: int):
    """The network calls of one picture with guidance, as a function."""
    latent = torch.randn(2, 4, size // 8, size // 8)
    text = encode(model.cond_stage_model, ["a red circle on a blue background", ""])

    @torch.inference_mode()
    def calls() -> None:
        both = Conditioning(crossattn=torch.cat([part.crossattn for part in text]))
        for step in range(steps):
            model.apply_model(latent, torch.full((2,), 999.0 - step), both)
        model.decode_first_stage(latent[:1])

    return calls


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--repeat", type=int, default=7)
    parser.add_argument("--data-dir")
    parser.add_argument("--checkpoint")
    arguments = parser.parse_args()
    rt = engine.start(cmd_args.parse(["--data-dir", arguments.data_dir or tempfile.mkdtemp()]))
    info = rt.chosen_checkpoint(arguments.checkpoint)
    model = rt.models.ensure(info)
    size = model.native_size_px
    request = {"prompt": "a red circle on a blue background", "sampler_name": "Euler", "scheduler": "Automatic", "steps": arguments.steps,
               "width": size, "height": size, "seed": 1, "override_settings": {"sd_model_checkpoint": info.title}}

    def job() -> None:
        made = txt2img.submit(rt, request)
        made.wait()
        assert made.status == "done", made.error

    def job_with_previews(every_n_steps: int):
        def run() -> None:
            rt.settings.set("show_progress_every_n_steps", every_n_steps)
            job()
        return run

    calls = timed(bare(model, arguments.steps, size), arguments.repeat)
    whole = timed(job_with_previews(-1), arguments.repeat)
    seen = timed(job_with_previews(1), arguments.repeat)
    print(f"{'checkpoint':30} {'size':>5} {'steps':>5} {'job s':>8} {'bare s':>8} {'ratio':>6} {'ms/step over':>12}")
    print(f"{info.model_name:30} {size:5} {arguments.steps:5} {whole:8.3f} {calls:8.3f} {whole / calls:6.3f} "
          f"{(whole - calls) / arguments.steps * 1000:12.2f}")
    print(f"live previews, at most 3 a second: {seen:.3f} s, {(seen / whole - 1) * 100:+.1f} %")
    engine.stop(rt)


if __name__ == "__main__":
    main()
