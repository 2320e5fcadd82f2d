"""webui.py use-installation: shows first, changes with --apply."""
import json

import torch
from safetensors.torch import save_file

import webui


def test_differences_are_printed_and_applied_on_request(tmp_path, capsys):
    theirs, ours = tmp_path / "webui", tmp_path / "easel"
    (theirs / "models/Stable-diffusion").mkdir(parents=True)
    save_file({"a": torch.zeros(2)}, theirs / "models/Stable-diffusion/big.safetensors")
    (theirs / "config.json").write_text(json.dumps({"samples_format": "webp"}))
    words = ["use-installation", str(theirs), "--data-dir", str(ours)]
    assert webui.main(words) == 0
    said = capsys.readouterr().out
    assert "A1111 in" in said and "'png' -> 'webp'" in said and "Nothing was changed" in said and not (ours / "config.json").exists()
    assert webui.main([*words, "--apply"]) == 0
    assert "Used in place: 1 file in 1 folder." in capsys.readouterr().out
    stored = json.loads((ours / "config.json").read_text())
    assert stored["samples_format"] == "webp" and stored["folders_checkpoints"] == [str(theirs / "models/Stable-diffusion")]


def test_a_folder_without_anything_is_said_in_a_sentence(tmp_path, capsys):
    assert webui.main(["use-installation", str(tmp_path), "--data-dir", str(tmp_path / "easel")]) == 1
    assert "Nothing that can be used" in capsys.readouterr().err
