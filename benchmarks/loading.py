"""Loading a full-size SD 1.5 file against load_file and a copy of every tensor: python benchmarks/loading.py [--file F] [--repeat 5]

Without --file a synthetic file of 2.1 GB is made in the temporary folder and removed afterwards. Every measurement is a process of
its own with the file in the system's cache; the two ways alternate. Memory: the peak of anonymous memory over the idle process, as
a multiple of the bytes of the weights in the dtype they are kept in.
"""
import argparse
import json
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--file", type=Path)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--measure", choices=sorted(WAYS), help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.measure:
        print(json.dumps(measured(WAYS[args.measure], args.file)))
    elif args.file:
        report(args.file, args.repeat)
    else:
        from tools.make_synthetic_checkpoint import write_checkpoint

        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "synthetic-sd15.safetensors"
            write_checkpoint(path)
            report(path, args.repeat)


def report(path: Path, repeat: int) -> None:
    """Measure both ways in turns and print the medians."""
    results: dict[str, list[dict[str, float]]] = {way: [] for way in WAYS}
    for number in range(repeat + 1):
        for way, rows in results.items():
            command = [sys.executable, __file__, "--file", str(path), "--measure", way]
            row = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
            if number:  # the first round fills the cache
                rows.append(row)
    print(f"{'way':28} {'seconds':>8} {'processor s':>12} {'peak / weights':>15}")
    middle = {way: {key: statistics.median(row[key] for row in rows) for key in rows[0]} for way, rows in results.items()}
    for way, row in middle.items():
        print(f"{way:28} {row['seconds']:8.2f} {row['processor']:12.2f} {row['peak']:15.3f}")
    ours, bare = middle["easel"], middle["load_file and copy"]
    print(f"time over bare copy: {ours['seconds'] / bare['seconds']:.2f} (at most 1.2); "
          f"processor time: {ours['processor'] / bare['processor']:.2f}; memory: {ours['peak']:.3f} (at most 1.15)")


def easel(path: Path) -> object:
    from modules.checkpoints.loading import load_model

    return load_model(path, _hardware())


def load_file_and_copy(path: Path) -> object:
    from safetensors.torch import load_file

    hardware = _hardware()
    tensors = load_file(path)
    return {name: tensor.to(hardware.unet_dtype, copy=True) if tensor.is_floating_point() else tensor.clone()
            for name, tensor in tensors.items()}


WAYS: dict[str, Callable[[Path], object]] = {"easel": easel, "load_file and copy": load_file_and_copy}


def _hardware():
    from modules.hardware import Hardware, HardwareOptions

    return Hardware.detect(HardwareOptions(use_cpu=("all",)))


def measured(way: Callable[[Path], object], path: Path) -> dict[str, float]:
    """Seconds, processor seconds, and peak of anonymous memory over idle, of one load in this process."""
    import torch

    warm_up(way)
    idle, peaks, done = anonymous_bytes(), [0], threading.Event()

    def watch() -> None:
        while not done.wait(0.01):
            peaks.append(anonymous_bytes())

    watcher = threading.Thread(target=watch)
    watcher.start()
    start, start_processor = time.perf_counter(), time.process_time()
    loaded = way(path)
    seconds, processor = time.perf_counter() - start, time.process_time() - start_processor
    peaks.append(anonymous_bytes())
    done.set()
    watcher.join()
    tensors = loaded.state_dict().values() if isinstance(loaded, torch.nn.Module) else loaded.values()
    kept = sum(tensor.numel() * tensor.element_size() for tensor in tensors)
    return {"seconds": seconds, "processor": processor, "peak": (max(peaks) - idle) / kept}


def warm_up(way: Callable[[Path], object]) -> None:
    """Imports and first uses of everything, on a file of a few megabytes."""
    from modules.nn.clip_text import ClipTextConfig
    from modules.nn.families import Architecture, UNetConfig, VaeConfig
    from tools.make_synthetic_checkpoint import write_checkpoint

    small = Architecture(
        unet=UNetConfig(model_channels=32, context_dim=64), vae=VaeConfig(ch=32),
        text=ClipTextConfig(hidden_size=64, intermediate_size=256, num_hidden_layers=1, num_attention_heads=1, vocab_size=1000))
    with tempfile.TemporaryDirectory() as folder:
        write_checkpoint(Path(folder) / "small.safetensors", small)
        way(Path(folder) / "small.safetensors")


def anonymous_bytes() -> int:
    """Memory of this process that belongs to no file; 0 where the system does not tell."""
    try:
        return int(re.search(r"RssAnon:\s+(\d+)", Path("/proc/self/status").read_text())[1]) * 1024
    except (OSError, TypeError):
        return 0


if __name__ == "__main__":
    main()
