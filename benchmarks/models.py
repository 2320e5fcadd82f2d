"""Full-size models: loading, a LoRA of rank 32 on every layer, merging, switching: python benchmarks/models.py [PART ...] [--repeat 5]

Parts: load, lora, merge, switch. The file is a synthetic SD 1.5 of 2.1 GB; it is made in the temporary folder and removed afterwards
(3 GB free memory and 9 GB free disk are needed). Every part is a process of its own with the file in the system's cache.

load    ours over load_file and a copy of every tensor to its target dtype
lora    applying the set over the bare W + s * up @ down of the same layers, copies included; and applying the same set again
merge   a weighted sum of two files: bytes written in a second over those of a plain copy, and the peak of anonymous memory
switch  twenty switches between three models: the peak of anonymous memory of the last five over that of the first five
"""
import argparse
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import loading  # beside this file; it lets modules be imported

RANK = 32
SWITCHES, MODELS = 20, 3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--file", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if unknown := set(args.parts) - set(PARTS):
        parser.error(f"there is no part {min(unknown)}; there are {', '.join(PARTS)}")
    if args.file:
        PARTS[args.parts[0]](args.file, args.repeat)
        return
    from tools.make_synthetic_checkpoint import write_checkpoint

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "synthetic-sd15.safetensors"
        write_checkpoint(path)
        for part in args.parts or PARTS:
            print(f"\n{part}", flush=True)
            subprocess.run([sys.executable, __file__, part, "--file", str(path), "--repeat", str(args.repeat)], check=True)


# A LoRA

def lora(path: Path, repeat: int) -> None:
    """Both ways in turns, their medians, and what the same set costs another time."""
    import torch

    from modules.checkpoints.loading import load_model
    from modules.networks.lora import LoraUse, deltas, read_lora
    from modules.networks.patching import patched

    model = load_model(path, loading._hardware())
    file = path.with_name("rank32.safetensors")
    write_lora(model, file)
    uses = [LoraUse(lora=read_lora(file))]
    pairs = bare_pairs(model, uses[0].lora)

    def ours() -> None:
        changes, notes = deltas(model, uses)
        assert not notes and len(changes) == len(pairs), notes
        with patched(model, changes):
            pass

    @torch.no_grad()
    def bare() -> None:
        changed = [(weight.float() + scale * (up @ down).view(weight.shape)).to(weight.dtype) for weight, up, down, scale in pairs]
        assert len(changed) == len(pairs)

    seconds = in_turns(repeat, ours=ours, bare=bare)
    print(f"{len(pairs)} layers, rank {RANK}: {seconds['ours']:.2f} s; W + s * up @ down alone: {seconds['bare']:.2f} s")
    print(f"time over the bare sum: {seconds['ours'] / seconds['bare']:.2f} (at most 1.3)")
    same_set_again(model, file, repeat)


def same_set_again(model: object, file: Path, repeat: int) -> None:
    """A batch, and the next one with the same tags."""
    from modules import runtime
    from modules.extra_networks import ExtraNetworkParams
    from modules.generation.lora_network import LoraNetwork
    from modules.networks.lora import LoraCatalog

    runtime.use(SimpleNamespace(loras=LoraCatalog([file.parent])))  # type: ignore[arg-type]
    network, tags = LoraNetwork(), [ExtraNetworkParams(items=[file.stem, "1"])]
    p = SimpleNamespace(sd_model=model, extra_generation_params={}, comment=print)

    def again() -> None:
        network.deactivate(p)
        network.activate(p, tags)

    with network.kept():
        print(f"the same set for the next batch: {in_turns(repeat, again=again)['again'] * 1000:.1f} ms (nothing)")


def write_lora(model: object, file: Path) -> None:
    """Random matrices of rank 32 for every layer that a LoRA can change."""
    import torch
    from safetensors.torch import save_file

    from modules.networks.key_names import kohya_names

    parameters, tensors = dict(model.named_parameters()), {}  # type: ignore[attr-defined]
    by_weight = {target.weight: name for name, target in kohya_names(model).items()}  # type: ignore[arg-type]
    for place, name in by_weight.items():
        weight = parameters[place]
        if weight.ndim not in (2, 4):
            continue
        rows, columns = weight.shape[:2]
        kernel = tuple(weight.shape[2:])
        tensors[f"{name}.lora_up.weight"] = torch.randn(rows, RANK, *(1 for _ in kernel)).half() * 0.01
        tensors[f"{name}.lora_down.weight"] = torch.randn(RANK, columns, *kernel).half() * 0.01
        tensors[f"{name}.alpha"] = torch.tensor(float(RANK) / 2).half()
    save_file(tensors, file)


def bare_pairs(model: object, network: object) -> list[tuple]:
    """(weight, up [rows, rank], down [rank, columns], scale) of every layer."""
    from modules.networks.key_names import kohya_names

    names, parameters = kohya_names(model), dict(model.named_parameters())  # type: ignore[arg-type,attr-defined]
    return [(parameters[names[module].weight].data, part.tensors["up"].flatten(1), part.tensors["down"].flatten(1), 0.5)
            for module, part in network.parts.items()]  # type: ignore[attr-defined]


def in_turns(repeat: int, **ways: Callable[[], object]) -> dict[str, float]:
    """The median seconds of each way; the first round does not count."""
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(repeat + 1):
        for name, way in ways.items():
            began = time.perf_counter()
            way()
            if number:
                seconds[name].append(time.perf_counter() - began)
    return {name: statistics.median(values) for name, values in seconds.items()}


# Merging

def merge(path: Path, repeat: int) -> None:
    """A merge of two files, and a copy of one, in turns."""
    from modules.checkpoints.merge import Recipe, write_merged

    second, target = path.with_name("second.safetensors"), path.with_name("merged.safetensors")
    shutil.copyfile(path, second)
    peaks: list[int] = []

    def ours() -> None:
        with peak_over_idle() as peak, target.open("wb") as file:
            write_merged(file, Recipe(primary=path, secondary=second, method="Weighted sum", multiplier=0.3))
        peaks.append(peak.bytes)

    seconds = in_turns(max(1, repeat // 2), ours=ours, copy=lambda: shutil.copyfile(path, target))
    size = path.stat().st_size
    print(f"merge of two files of {size / 1e9:.1f} GB: {seconds['ours']:.1f} s, {size / seconds['ours'] / 1e6:.0f} MB/s; "
          f"plain copy: {seconds['copy']:.1f} s, {size / seconds['copy'] / 1e6:.0f} MB/s")
    print(f"throughput over a plain copy: {seconds['copy'] / seconds['ours']:.2f}; "
          f"peak of anonymous memory: {max(peaks) / 1e9:.2f} GB (at most 1.5)")
    for file in (second, target):
        file.unlink()


# Switching

def switch(path: Path, repeat: int) -> None:
    """Twenty switches between three files, one model kept at a time."""
    from modules.checkpoints.files import CheckpointList
    from modules.checkpoints.manager import ModelManager

    folder = path.parent / "switching"
    folder.mkdir()
    for number in range(MODELS):
        shutil.copyfile(path, folder / f"model{number}.safetensors")
    checkpoints = CheckpointList([folder], hashing=False)
    models, peaks, seconds = ModelManager(checkpoints, loading._hardware()), [], []
    infos = checkpoints.list()
    models.ensure(infos[-1])
    for number in range(SWITCHES):
        began = time.perf_counter()
        with peak_over_idle(idle=0) as peak:
            models.ensure(infos[number % MODELS])
        peaks.append(peak.bytes)
        seconds.append(time.perf_counter() - began)
    first, last = max(peaks[:5]), max(peaks[-5:])
    print(f"{SWITCHES} switches between {MODELS} models: {statistics.median(seconds):.1f} s each; peak of anonymous memory: "
          f"first five {first / 1e9:.2f} GB, last five {last / 1e9:.2f} GB")
    print(f"last over first: {last / first:.3f} (at most 1.03)")
    shutil.rmtree(folder)


@contextmanager
def peak_over_idle(idle: int | None = None) -> Iterator[SimpleNamespace]:
    """The most anonymous memory in the scope, over what there was before; `bytes` is known at its end."""
    idle = loading.anonymous_bytes() if idle is None else idle
    peak, done = SimpleNamespace(bytes=0), threading.Event()

    def watch() -> None:
        while not done.wait(0.005):
            peak.bytes = max(peak.bytes, loading.anonymous_bytes() - idle)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield peak
    finally:
        done.set()
        watcher.join()
        peak.bytes = max(peak.bytes, loading.anonymous_bytes() - idle)


PARTS: dict[str, Callable[[Path, int], None]] = {"load": loading.report, "lora": lora, "merge": merge, "switch": switch}

if __name__ == "__main__":
    main()
