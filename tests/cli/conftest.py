"""Commands in this process, on one data folder for the tests of a file."""
from collections.abc import Callable
from pathlib import Path

import pytest
import tiny_model

import webui


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model.make_data_dir(tmp_path_factory.mktemp("cli") / "data")


@pytest.fixture
def command(data_dir: Path, capsys: pytest.CaptureFixture) -> Callable:
    """command(*words) -> (exit status, output, what went to the error stream)."""
    def run(*words: object) -> tuple[int, str, str]:
        capsys.readouterr()
        try:
            status = webui.main([*map(str, words), *(() if words[0] == "info" else ("--data-dir", str(data_dir)))])
        except SystemExit as end:  # argparse, for words that it does not know
            status = int(end.code or 0)
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return run
