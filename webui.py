"""Starts Easel: reads the arguments, builds the program, serves the page."""
from __future__ import annotations

import gc
import importlib
import logging
import os
import signal
import sys
import threading
import time
import webbrowser
from pathlib import Path

STARTED = time.monotonic()
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
os.environ.setdefault("HF_HUB_OFFLINE", "1")

OPEN_TO_ALL = ("Everybody who can reach this machine can use Easel, see all pictures and change settings: no login is set. "
               "Set one with --gradio-auth user:password. Settings of folders and code typed into the page are off meanwhile.")

# What the first word may be; without one of them the page is served.
COMMANDS = {
    "generate": "modules.cli.generate:main",
    "img2img": "modules.cli.compvis:img2img_main",
    "info": "modules.cli.info:main",
    "merge": "modules.cli.merge:main",
    "replay": "modules.cli.replay:main",
    "txt2img": "modules.cli.compvis:txt2img_main",
    "use-installation": "modules.cli.use_installation:main",
}


def main(argv: list[str] | None = None) -> int:
    """Run until stopped; returns the exit status (42 asks webui.sh to start again)."""
    from modules import cmd_args
    from modules.errors import UserError

    argv = sys.argv[1:] if argv is None else argv
    try:
        if argv and argv[0] in COMMANDS:
            module, _, function = COMMANDS[argv[0]].partition(":")
            return getattr(importlib.import_module(module), function)(argv[1:])
        from modules.extensions import preloading

        return serve(cmd_args.parse(argv, preloading.steps(argv)))
    except UserError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130  # Ctrl+C, as shells count it


def serve(args) -> int:
    """Build the program and serve it until it is stopped. Raises UserError when the port is taken."""
    gc.disable()  # until all is there: the searches while hundreds of modules are imported take a quarter of the start and find nothing
    from modules import cmd_args
    from modules.ui import addresses, ports

    if args.loglevel:
        logging.basicConfig(level=args.loglevel, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    is_open = cmd_args.close_to_strangers(args)
    addresses.check_certificate(args)
    host, listening = ports.bound_socket(args)  # first, since it is the commonest failure and must not cost a start
    from modules import engine, leftovers
    from modules.errors import UserError
    from modules.extensions import installers, preloading, safe_start
    from modules.ui import server

    offer_top_level_names()
    mark = safe_start.StartMark(engine.folders_of(args).cache)
    is_safe_start = mark.was_left() and not (args.disable_extra_extensions or args.disable_all_extensions)
    args.disable_extra_extensions |= is_safe_start
    mark.put()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # to be asked to stop while starting is no failed start
    rt = None
    try:
        failed = [] if args.skip_install else installers.run_all(preloading.files_of_enabled(args, "install.py"))
        rt = engine.start(args)
        for sentence in failed:
            rt.notice(sentence)
        app = server.build_app(rt)
        if is_open:
            warn_of_strangers(rt)
        if is_safe_start:
            rt.notice(safe_start.NOTICE)
        load_first_model(rt)

        def ready() -> None:
            mark.remove()
            gc.freeze()  # what stays for good is not searched for garbage again: a search would hold up sampling for a third of a second
            gc.enable()
            announce(rt, host, listening.getsockname()[1])
            leftovers.remove_in_background(rt)

        return server.run(app, rt, listening, ready)
    except (KeyboardInterrupt, UserError):
        mark.remove()  # it was stopped, or the reason is known; whatever else ends a start may be an extension's doing
        raise
    finally:
        if rt is not None:
            engine.stop(rt)


def offer_top_level_names() -> None:
    """Let extensions import `ldm`, `sgm`, `k_diffusion`, `networks` and `lora`; packages of these names that are installed come first."""
    sys.path.append(str(Path(__file__).resolve().parent / "modules" / "a1111" / "toplevel"))


def warn_of_strangers(rt) -> None:
    """Say where nobody can miss it that everybody on the network may use the program."""
    rt.notice(OPEN_TO_ALL)
    print(f"\n{'!' * 100}\n{OPEN_TO_ALL}\n{'!' * 100}\n", file=sys.stderr, flush=True)


def load_first_model(rt) -> None:
    """Have the chosen checkpoint loaded while the page is opened; the page is up also when there is none."""
    from modules import model_jobs
    from modules.errors import UserError

    try:
        model_jobs.submit(rt)
    except UserError as error:
        rt.notice(str(error))


def announce(rt, host: str, port: int) -> None:
    """Say where the page is, and open it or make it public where the arguments ask for that."""
    from modules.ui import addresses

    address = addresses.page_address(rt.args, host, port)
    print(f"Easel is ready at {address} after {time.monotonic() - STARTED:.1f} s. Press Ctrl+C to stop.", flush=True)
    for wanted, action in ((rt.args.autolaunch, lambda: webbrowser.open(address)), (rt.args.share, lambda: share(rt, port))):
        if wanted:
            threading.Thread(target=action, daemon=True).start()  # both may take long, and the page is to answer meanwhile


def share(rt, port: int) -> None:
    """Open a public address and say what it is, or why there is none."""
    from modules.errors import UserError
    from modules.ui import addresses

    try:
        print(f"Everybody on the internet reaches it at {addresses.public_address(port)}", flush=True)
    except UserError as error:
        rt.notice(str(error))
        print(error, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
