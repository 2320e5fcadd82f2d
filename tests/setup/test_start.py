"""What ./webui.sh does before Python starts, with a pip that only writes down what it was asked for."""
import os
import shutil
import subprocess
import sys
import venv
from dataclasses import dataclass, field
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.skipif(os.name == "nt", reason="webui.sh is for Linux and macOS")

PIP = '''
"""Writes down its arguments; installs empty packages; fails in the call whose number is in PIP_FAILS_AT."""
import os, sys, sysconfig
from pathlib import Path
calls = Path(os.environ["PIP_CALLS"])
words = [word for word in sys.argv[1:] if word not in ("--disable-pip-version-check", "--no-input")]
with calls.open("a") as file:
    file.write(" ".join(words) + "\\n")
if len(calls.read_text().splitlines()) == int(os.environ.get("PIP_FAILS_AT", "0")):
    print(os.environ.get("PIP_SAYS", "ERROR: something else"))
    sys.exit(1)
for name in ("torch", "torchvision"):
    folder = Path(sysconfig.get_path("purelib")) / f"{name}-9.9.dist-info"
    if words[0] == "install" and name in words and not folder.exists():
        folder.mkdir()
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\\nName: {name}\\nVersion: 9.9\\n")
        (folder / "RECORD").write_text("")
    if words[0] == "uninstall" and name in words:
        (folder / "METADATA").unlink(); (folder / "RECORD").unlink(); folder.rmdir()
'''
WEBUI = '''
import sys
from pathlib import Path
print("webui.py", sys.argv[1:], flush=True)
restarts = Path("restarts")
if restarts.exists():
    restarts.unlink()
    sys.exit(42)
'''


@dataclass
class Program:
    """A copy of the files that take part in a start, with its own environment."""

    folder: Path
    env: dict[str, str] = field(default_factory=dict)

    def start(self, *args: str, **env: str) -> subprocess.CompletedProcess:
        names = ("COMMANDLINE_ARGS", "PYTHON", "TORCH_COMMAND", "TORCH_INDEX_URL", "VENV_DIR")
        inherited = {key: value for key, value in os.environ.items() if key not in names}
        environment = {**inherited, "PIP_CALLS": str(self.folder / "calls"), **self.env, **env}
        return subprocess.run(["./webui.sh", *args], cwd=self.folder, env=environment, capture_output=True, text=True, timeout=60)

    def calls(self) -> list[str]:
        """What pip was asked for since the last question."""
        file = self.folder / "calls"
        lines = file.read_text().splitlines() if file.exists() else []
        file.unlink(missing_ok=True)
        return lines


@pytest.fixture
def program(tmp_path) -> Program:
    copy = bare_program(tmp_path / "easel")
    venv.create(copy.folder / ".venv", with_pip=False, symlinks=True)
    site_packages = next((copy.folder / ".venv" / "lib").glob("python*/site-packages"))
    for name, text in (("pip", PIP), ("pytest", "import sys\nprint('pytest', sys.argv[1:])"), ("ruff", ""), ("mypy", "")):
        (site_packages / name).mkdir()
        (site_packages / name / "__init__.py").touch()
        (site_packages / name / "__main__.py").write_text(text)
    return copy


def bare_program(folder: Path) -> Program:
    """The same without an environment."""
    (folder / "tools").mkdir(parents=True)
    for name in ("webui.sh", "tools/install.py", "requirements.txt", "requirements-extra.txt", "requirements-dev.txt", "constraints.txt"):
        shutil.copy(ROOT / name, folder / name)
    (folder / "webui.py").write_text(WEBUI)
    return Program(folder)


def test_the_first_start_installs_torch_before_everything_else(program):
    done = program.start("--port", "7000")
    first, second, *_ = program.calls()
    assert first == "install torch torchvision -c constraints.txt"
    assert second.startswith("install -r requirements.txt -c ")
    assert done.stdout.endswith("webui.py ['--port', '7000']\n") and done.returncode == 0


def test_later_steps_cannot_bring_another_torch(program):
    program.start()
    pins = (program.folder / ".venv" / "easel-constraints.txt").read_text().splitlines()
    assert [line for line in pins if line.startswith("torch")] == [
        *(line for line in pins if line.startswith(("torchdiffeq", "torchsde"))), "torch==9.9", "torchvision==9.9"]


def test_the_second_start_asks_pip_for_nothing_and_takes_less_than_a_second(program):
    program.start()
    program.calls()
    before = os.times()
    done = program.start()
    after = os.times()
    assert program.calls() == [] and done.stdout == "webui.py []\n"
    # Processor time, which unlike the clock does not depend on what else the machine does.
    assert after.children_user + after.children_system - before.children_user - before.children_system < 1


@pytest.mark.parametrize("name", ["requirements.txt", "constraints.txt", "requirements-extra.txt"])
def test_changed_requirements_are_installed_at_the_next_start(program, name):
    program.start()
    program.calls()
    with (program.folder / name).open("a") as file:
        file.write("# changed\n")
    program.start()
    assert any("requirements.txt" in call for call in program.calls())


@pytest.mark.parametrize("step", [1, 2])
def test_an_interrupted_set_up_is_completed_at_the_next_start(program, step):
    assert program.start(PIP_FAILS_AT=str(step)).returncode == 1
    assert len(program.calls()) == step
    assert "webui.py" in program.start().stdout
    assert any("requirements.txt" in call for call in program.calls())


def test_a_package_that_was_half_written_is_installed_again(program):
    site_packages = next((program.folder / ".venv" / "lib").glob("python*/site-packages"))
    (site_packages / "torch-9.9.dist-info").mkdir()
    (site_packages / "torch-9.9.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: torch\nVersion: 9.9\n")
    program.start()
    assert (site_packages / "torch-9.9.dist-info" / "RECORD").exists()


def test_face_restoration_is_done_without_where_it_cannot_be_installed(program):
    done = program.start(PIP_FAILS_AT="4")
    assert "webui.py" in done.stdout and "could not be installed" in done.stdout


def test_the_word_test_installs_what_tests_need_and_hands_on_the_rest(program):
    done = program.start("test", "-k", "a name")
    assert any("requirements-dev.txt" in call for call in program.calls())
    assert done.stdout.endswith("'-k', 'a name']\n") and "webui.py" not in done.stdout


def test_exit_code_42_starts_again(program):
    (program.folder / "restarts").touch()
    assert program.start().stdout.count("webui.py []") == 2


def test_command_line_arguments_come_from_the_environment_and_the_users_file(program):
    (program.folder / "webui-user.sh").write_text("COMMANDLINE_ARGS='--api --ckpt-dir \"a b\" *'\n")
    assert program.start("--port", "1").stdout.endswith("webui.py ['--api', '--ckpt-dir', 'a b', '*', '--port', '1']\n")


def test_torch_command_replaces_the_installation_of_torch(program):
    program.start(TORCH_COMMAND="python -m pip install torch torchvision of my own")
    calls = program.calls()
    assert calls[0] == "install torch torchvision of my own" and not any(call.startswith("install torch torchvision -c") for call in calls)


def test_torch_index_url_is_used_for_torch_alone_and_without_our_version(program):
    program.start(TORCH_INDEX_URL="https://index.example/cpu")
    calls = program.calls()
    assert calls[0].endswith("--index-url https://index.example/cpu") and "-c constraints.txt" not in calls[0]
    assert not any("index.example" in call for call in calls[1:])


def test_another_choice_of_torch_removes_the_present_one_and_is_kept_afterwards(program):
    program.start()
    program.calls()
    program.start(TORCH_INDEX_URL="https://index.example/cpu")
    assert program.calls()[:2][0] == "uninstall -y torch torchvision"
    program.start()
    assert program.calls() == []


@pytest.mark.parametrize("pip_says, sentence", [
    ("OSError: [Errno 28] No space left on device", "The disk is full."),
    ("Failed to establish a new connection\nERROR: No matching distribution found", "The package index cannot be reached."),
    ("Temporary failure in name resolution", "The package index cannot be reached."),
    ("SSLError(SSLCertVerificationError(1, 'CERTIFICATE_VERIFY_FAILED'", "certificate"),
    ("ERROR: No matching distribution found for torch==2", "no version for this Python"),
    ("OSError: [Errno 13] Permission denied: 'x'", "cannot be written to"),
    ("ERROR: what nobody has seen", "what nobody has seen"),
])
def test_a_failure_of_pip_is_one_sentence(program, pip_says, sentence):
    done = program.start(PIP_FAILS_AT="1", PIP_SAYS=pip_says)
    assert done.returncode == 1 and sentence in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1 and "webui.py" not in done.stdout


def test_a_python_that_exists_but_does_not_run_is_passed_over(tmp_path):
    program = bare_program(tmp_path / "easel")
    write_command(tmp_path / "bin" / "python3.12", "exit 127")
    write_command(tmp_path / "bin" / "python3.11", f'[ "$1" = -m ] && echo "chosen" >&2 && exit 1; exec {sys.executable} "$@"')
    done = program.start(PATH=f"{tmp_path / 'bin'}:/usr/bin:/bin")
    assert done.stderr == "The virtual environment .venv could not be made: chosen\n"


@pytest.mark.parametrize("script, sentence", [
    ("exit 127", "does not run"),
    ('[ "$1" = -V ] && echo Python 3.9.1; [ "$2" = "" ]', "Python 3.9.1"),
])
def test_a_python_that_was_named_and_does_not_fit_is_said(tmp_path, script, sentence):
    write_command(tmp_path / "mine", script)
    done = bare_program(tmp_path / "easel").start(PYTHON=str(tmp_path / "mine"))
    assert done.returncode == 1 and sentence in done.stderr and len(done.stderr.splitlines()) == 1


def test_no_fitting_python_is_one_sentence(tmp_path):
    for name in ("python3.12", "python3.11", "python3.13", "python3", "python"):
        write_command(tmp_path / "bin" / name, "exit 1")
    done = bare_program(tmp_path / "easel").start(PATH=f"{tmp_path / 'bin'}:/usr/bin:/bin")
    assert done.returncode == 1 and done.stderr.startswith("Easel needs Python 3.11, 3.12 or 3.13")


def test_a_full_disk_is_one_sentence(small_disk):
    program = bare_program(small_disk(1 << 20) / "easel")
    done = program.start(PYTHON=sys.executable)
    assert done.returncode == 1 and "The disk is full" in done.stderr and len(done.stderr.splitlines()) == 1


def write_command(path: Path, script: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/bash\n{script}\n")
    path.chmod(0o755)
