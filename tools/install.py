"""Brings the virtual environment to what the requirement files say; does nothing when it is there already.

Run with the environment's own Python by webui.sh and webui.bat, which make the environment. Standard library only.

    python tools/install.py [--tests]

TORCH_COMMAND replaces the command that installs torch; TORCH_INDEX_URL names another index for it. What was chosen last is kept.
"""
import argparse
import hashlib
import importlib
import importlib.metadata
import json
import os
import shutil
import subprocess
import sys
import sysconfig
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

PROGRAM = Path(__file__).resolve().parent.parent
ENVIRONMENT = Path(sys.prefix)
STAMP = ENVIRONMENT / "easel-setup.json"
LOG = ENVIRONMENT / "easel-setup.log"
PINS = ENVIRONMENT / "easel-constraints.txt"
OLDEST, NEWEST = (3, 11), (3, 13)
NEEDED_BYTES = 3 << 30
TORCH_PACKAGES = ("torch", "torchvision")


class SetupError(Exception):
    """What could not be done, why, what to do: shown as it is."""


@dataclass(frozen=True, kw_only=True)
class TorchChoice:
    """How the user wants torch to be installed; both empty: from the package index, at the version of constraints.txt."""

    command: str = ""
    index_url: str = ""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tests", action="store_true", help="also what the tests need")
    args = parser.parse_args()
    try:
        check_python()
        stamp = read_stamp()
        choice = torch_choice(stamp)
        if is_complete(stamp, choice, args.tests):
            return 0
        with only_one_setup():
            install(read_stamp(), choice, tests=args.tests)
    except SetupError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nSet-up was stopped; the next start goes on with it.", file=sys.stderr)
        return 130
    return 0


def check_python() -> None:
    if not OLDEST <= sys.version_info[:2] <= NEWEST:
        found = ".".join(map(str, sys.version_info[:3]))
        raise SetupError(f"Python {found} cannot run Easel. It needs Python 3.11, 3.12 or 3.13. "
                         "Install one of them, remove the .venv folder and start again, or name one in PYTHON.")
    if sys.maxsize < 2**32:
        raise SetupError("This Python is a 32-bit program, and torch needs 64 bits. Install a 64-bit Python and remove the .venv folder.")


# What is there already

def read_stamp() -> dict:
    """What the last complete set-up installed; empty after an interrupted one."""
    try:
        stamp = json.loads(STAMP.read_text(encoding="utf-8"))
        return stamp if isinstance(stamp, dict) else {}
    except (OSError, ValueError):
        return {}


def write_stamp(stamp: dict) -> None:
    part = STAMP.with_suffix(".part")
    part.write_text(json.dumps(stamp, indent=1), encoding="utf-8")
    os.replace(part, STAMP)


def torch_choice(stamp: dict) -> TorchChoice:
    """The environment variables; without them, what was chosen last. The word `default` goes back to the package index."""
    command, index_url = os.environ.get("TORCH_COMMAND", ""), os.environ.get("TORCH_INDEX_URL", "")
    if "default" in (command, index_url):
        return TorchChoice()
    if command or index_url:
        return TorchChoice(command=command, index_url=index_url)
    return TorchChoice(command=stamp.get("torch_command", ""), index_url=stamp.get("torch_index_url", ""))


def fingerprint(*names: str) -> str:
    """One hash of the requirement files and of the version of Python."""
    parts = [f"python {sys.version_info[0]}.{sys.version_info[1]}".encode(), *((PROGRAM / name).read_bytes() for name in names)]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def program_fingerprint() -> str:
    return fingerprint("requirements.txt", "requirements-extra.txt", "constraints.txt")


def tests_fingerprint() -> str:
    return fingerprint("requirements-dev.txt", "constraints.txt")


def is_complete(stamp: dict, choice: TorchChoice, tests: bool) -> bool:
    return (
        stamp.get("program") == program_fingerprint()
        and (stamp.get("torch_command", ""), stamp.get("torch_index_url", "")) == (choice.command, choice.index_url)
        and (not tests or stamp.get("tests") == tests_fingerprint())
    )


# Installing

def install(stamp: dict, choice: TorchChoice, *, tests: bool) -> None:
    """Install what is missing, in steps that can each be repeated; the stamp is written after all of them."""
    if is_complete(stamp, choice, tests):
        return  # another start did it while this one waited
    check_disk()
    print("Setting up. This happens once and takes some minutes; the details are in", LOG, flush=True)
    LOG.write_text("", encoding="utf-8")
    remove_half_written_packages()
    install_torch(stamp, choice)
    pin_torch()
    pip("Installing what Easel needs", "install", "-r", "requirements.txt", "-c", PINS)
    done = {"program": program_fingerprint(), "torch_command": choice.command, "torch_index_url": choice.index_url}
    install_extras()
    if tests:
        pip("Installing what the tests need", "install", "-r", "requirements-dev.txt", "-c", PINS)
        # Its declared requirements do not install any more; the tests load three of its files by themselves.
        pip("Installing k-diffusion for comparison", "install", "--no-deps", "k-diffusion==0.0.16")
        done["tests"] = tests_fingerprint()
    elif stamp.get("tests") == tests_fingerprint():
        done["tests"] = stamp["tests"]
    write_stamp(done)
    print("Set-up is complete.", flush=True)


def install_extras() -> None:
    """Face restoration and Real-ESRGAN in their authors' packages: their build needs ours around it, and may fail without harm."""
    try:
        pip("Installing build tools", "install", "setuptools", "wheel", "-c", PINS)
        pip("Installing face restoration", "install", "--no-build-isolation", "-r", "requirements-extra.txt", "-c", PINS)
    except SetupError as error:
        if any(sentence in str(error) for sentence in UNRELATED_TO_THE_PACKAGE):
            raise
        print(f"  GFPGAN and Real-ESRGAN could not be installed; their files are read without them. Details: {LOG}", flush=True)


def check_disk() -> None:
    free = shutil.disk_usage(ENVIRONMENT).free
    if free < NEEDED_BYTES and installed_version("torch") is None:
        raise SetupError(f"There is not enough room on the disk: {free / 1e9:.1f} GB are free and the set-up needs about "
                         f"{NEEDED_BYTES / 1e9:.0f} GB. Free some room below {ENVIRONMENT.parent} and start again.")


def install_torch(stamp: dict, choice: TorchChoice) -> None:
    """Torch comes first and alone, so that nothing else can pull in another build of it."""
    chosen_before = (stamp.get("torch_command", ""), stamp.get("torch_index_url", ""))
    if installed_version("torch") and chosen_before != (choice.command, choice.index_url):
        # Another build of the same version would count as installed.
        pip("Removing the present torch", "uninstall", "-y", *TORCH_PACKAGES)
    if choice.command:
        if installed_version("torch") is None:
            scripts = sysconfig.get_path("scripts")
            environment = {**os.environ, "PATH": scripts + os.pathsep + os.environ.get("PATH", ""), "VIRTUAL_ENV": str(ENVIRONMENT)}
            run(f"Installing torch with TORCH_COMMAND: {choice.command}", choice.command, shell=True, env=environment)
    else:
        index = ["--index-url", choice.index_url] if choice.index_url else []
        pip("Installing torch", "install", *TORCH_PACKAGES, "-c", "constraints.txt" if not index else unpinned(), *index)
    if installed_version("torch") is None:
        raise SetupError("TORCH_COMMAND ended well, but torch is not installed. Make it a command like `pip install torch torchvision`.")


def unpinned() -> Path:
    """The constraints without the lines about torch: another index has its own versions."""
    lines = (PROGRAM / "constraints.txt").read_text(encoding="utf-8").splitlines()
    PINS.write_text("\n".join(line for line in lines if line.split("==")[0] not in TORCH_PACKAGES) + "\n", encoding="utf-8")
    return PINS


def pin_torch() -> None:
    """The constraints for all further steps: exactly the torch that is installed now."""
    found = {name: installed_version(name) for name in TORCH_PACKAGES}
    with unpinned().open("a", encoding="utf-8") as file:
        file.writelines(f"{name}=={version}\n" for name, version in found.items() if version)


def installed_version(name: str) -> str | None:
    importlib.invalidate_caches()
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def remove_half_written_packages() -> None:
    """After an interrupted set-up: pip writes RECORD last, and takes a package without it for installed."""
    site_packages = Path(sysconfig.get_path("purelib"))
    for folder in [*site_packages.glob("*.dist-info"), *site_packages.glob("~*")]:
        if not (folder / "RECORD").exists():
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def only_one_setup():
    """Two starts at the same moment take turns."""
    with (ENVIRONMENT / "easel-setup.lock").open("w") as file:
        if sys.platform == "win32":
            import msvcrt
            msvcrt.locking(file.fileno(), msvcrt.LK_LOCK, 1)
        else:
            import fcntl
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


# Running pip and saying what went wrong

def pip(title: str, *arguments: str | Path) -> None:
    run(title, [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", *map(str, arguments)])


def run(title: str, command: list[str] | str, *, shell: bool = False, env: dict[str, str] | None = None) -> None:
    """Run a command with its output in the log and its downloads on the screen. Raises SetupError with the cause."""
    print(f"{title} ...", flush=True)
    output = []
    with LOG.open("a", encoding="utf-8") as log:
        log.write(f"\n$ {command if shell else ' '.join(command)}\n")
        process = subprocess.Popen(command, shell=shell, env=env, cwd=PROGRAM, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT, text=True, encoding="utf-8", errors="replace")
        try:
            for line in process.stdout or ():
                log.write(line)
                log.flush()
                output.append(line)
                if line.lstrip().startswith("Downloading ") and " MB)" in line:
                    print("  " + line.strip(), flush=True)
            status = process.wait()
        except BaseException:
            process.kill()
            process.wait()
            raise
    if status:
        raise SetupError(explained("".join(output), title))


DISK_FULL = "The disk is full. Free some room (about 3 GB are needed) and start again; what is installed already is kept."
NO_INDEX = "The package index cannot be reached. Check the network connection (or PIP_INDEX_URL and the proxy settings) and start again."
NO_VERSION = ("A package has no version for this Python and system. Name another Python (3.11, 3.12 or 3.13) in PYTHON, "
              "remove the .venv folder and start again.")
CONFLICT = "The required packages contradict one another. Remove the .venv folder and start again."
UNRELATED_TO_THE_PACKAGE = (DISK_FULL, NO_INDEX)
# What pip prints -> the sentence to show. The first match counts.
CAUSES = (
    (("No space left on device", "Errno 28", "not enough space on the disk", "Disk quota exceeded"),
     DISK_FULL),
    (("CERTIFICATE_VERIFY_FAILED", "SSLError", "certificate verify failed"),
     "The package index cannot be trusted: its certificate was refused. Check the date of this computer, or tell pip about the "
     "certificate of your network (PIP_CERT)."),
    (("NewConnectionError", "Failed to establish a new connection", "Name or service not known", "name resolution", "getaddrinfo failed",
      "Network is unreachable", "ConnectTimeoutError", "ReadTimeoutError", "ProxyError", "Connection refused", "ConnectionResetError",
      "RemoteDisconnected", "Read timed out", "Connection broken", "IncompleteRead"),
     NO_INDEX),
    (("Permission denied", "Errno 13", "Read-only file system", "Errno 30"),
     "The folder .venv cannot be written to. Give yourself the right to write there, or move Easel to a folder of your own."),
    (("No matching distribution found", "Could not find a version"),
     NO_VERSION),
    (("ResolutionImpossible", "conflicting dependencies"),
     CONFLICT),
)


def explained(output: str, title: str) -> str:
    """One sentence for the way in which pip failed, and where its own words are."""
    for signs, sentence in CAUSES:
        if any(sign in output for sign in signs):
            if sentence in (NO_VERSION, CONFLICT) and not index_answers():
                sentence = NO_INDEX
            return f"{sentence} Details: {LOG}"
    lines = [line for line in output.strip().splitlines() if line.strip()]
    last = next((line.strip() for line in reversed(lines) if "error" in line.lower()), lines[-1] if lines else "no output")
    return f"{title} failed: {last} Start again to repeat it. Details: {LOG}"


def index_answers() -> bool:
    """Whether the index knows pip itself: without its retries pip takes an index that is out of reach for an empty one."""
    return subprocess.run([sys.executable, "-m", "pip", "index", "versions", "pip"], capture_output=True).returncode == 0


if __name__ == "__main__":
    sys.exit(main())
