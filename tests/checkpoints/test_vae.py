"""Which VAE file goes with a checkpoint."""
import json

import pytest

from modules.checkpoints.vae import choose_vae, find_vae, vae_files


@pytest.fixture
def folders(tmp_path):
    for name in ("models/a.safetensors", "vae/sub/b.vae.pt", "vae/good.safetensors", "vae/notes.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


def test_vae_files_are_found_in_sub_folders_by_their_endings(folders):
    assert list(vae_files([folders / "vae", folders / "nowhere"])) == ["b.vae.pt", "good.safetensors"]


def test_automatic_takes_the_file_beside_the_checkpoint_then_the_one_of_its_name_then_its_own(folders):
    files = vae_files([folders / "vae"])
    a, b = folders / "models/a.safetensors", folders / "models/b.safetensors"
    assert choose_vae("Automatic", a, files) is None
    assert choose_vae("Automatic", b, files) == files["b.vae.pt"]
    beside = folders / "models/a.vae.safetensors"
    beside.touch()
    assert choose_vae("Automatic", a, files) == beside


def test_a_name_comes_before_the_choice_kept_with_the_checkpoint_unless_the_setting_says_otherwise(folders):
    files = vae_files([folders / "vae"])
    a = folders / "models/a.safetensors"
    a.with_suffix(".json").write_text(json.dumps({"vae": "good.safetensors"}))
    assert choose_vae("Automatic", a, files) == files["good.safetensors"]
    assert choose_vae("None", a, files) is None
    assert choose_vae("b.vae.pt", a, files) == files["b.vae.pt"]
    assert choose_vae("b.vae.pt", a, files, own_choice_counts_first=True) == files["good.safetensors"]
    a.with_suffix(".json").write_text("{broken")
    assert choose_vae("Automatic", a, files) is None


def test_names_are_found_without_ending_and_in_any_case(folders):
    files = vae_files([folders / "vae"])
    assert find_vae("GOOD", files) == files["good.safetensors"]
    with pytest.raises(KeyError):
        choose_vae("nobody", folders / "models/a.safetensors", files)
