"""The command line: every flag the program knows, and a parser that tolerates those it does not."""
import argparse
import logging
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

log = logging.getLogger("easel")

UPSCALER_KINDS = ("esrgan", "bsrgan", "realesrgan", "swinir", "dat", "hat", "scunet")
LOOPBACK = ("127.0.0.1", "localhost", "::1")
ParserStep = Callable[[argparse.ArgumentParser], object]


def parse(argv: Sequence[str] | None = None, preload: Iterable[ParserStep] = ()) -> argparse.Namespace:
    """The values of all flags in `argv` (default: sys.argv). Unknown flags are named in the log and otherwise ignored.

    `preload`: functions that add the flags of extensions to the parser.
    Prints a sentence and exits with 2 on a value that cannot be (as argparse does), and with 0 on --help.
    """
    parser = make_parser()
    for step in preload:
        step(parser)
    args, unknown = parser.parse_known_args(argv)
    if unknown:
        log.warning("Unknown command line flags are ignored: %s", " ".join(unknown))
    return args


def make_parser(kind: type[argparse.ArgumentParser] = argparse.ArgumentParser) -> argparse.ArgumentParser:
    """The parser with all built-in flags; extensions add their own to it."""
    # Without allow_abbrev a later flag of an extension could change what a short form means.
    parser = kind(prog="webui", description="Easel, a web interface for Stable Diffusion.", allow_abbrev=False)
    for add in (_add_server, _add_access, _add_limits, _add_folders, _add_models, _add_hardware, _add_extensions, _add_page, _add_accepted):
        add(parser)
    return parser


def is_reachable(args: argparse.Namespace) -> bool:
    """Whether other machines can reach the server."""
    return bool(args.listen or args.share or (args.server_name and args.server_name not in LOOPBACK))


def has_login(args: argparse.Namespace) -> bool:
    """Whether a login stands before the server."""
    return bool(args.gradio_auth or args.gradio_auth_path or args.api_auth or args.api_auth_path)


def close_to_strangers(args: argparse.Namespace) -> bool:
    """Switch off what people who need no login must not do to this machine; whether there is a way for them to come."""
    is_open = is_reachable(args) and not has_login(args)
    if is_open:
        args.hide_ui_dir_config, args.allow_code = True, False
    return is_open


def _flag(parser: argparse.ArgumentParser, *names: str, help: str) -> None:
    parser.add_argument(*names, action="store_true", help=help)


def _port(text: str) -> int:
    number = int(text)
    if not 0 <= number <= 65535:
        raise argparse.ArgumentTypeError(f"{number} is not a port; ports are 0 to 65535")
    return number


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is no limit; it has to be 1 or more")
    return number


def _add_server(parser: argparse.ArgumentParser) -> None:
    _flag(parser, "--listen", help="accept connections from other machines (0.0.0.0); set a login with it")
    parser.add_argument("--server-name", metavar="ADDRESS", help="address to listen on instead of 127.0.0.1")
    parser.add_argument("--port", type=_port, help="port to listen on (default: 7860)")
    _flag(parser, "--share", help="also open a public gradio.live address; set a login with it")
    parser.add_argument("--subpath", metavar="PATH", help="path below which a reverse proxy shows the program")
    parser.add_argument("--tls-keyfile", metavar="FILE", help="private key for https")
    parser.add_argument("--tls-certfile", metavar="FILE", help="certificate for https")
    _flag(parser, "--autolaunch", help="open the page in the browser when it is ready")
    _flag(parser, "--nowebui", help="serve the API only, without the page")
    _flag(parser, "--api", help="serve the API beside the page")
    _flag(parser, "--api-log", help="write every API request to the log")
    _flag(parser, "--api-server-stop", help="let API clients stop and restart the program")
    parser.add_argument("--loglevel", type=str.upper, choices=("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"), metavar="LEVEL",
                        help="DEBUG, INFO, WARNING or ERROR")


def _add_access(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--gradio-auth", metavar="USER:PASSWORD,...", help="login for the page")
    parser.add_argument("--gradio-auth-path", metavar="FILE", help="file with logins for the page, one user:password a line")
    parser.add_argument("--api-auth", metavar="USER:PASSWORD,...", help="login for the API")
    parser.add_argument("--api-auth-path", metavar="FILE", help="file with logins for the API, one user:password a line")
    parser.add_argument("--admins", metavar="USER,...", help="logins that see and stop the jobs of all users (default: the first one)")
    parser.add_argument("--allow-host", "--allowed-hosts", dest="allowed_hosts", action="append", default=[], metavar="NAME,...",
                        help="host names beside localhost and addresses that requests may name; may be repeated")
    parser.add_argument("--cors-allow-origins", metavar="ORIGIN,...", help="origins of other pages that may use the API")
    parser.add_argument("--gradio-allowed-path", action="append", default=[], metavar="FOLDER", help="folder whose pictures may be shown")
    _flag(parser, "--hide-ui-dir-config", help="hide settings with folders and the buttons that open them")
    _flag(parser, "--freeze-settings", help="refuse every change of settings")
    _flag(parser, "--administrator", help="start although the user is root or administrator")
    _flag(parser, "--allow-code", help="let scripts run code typed into the page")


def _add_limits(parser: argparse.ArgumentParser) -> None:
    for name, what in (("pixels", "pixels in a picture, those of hires fix included"), ("steps", "steps of a job"),
                       ("batch", "pictures in a batch"), ("pictures", "pictures in a job"), ("queue", "waiting jobs"),
                       ("request-mb", "megabytes in the body of a request")):
        parser.add_argument(f"--limit-{name}", type=_positive, metavar="N", help=f"most {what}")


def _add_folders(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data-dir", type=Path, metavar="FOLDER", help="folder for models, settings, extensions and pictures")
    for kind in ("ckpt", "vae", "lora", "embeddings", "hypernetwork"):
        parser.add_argument(f"--{kind}-dir", action="append", default=[], metavar="FOLDER", help=f"further folder with {kind} files")
    for kind in UPSCALER_KINDS:
        parser.add_argument(f"--{kind}-models-path", action="append", default=[], metavar="FOLDER",
                            help=f"further folder with {kind} upscalers")
    parser.add_argument("--styles-file", action="append", default=[], metavar="FILE", help="styles file, * allowed; may be repeated")
    parser.add_argument("--ui-config-file", type=Path, metavar="FILE", help="file for the defaults of the page")
    parser.add_argument("--ui-settings-file", type=Path, metavar="FILE", help="file for the settings")
    parser.add_argument("--localizations-dir", type=Path, metavar="FOLDER", help="folder with translations")


def _add_models(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--ckpt", metavar="FILE", help="checkpoint to start with")
    parser.add_argument("--vae-path", metavar="FILE", help="VAE to use whatever the settings say")
    _flag(parser, "--no-hashing", help="do not compute the SHA-256 of checkpoints")
    _flag(parser, "--disable-safe-unpickle", help="accepted for compatibility; weights are always read without running code")
    _flag(parser, "--disable-nan-check", help="do not look for broken numbers in pictures")


def _add_hardware(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--use-cpu", nargs="+", default=[], type=str.lower, metavar="PART", help="parts to run on the CPU: all, vae, ...")
    parser.add_argument("--device-id", metavar="N", help="graphics card to use")
    parser.add_argument("--precision", choices=("full", "half", "autocast"), default="autocast", help="numbers to compute with")
    _flag(parser, "--no-half", help="keep the model in 32-bit numbers")
    _flag(parser, "--no-half-vae", help="keep the VAE in 32-bit numbers")
    _flag(parser, "--upcast-sampling", help="sample in 32-bit numbers with a 16-bit model")
    _flag(parser, "--medvram", help="keep only the part in use on the graphics card")
    _flag(parser, "--medvram-sdxl", help="the same for SDXL models only")
    _flag(parser, "--lowvram", help="keep only single modules on the graphics card; slow")
    _flag(parser, "--lowram", help="load weights straight to the graphics card")
    _flag(parser, "--skip-torch-cuda-test", help="start although torch cannot use the graphics card")


def _add_extensions(parser: argparse.ArgumentParser) -> None:
    _flag(parser, "--enable-insecure-extension-access", help="let remote users install extensions, which are programs")
    _flag(parser, "--disable-all-extensions", help="start without any extension")
    _flag(parser, "--disable-extra-extensions", help="start with bundled extensions only")


def _add_page(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--theme", choices=("light", "dark"), help="look of the page; without it the system decides")
    _flag(parser, "--disable-console-progressbars", help="no progress bars in the terminal")


# Flags of other interfaces that users have in their start scripts. They have nothing to switch here: attention picks the
# fastest way by itself, and the queue is always on. Extensions read some of them from cmd_opts.
ACCEPTED = (
    "--xformers", "--force-enable-xformers", "--opt-sdp-attention", "--opt-sdp-no-mem-attention", "--opt-split-attention",
    "--opt-split-attention-v1", "--opt-split-attention-invokeai", "--opt-sub-quad-attention", "--disable-opt-split-attention",
    "--always-batch-cond-uncond", "--enable-console-prompts", "--no-gradio-queue", "--no-progressbar-hiding", "--gradio-debug",
    "--use-ipex", "--update-check", "--skip-version-check", "--skip-python-version-check", "--skip-install", "--skip-prepare-environment",
    "--reinstall-xformers", "--reinstall-torch", "--no-download-sd-model", "--do-not-download-clip",
    "--opt-channelslast", "--skip-load-model-at-start", "--disable-tls-verify", "--disable-model-loading-ram-optimization",
)  # fmt: skip
ACCEPTED_NUMBERS = {"--sub-quad-q-chunk-size": 1024, "--sub-quad-kv-chunk-size": None, "--sub-quad-chunk-threshold": None}


def _add_accepted(parser: argparse.ArgumentParser) -> None:
    for name in ACCEPTED:
        parser.add_argument(name, action="store_true", help=argparse.SUPPRESS)
    for name, default in ACCEPTED_NUMBERS.items():
        parser.add_argument(name, type=int, default=default, help=argparse.SUPPRESS)
    parser.add_argument("--gradio-queue", action="store_true", default=True, help=argparse.SUPPRESS)
    parser.add_argument("--deepdanbooru-projects-path", metavar="FOLDER", help=argparse.SUPPRESS)


class _TolerantParser(argparse.ArgumentParser):
    """Leaves out flags that it does not know: extensions read the command line with it once more."""

    def parse_args(self, args: Sequence[str] | None = None, namespace: Any = None) -> Any:  # type: ignore[override]
        return self.parse_known_args(args, namespace)[0]


def __getattr__(name: str) -> Any:
    if name == "parser":  # a name that extensions expect here
        return make_parser(_TolerantParser)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
