"""The one loader gives copies of what a file holds, and refuses with a sentence what cannot be used."""
import os
import subprocess
import sys
import zipfile

import numpy as np
import pytest
import torch
from checkpoints.weights_files import Evaluates, RunsCommand, deflated_copy, write_header, write_malicious, write_plain_pickle
from safetensors.torch import save_file

from modules.checkpoints.problems import WeightsError
from modules.checkpoints.safetensors_file import MAX_TENSORS, read_header
from modules.checkpoints.state_dict import load_weights, open_weights, quick_problem

TENSORS = {
    "a.weight": torch.arange(24, dtype=torch.float32).reshape(2, 3, 4), "b.half": torch.randn(5).half(),
    "c.bf16": torch.randn(7).bfloat16(), "d.ids": torch.arange(77), "e.scalar": torch.tensor(2.5), "f.empty": torch.zeros(0, 4),
    "g.conv": torch.randn(4, 3, 3, 3)}


@pytest.fixture
def sound(tmp_path):
    save_file(TENSORS, tmp_path / "sound.safetensors", {"note": "ü"})
    return tmp_path / "sound.safetensors"


def refusal(path):
    with pytest.raises(WeightsError) as caught:
        load_weights(path)
    assert path.name in caught.value.what and caught.value.why and caught.value.remedy
    return caught.value.why


def same(found, expected):
    return found.keys() == expected.keys() and all(torch.equal(found[name], expected[name]) for name in expected)


def test_safetensors_come_back_with_their_shapes_and_kinds(sound):
    found = load_weights(sound)
    assert same(found, TENSORS) and all(found[name].dtype == TENSORS[name].dtype for name in TENSORS)
    assert read_header(sound).metadata == {"note": "ü"}


@pytest.mark.parametrize("legacy", [True, False])
@pytest.mark.parametrize("nested", [True, False])
def test_pickles_come_back_whatever_their_form(tmp_path, legacy, nested):
    path = tmp_path / "old.ckpt"
    content = {"state_dict": TENSORS, "epoch": 3, "seen": np.float64(2.5), "global_step": np.array([1, 2])} if nested else TENSORS
    torch.save(content, path, _use_new_zipfile_serialization=not legacy)
    assert same(load_weights(path), TENSORS)


def test_old_checkpoints_may_mention_their_training_program(tmp_path):
    """As pytorch_lightning wrote them: the class need not be installed and is not run."""
    source = ("import sys, types, torch; m = types.ModuleType('pytorch_lightning.callbacks.model_checkpoint');"
              "C = type('ModelCheckpoint', (), {'__module__': m.__name__}); m.ModelCheckpoint = C;"
              "sys.modules.update({'pytorch_lightning': types.ModuleType('pytorch_lightning'),"
              "'pytorch_lightning.callbacks': types.ModuleType('pytorch_lightning.callbacks'), m.__name__: m});"
              "c = C(); c.best = 1; torch.save({'state_dict': {'a': torch.ones(2)}, 'callbacks': {C: {'best': c}}}, sys.argv[1])")
    path = tmp_path / "lightning.ckpt"
    subprocess.run([sys.executable, "-c", source, str(path)], check=True)
    assert same(load_weights(path), {"a": torch.ones(2)})


def test_floating_point_numbers_are_converted_and_others_kept(sound):
    found = load_weights(sound, dtype=torch.float16)
    assert found["a.weight"].dtype == torch.float16 and found["d.ids"].dtype == torch.int64
    by_name = load_weights(sound, names=["a.weight", "b.half"], dtype=lambda name: torch.float64 if name[0] == "a" else torch.float32)
    assert [tensor.dtype for tensor in by_name.values()] == [torch.float64, torch.float32]


@pytest.mark.parametrize("spoil", ["truncate", "overwrite", "replace", "delete"])
def test_weights_do_not_depend_on_the_file_once_they_are_loaded(sound, spoil):
    found = load_weights(sound)
    if spoil == "truncate":
        os.truncate(sound, 10)
    elif spoil == "overwrite":
        with sound.open("r+b") as file:
            file.write(b"\xff" * sound.stat().st_size)
    elif spoil == "replace":
        save_file({"x": torch.zeros(1)}, sound)
    else:
        sound.unlink()
    assert same(found, TENSORS)


@pytest.mark.parametrize("content, reason", [
    (b"", "empty"), (b"<!DOCTYPE html><html><body>404", "web page"), (b"\xef\xbb\xbf  <html>" + b" " * 100, "web page"),
    (b"version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 2\n", "git-lfs"), (b"\0" * 5000, "zeros"),
    (b"some text that is not a model at all", "not in the safetensors format"), (b"\x80\x02}q\0." + b"x" * 50, "pickle")])
def test_files_that_are_no_weights_are_named_for_what_they_are(tmp_path, content, reason):
    path = tmp_path / "wrong.safetensors"
    path.write_bytes(content)
    assert reason in refusal(path) and reason in quick_problem(path)


@pytest.mark.parametrize("content, reason", [
    (b"", "empty"), (b"<html>", "web page"), (b"PK\x03\x04" + b"\1" * 500, "truncated"), (b"hello, world", "neither a zip"),
    (b"\x80\x02}q\0.", "")])
def test_pickles_that_are_no_weights_are_refused(tmp_path, content, reason):
    path = tmp_path / "wrong.ckpt"
    path.write_bytes(content)
    if reason:
        assert reason in refusal(path) and reason in quick_problem(path)
    else:
        refusal(path)


@pytest.mark.parametrize("kept", [4, 20, 300, -1])
def test_a_truncated_file_is_refused_wherever_it_ends(sound, kept):
    os.truncate(sound, kept if kept > 0 else sound.stat().st_size + kept)
    assert quick_problem(sound) == refusal(sound)


def test_a_truncated_pickle_is_refused(tmp_path):
    path = tmp_path / "cut.ckpt"
    torch.save(TENSORS, path)
    os.truncate(path, path.stat().st_size - 30)
    assert "truncated" in refusal(path)


@pytest.mark.parametrize("row", [
    {"dtype": "F32", "shape": [2], "data_offsets": [0, 4]}, {"dtype": "F32", "shape": [-1], "data_offsets": [0, 4]},
    {"dtype": "F99", "shape": [1], "data_offsets": [0, 4]}, {"dtype": "F32", "shape": [1]},
    {"dtype": "F32", "shape": 1, "data_offsets": [0, 4]},
    {"dtype": "F32", "shape": [1], "data_offsets": [-4, 0]},
    {"dtype": "F32", "shape": [10**30], "data_offsets": [0, 4 * 10**30]}, [], None])
def test_contradictions_in_a_header_are_refused(tmp_path, row):
    refusal(write_header(tmp_path / "odd.safetensors", {"a": row}, b"\0" * 8))


@pytest.mark.parametrize("header", [b"[" * 100_000, b"{" * 50, b'{"a": nul}', b"[]", b"3"])
def test_headers_that_are_no_mapping_are_refused(tmp_path, header):
    refusal(write_header(tmp_path / "odd.safetensors", header))


def test_overlapping_tensors_are_refused(tmp_path):
    row = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}
    assert "overlap" in refusal(write_header(tmp_path / "odd.safetensors", {"a": row, "b": {**row, "data_offsets": [4, 12]}}, b"\0" * 12))


def test_a_header_of_a_million_tensors_is_refused_at_once(tmp_path):
    row = b'{"dtype":"F32","shape":[0],"data_offsets":[0,0]}'
    header = b"{" + b",".join(b'"%d":%s' % (i, row) for i in range(200_000)) + b"}"
    assert str(MAX_TENSORS) in refusal(write_header(tmp_path / "many.safetensors", header))


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("dtype", [torch.float16, torch.float32])
def test_one_number_that_is_none_spoils_a_file(tmp_path, bad, dtype):
    tensor = torch.ones(64, 64, dtype=dtype)
    tensor[40, 7] = bad
    save_file({"fine": torch.full((300, 300), 60000.0).half(), "bad.weight": tensor}, tmp_path / "nan.safetensors")
    assert "NaN" in (why := refusal(tmp_path / "nan.safetensors")) and "bad.weight" in why


@pytest.mark.parametrize("kind, wanted", [(RunsCommand, "mkdir"), (Evaluates, "eval")])
@pytest.mark.parametrize("legacy", [True, False])
def test_a_pickle_that_would_run_something_is_refused_by_the_name_of_it(tmp_path, kind, wanted, legacy):
    path, marker = write_malicious(tmp_path, kind, legacy)
    assert wanted in refusal(path) and not marker.exists()


def test_a_plain_pickle_that_would_run_something_is_refused(tmp_path):
    refusal(write_plain_pickle(tmp_path / "plain.pt", RunsCommand(tmp_path / "marker")))
    assert not (tmp_path / "marker").exists()


def test_a_compressed_archive_is_refused_before_it_unfolds(tmp_path):
    torch.save({"a": torch.zeros(1 << 20)}, tmp_path / "big.ckpt")
    assert "compressed" in refusal(deflated_copy(tmp_path / "big.ckpt", tmp_path / "bomb.ckpt"))


def test_an_archive_with_other_members_is_refused(tmp_path):
    torch.save({"a": torch.zeros(2)}, tmp_path / "more.ckpt")
    with zipfile.ZipFile(tmp_path / "more.ckpt", "a") as archive:
        archive.writestr("more/code/__torch__.py", "print('hello')")
    assert "__torch__" in refusal(tmp_path / "more.ckpt")


def test_unaligned_tensors_are_read(tmp_path):
    header = {"a": {"dtype": "U8", "shape": [3], "data_offsets": [0, 3]}, "b": {"dtype": "F32", "shape": [2], "data_offsets": [3, 11]}}
    data = bytes([1, 2, 3]) + np.array([1.5, -2], dtype="<f4").tobytes()
    found = load_weights(write_header(tmp_path / "odd.safetensors", header, data))
    assert found["a"].tolist() == [1, 2, 3] and found["b"].tolist() == [1.5, -2.0]


def test_a_missing_file_and_a_folder_are_refused(tmp_path):
    refusal(tmp_path / "gone.safetensors")
    (tmp_path / "folder.safetensors").mkdir()
    refusal(tmp_path / "folder.safetensors")


def test_shapes_are_known_before_anything_is_read(sound):
    with open_weights(sound) as file:
        assert file.shapes == {name: tuple(tensor.shape) for name, tensor in TENSORS.items()}
        assert file.dtypes["b.half"] == torch.float16
