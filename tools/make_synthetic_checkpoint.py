"""Writes a full-size SD 1.5 file with the official keys and shapes and random weights (2.1 GB in fp16), for measurements.

    python tools/make_synthetic_checkpoint.py OUT.safetensors [--dtype F16] [--seed 1]
"""
import argparse
import json
import math
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from modules.nn.families import SD1, Architecture
from modules.nn.latent_diffusion import SCHEDULE_NAMES, LatentDiffusion, noise_schedule
from modules.nn.meta import on_meta

POSITION_IDS = "cond_stage_model.transformer.text_model.embeddings.position_ids"
NUMPY_DTYPES = {"F16": np.float16, "F32": np.float32}


def shapes_of(architecture: Architecture) -> dict[str, tuple[int, ...]]:
    """Every key of a file of this architecture with its shape."""
    with on_meta():
        model = LatentDiffusion(architecture)
    shapes = {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}
    return {**shapes, POSITION_IDS: (1, architecture.text.max_position_embeddings)}


def write_checkpoint(path: Path, architecture: Architecture = SD1, dtype: str = "F16", seed: int = 1) -> None:
    """Write the file tensor by tensor, so that memory stays small. Tables of the noise schedule are float32, as in real files."""
    shapes = shapes_of(architecture)
    kinds = {name: "I64" if name == POSITION_IDS else "F32" if name in SCHEDULE_NAMES else dtype for name in shapes}
    header, offset = {}, 0
    for name in sorted(shapes):
        size = math.prod(shapes[name]) * {"I64": 8, "F32": 4, "F16": 2}[kinds[name]]
        header[name] = {"dtype": kinds[name], "shape": list(shapes[name]), "data_offsets": [offset, offset + size]}
        offset += size
    raw = json.dumps(header, separators=(",", ":")).encode()
    raw += b" " * (-len(raw) % 8)
    tables = noise_schedule(architecture.linear_start, architecture.linear_end, architecture.timesteps)
    block = np.random.default_rng(seed).standard_normal(1 << 22, dtype=np.float32)
    with path.open("wb") as file:
        file.write(len(raw).to_bytes(8, "little") + raw)
        for number, name in enumerate(sorted(shapes)):
            if name == POSITION_IDS:
                file.write(np.arange(math.prod(shapes[name])).astype("<i8").tobytes())
            elif name in tables:
                file.write(tables[name].numpy().tobytes())
            else:
                file.write(random_weights(name, shapes[name], np.roll(block, number * 7919)).astype(NUMPY_DTYPES[dtype]).tobytes())


def random_weights(name: str, shape: tuple[int, ...], block: np.ndarray) -> np.ndarray:
    """Numbers of the size that keeps activations alive: norms near 1, biases small, the rest by the number of inputs."""
    values = np.resize(block, math.prod(shape))
    if len(shape) == 1:
        return values * 0.02 + (1.0 if name.endswith("weight") else 0.0)
    return values / math.sqrt(math.prod(shape[1:])) * 0.5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--dtype", choices=sorted(NUMPY_DTYPES), default="F16")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    write_checkpoint(args.out, dtype=args.dtype, seed=args.seed)
    print(f"{args.out}: {args.out.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
