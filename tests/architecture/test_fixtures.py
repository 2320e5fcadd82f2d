"""The test machinery itself: tiny checkpoints, injected faults, the socket guard."""
import os
import socket
from pathlib import Path

import pytest
import tiny_model


@pytest.mark.parametrize("seed", sorted(tiny_model.VARIANTS))
def test_a_tiny_checkpoint_is_the_recorded_file(tiny_checkpoint, seed):
    path = tiny_checkpoint(seed)
    assert tiny_model.sha256(path) == tiny_model.VARIANTS[seed][2]
    assert path.with_suffix(".yaml").exists()


def test_the_data_folder_has_what_the_recordings_had(tiny_data_dir):
    found = {path.relative_to(tiny_data_dir).as_posix() for path in tiny_data_dir.rglob("*") if path.is_file()}
    assert {"models/Stable-diffusion/tiny-sd1-s1.safetensors", "models/Stable-diffusion/tiny-sd1-s2.yaml",
            "embeddings/my-style two.pt", "models/Lora/tinylora.safetensors"} <= found


def test_each_fault_comes_once_and_the_last_run_is_clean(faults, tmp_path):
    outcomes = []
    for fault in faults.each("open"):
        try:
            with fault:
                (tmp_path / "a").write_text("a")
                (tmp_path / "b").write_text("b")
            outcomes.append("clean")
        except OSError:
            outcomes.append("failed")
    assert outcomes == ["failed", "failed", "clean"]


def test_faults_stay_inside_their_folder(faults, tmp_path):
    with faults.failing("open") as fault:
        assert Path(__file__).read_text()
    assert not fault.hit


def test_fsync_fails_by_its_descriptor(faults, tmp_path):
    with (tmp_path / "a").open("w") as file, faults.failing("fsync"):
        with pytest.raises(OSError, match="No space"):
            os.fsync(file.fileno())


def test_a_small_disk_is_full_when_it_is_full(small_disk):
    folder = small_disk(1 << 20)
    with pytest.raises(OSError, match="No space"):
        (folder / "big").write_bytes(b"x" * (2 << 20))


def test_nothing_reaches_another_machine():
    with pytest.raises(OSError, match="this machine only"):
        socket.create_connection(("192.0.2.1", 80), timeout=1)
    with pytest.raises(OSError, match="this machine only"):
        socket.getaddrinfo("example.org", 80)
