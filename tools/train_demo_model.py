"""Makes models/demo/easel-demo.safetensors again: draws pictures, trains the networks on them, writes and measures the file.

    python tools/train_demo_model.py vae build/vae.pt --minutes 20
    python tools/train_demo_model.py vae build/vae.pt --minutes 10 --resume build/vae.pt
    python tools/train_demo_model.py latents build/vae.pt build/white.pt build/latents --files 13
    python tools/train_demo_model.py latents build/white.pt build/white.pt build/plain --files 14 --plain --keep
    python tools/train_demo_model.py text build/text.pt --minutes 4
    python tools/train_demo_model.py unet build/unet.pt build/latents --plain build/plain --text build/text.pt --minutes 120
    python tools/train_demo_model.py bind build/unet.pt build/bound.pt --minutes 10
    python tools/train_demo_model.py unet build/unet.pt build/latents --plain build/plain --resume build/bound.pt --minutes 60
    python tools/train_demo_model.py vae build/final.pt --minutes 15 --resume build/white.pt --freeze-encoder --mse 1 --noise 0.03
    python tools/train_demo_model.py export build/final.pt build/unet.pt easel-demo.safetensors --card card.json
    python tools/train_demo_model.py evaluate easel-demo.safetensors --sheet pictures.png

Minutes are for a quiet machine with two cores; give each stage as much as there is. The stages are explained in tools/demo_model/.
"""
import argparse
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tools.demo_model import bind_text, evaluate, export, latents, train_text, train_unet, train_vae


def main(argv: list[str] | None = None) -> int:
    args = make_parser().parse_args(argv)
    args.run(args)
    return 0


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    stages = parser.add_subparsers(required=True, metavar="STAGE")

    vae = stage(stages, "vae", run_vae, "train the autoencoder", "out")
    add_training(vae, lr=1.6e-3)
    vae.add_argument("--freeze-encoder", action="store_true", help="train the decoder only, once latents are cached")
    vae.add_argument("--mse", type=float, default=0.0, help="weight of the squared error, for the last polish")
    vae.add_argument("--noise", type=float, default=0.08, help="relative noise on the latent")
    vae.add_argument("--pictures", type=int, default=4000, help="how many pictures to draw")

    cached = stage(stages, "latents", run_latents, "bring latents to unit variance and write files of them", "vae", "white", "folder")
    cached.add_argument("--files", type=int, default=13)
    cached.add_argument("--first", type=int, default=0, help="number of the first file")
    cached.add_argument("--plain", action="store_true", help="plain studio scenes of the native size only")
    cached.add_argument("--two", type=float, default=0.3, help="share of plain scenes with two things")
    cached.add_argument("--keep", action="store_true", help="the autoencoder has been brought to unit variance already")

    text = stage(stages, "text", run_text, "warm up the text encoder", "out")
    text.add_argument("--minutes", type=float, required=True)
    text.add_argument("--max-steps", type=int)

    unet = stage(stages, "unet", run_unet, "train U-Net and text encoder", "out", "data")
    add_training(unet, lr=8e-4)
    unet.add_argument("--plain", type=Path, help="folder of plain studio scenes")
    unet.add_argument("--text", type=Path, help="weights of the stage `text` to begin with")
    unet.add_argument("--batch", type=int, default=32)
    unet.add_argument("--floor", type=float, default=0.03, help="last learning rate relative to the first")
    unet.add_argument("--decay-from", type=float, default=0.35, help="share of the time after which the learning rate falls")

    bound = stage(stages, "bind", run_bind, "teach the encoder which colour belongs to which of two things", "unet", "out")
    bound.add_argument("--minutes", type=float, required=True)
    bound.add_argument("--max-steps", type=int)
    bound.add_argument("--workers", type=int, default=2)

    exported = stage(stages, "export", run_export, "write the checkpoint", "vae", "unet", "out")
    exported.add_argument("--card", type=Path, help="JSON with figures and recipe, kept in the file")

    measured = stage(stages, "evaluate", run_evaluate, "measure a checkpoint", "model")
    measured.add_argument("--n", type=int, default=100, help="how many prompts of a kind")
    measured.add_argument("--sampler", default="Euler a")
    measured.add_argument("--steps", type=int, default=20)
    measured.add_argument("--cfg", type=float, default=6.0)
    measured.add_argument("--sheet", type=Path, help="write a sheet of pictures")
    return parser


def stage(stages, name: str, run, help: str, *paths: str) -> argparse.ArgumentParser:
    parser = stages.add_parser(name, help=help)
    parser.set_defaults(run=run)
    for path in paths:
        parser.add_argument(path, type=Path)
    return parser


def add_training(parser: argparse.ArgumentParser, lr: float) -> None:
    parser.add_argument("--minutes", type=float, required=True)
    parser.add_argument("--max-steps", type=int, help="end earlier")
    parser.add_argument("--workers", type=int, default=2, help="processes; one per core")
    parser.add_argument("--lr", type=float, default=lr, help="highest learning rate")
    parser.add_argument("--resume", type=Path, help="go on from this file")


def run_vae(args: argparse.Namespace) -> None:
    options = train_vae.VaeTraining(minutes=args.minutes, workers=args.workers, learning_rate=args.lr, pictures=args.pictures,
                                    mse=args.mse, noise=args.noise, freeze_encoder=args.freeze_encoder, max_steps=args.max_steps)
    train_vae.train(args.out, options, args.resume)


def run_latents(args: argparse.Namespace) -> None:
    if not args.keep:
        latents.whiten(args.vae, args.white)
    latents.cache(args.white, args.folder, args.files, args.first, args.plain, args.two)


def run_text(args: argparse.Namespace) -> None:
    train_text.train(args.out, train_text.TextTraining(minutes=args.minutes, max_steps=args.max_steps))


def run_unet(args: argparse.Namespace) -> None:
    options = train_unet.UNetTraining(minutes=args.minutes, workers=args.workers, batch=args.batch, learning_rate=args.lr,
                                      floor=args.floor, decay_from=args.decay_from, max_steps=args.max_steps)
    train_unet.train(args.out, args.data, options, plain=args.plain, text=args.text, resume=args.resume)


def run_bind(args: argparse.Namespace) -> None:
    bind_text.bind(args.unet, args.out, train_text.TextTraining(minutes=args.minutes, workers=args.workers, max_steps=args.max_steps))


def run_export(args: argparse.Namespace) -> None:
    card = json.loads(args.card.read_text(encoding="utf-8")) if args.card else None
    print(f"{args.out}: {export.export(args.vae, args.unet, args.out, card) / 1e6:.1f} MB")


def run_evaluate(args: argparse.Namespace) -> None:
    sampling = evaluate.Sampling(sampler=args.sampler, steps=args.steps, cfg_scale=args.cfg)
    for part, figures in evaluate.evaluate(args.model, sampling, args.n, args.sheet).items():
        print(f"{part:16}", "  ".join(f"{name} {value:g}" for name, value in figures.items()))


if __name__ == "__main__":
    sys.exit(main())
