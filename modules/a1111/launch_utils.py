"""What installers of extensions call, under the names of A1111's `launch_utils`. Importing it starts nothing."""
import importlib.metadata
import importlib.util
import os
import re
import shlex
import subprocess
import sys

from modules import cmd_args
from modules._live import live
from modules.errors import log
from modules.folders import PROGRAM
from modules.version import VERSION

python = sys.executable
git = os.environ.get("GIT", "git")
index_url = os.environ.get("INDEX_URL", "")
script_path = str(PROGRAM)
dir_repos = "repositories"
default_command_live = True
# The layout of modules and names that this program offers; extensions choose their ways by it.
OFFERED_LAYOUT = "v1.10.1"


def git_tag() -> str:
    """The version of A1111 whose names are offered."""
    return OFFERED_LAYOUT


def commit_hash() -> str:
    """The version of this program."""
    return f"easel-{VERSION}"


def is_installed(package: str) -> bool:
    """Whether the package can be imported, or is installed under this name."""
    name = re.split(r"[\s\[<>=!~;]", package.strip(), maxsplit=1)[0]
    try:
        importlib.metadata.distribution(name)
        return True
    except importlib.metadata.PackageNotFoundError:
        pass  # it may still be the name of a module
    try:
        return importlib.util.find_spec(name) is not None
    except (ImportError, ValueError):
        return False


def run(command, desc: str | None = None, errdesc: str | None = None, custom_env=None, live: bool = True) -> str:
    """Run a command line; its output. Raises RuntimeError with the end of the output when it fails."""
    if desc:
        print(desc, flush=True)
    is_text = isinstance(command, str)
    done = subprocess.run(command, shell=is_text, env=custom_env, stdout=None if live else subprocess.PIPE,
                          stderr=None if live else subprocess.PIPE, text=True, encoding="utf8", errors="replace")
    if done.returncode:
        shown = command if is_text else shlex.join(map(str, command))
        said = "\n".join(filter(None, (done.stdout, done.stderr)))[-4000:]
        raise RuntimeError(f"{errdesc or 'The command failed'}: {shown} ended with {done.returncode}.\n{said}")
    return done.stdout or ""


def check_run(command) -> bool:
    """Whether the command line runs without error."""
    return subprocess.run(command, shell=isinstance(command, str), capture_output=True).returncode == 0


def run_pip(command: str, desc: str | None = None, live: bool = default_command_live) -> str | None:
    """Run `pip <command>` of this Python. PIP_CONSTRAINT keeps the program's own packages as they are."""
    if _args().skip_install:
        return None
    where = f" --index-url {index_url}" if index_url and command.startswith("install") else ""
    return run(f'"{python}" -m pip {command} --prefer-binary{where}' if command.startswith("install") else f'"{python}" -m pip {command}',
               desc=f"Installing {desc}" if desc else None, errdesc=f"Couldn't install {desc}", live=live)


def check_run_python(code: str) -> bool:
    """Whether this Python runs the code without error."""
    return subprocess.run([python, "-c", code], capture_output=True).returncode == 0


def repo_dir(name: str) -> str:
    """Where a repository that an extension clones for itself would lie."""
    return os.path.join(script_path, dir_repos, name)


def git_clone(url: str, dir: str, name: str, commithash: str | None = None) -> None:
    """Clone a repository once, and check out one commit of it."""
    if not os.path.exists(dir):
        run([git, "clone", "--config", "core.filemode=false", url, dir], f"Cloning {name}", f"Couldn't clone {name}", live=False)
    if commithash:
        run([git, "-C", dir, "checkout", commithash], None, f"Couldn't check out {commithash} of {name}", live=False)


def list_extensions(settings_file: str | None = None) -> list[str]:
    """The names of extensions that are switched on."""
    from modules import extensions

    return [extension.name for extension in extensions.active()]


def requirements_met(requirements_file: str) -> bool:
    """Whether every package of a requirements file is installed, whatever its version."""
    with open(requirements_file, encoding="utf8") as file:
        lines = [line.split("#")[0].strip() for line in file]
    return all(is_installed(line) for line in lines if line and not line.startswith("-"))


def _args():
    from modules import runtime

    try:
        return runtime.current().args
    except RuntimeError:
        quiet, log.disabled = log.disabled, True  # flags of other extensions are unknown here
        try:
            return cmd_args.parse(shlex.split(os.environ.get("COMMANDLINE_ARGS", "")) + sys.argv[1:])
        finally:
            log.disabled = quiet


live(__name__, computed={"args": _args, "cmd_args": _args})
