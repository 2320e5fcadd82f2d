"""The list of checkpoints: fast, in order, with broken files named and the demo model last."""
import json
import os
import shutil
import time

import pytest
import torch
from checkpoints.weights_files import write_header
from safetensors.torch import save_file

from modules.checkpoints.files import CheckpointList, files_below, natural_order
from modules.checkpoints.hashing import FileState, HashCache, sha256_of
from modules.errors import NotFound


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "models").mkdir()
    return tmp_path / "models"


@pytest.fixture
def demo(tmp_path):
    return write_checkpoint(tmp_path / "program" / "demo-file.safetensors")


def write_checkpoint(path, value=0.0):
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file({"a": torch.full((4,), value)}, path)
    return path


def titles(checkpoints):
    return [info.title for info in checkpoints]


def test_files_are_in_natural_order_with_the_demo_model_last(folder, demo):
    for name in ("v10.safetensors", "v2.safetensors", "A.ckpt", "sub/b.safetensors"):
        write_checkpoint(folder / name)
    torch.save({"a": torch.zeros(2)}, folder / "A.ckpt")
    listed = CheckpointList([folder], demo=demo)
    assert titles(listed) == ["A.ckpt", "sub/b.safetensors", "v2.safetensors", "v10.safetensors", "easel-demo"]
    assert listed.list()[-1].is_demo and listed.default().name == "A.ckpt" and not listed.broken


def test_with_no_files_the_demo_model_is_the_default(folder, demo):
    assert CheckpointList([folder, folder / "missing"], demo=demo).default().title == "easel-demo"


def test_nothing_at_all_is_said_in_a_sentence(folder):
    with pytest.raises(NotFound, match="no checkpoint"):
        CheckpointList([folder]).default()


def test_other_files_are_left_out(folder):
    for name in ("model.vae.safetensors", ".hidden.safetensors", "notes.txt", "model.yaml"):
        write_checkpoint(folder / name)
    assert not CheckpointList([folder]).list()


def test_broken_files_are_named_with_their_reason_and_stop_nothing(folder):
    whole = write_checkpoint(folder / "good.safetensors")
    (folder / "cut.safetensors").write_bytes(whole.read_bytes()[:-3])
    (folder / "page.safetensors").write_bytes(b"<html>404")
    (folder / "empty.ckpt").write_bytes(b"")
    (folder / "gone.safetensors").symlink_to(folder / "nowhere")
    listed = CheckpointList([folder])
    reasons = {broken.name: broken.reason for broken in listed.broken}
    assert titles(listed) == ["good.safetensors"] and set(reasons) == {
        "cut.safetensors", "page.safetensors", "empty.ckpt", "gone.safetensors"}
    assert "3 of its" in reasons["cut.safetensors"] and "web page" in reasons["page.safetensors"] and "empty" in reasons["empty.ckpt"]


def test_hashes_are_not_computed_by_listing_and_show_once_they_are_known(folder, tmp_path):
    path = write_checkpoint(folder / "sub" / "m.safetensors")
    listed = CheckpointList([folder], cache=tmp_path / "hashes.json")
    info = listed.find("m")
    assert (info.title, info.short_hash, info.sha256) == ("sub/m.safetensors", "", "")
    digest = sha256_of(path)
    assert info.wait_for_hash() == digest
    assert info.title == f"sub/m.safetensors [{digest[:10]}]" and info.model_name == "sub_m"
    assert titles(CheckpointList([folder], cache=tmp_path / "hashes.json")) == [info.title]


def test_a_hash_is_forgotten_when_the_file_changes(folder, tmp_path):
    path = write_checkpoint(folder / "m.safetensors")
    listed = CheckpointList([folder], cache=tmp_path / "hashes.json")
    listed.find("m").wait_for_hash()
    write_checkpoint(path, 1.0)
    os.utime(path, ns=(0, 0))
    listed.refresh()
    assert titles(listed) == ["m.safetensors"]


@pytest.mark.parametrize("content", ["", "{", "[]", '{"x": 3}', '{"x": {"size": 1}}'])
def test_a_damaged_file_of_hashes_counts_as_empty(folder, tmp_path, content):
    (tmp_path / "hashes.json").write_text(content)
    path = write_checkpoint(folder / "m.safetensors")
    cache = HashCache(tmp_path / "hashes.json")
    assert cache.compute(path, FileState.of(path)) == sha256_of(path)
    assert json.loads((tmp_path / "hashes.json").read_text())[str(path)]["sha256"] == sha256_of(path)


def test_a_file_is_found_by_every_one_of_its_names(folder):
    listed = CheckpointList([folder], files=())
    write_checkpoint(folder / "sub" / "Some Model.safetensors")
    listed.refresh()
    info = listed.list()[0]
    digest = info.wait_for_hash()
    for text in (info.title, "sub/Some Model.safetensors", "Some Model", "sub_Some Model", "some model", digest, digest[:10], digest[:8],
                 f"sub/Some Model.safetensors [{digest[:10]}]", "sub/Some Model.safetensors [0123456789]", f"renamed [{digest[:10]}]",
                 f" {info.path} "):
        assert listed.find(text) is info


@pytest.mark.parametrize("text", ["nothing", "", "[", "model [zzz]", "0" * 64, "../m.safetensors", "x" * 10_000, "\0"])
def test_a_name_that_stands_for_nothing_is_not_found(folder, text):
    write_checkpoint(folder / "m.safetensors")
    with pytest.raises(NotFound):
        CheckpointList([folder]).find(text)


def test_looking_for_a_broken_file_gives_its_reason(folder):
    (folder / "m.safetensors").write_bytes(b"<html>")
    with pytest.raises(NotFound, match="web page"):
        CheckpointList([folder]).find("m")


def test_the_same_name_in_two_folders_stays_apart(folder, tmp_path):
    write_checkpoint(folder / "m.safetensors")
    write_checkpoint(tmp_path / "other" / "m.safetensors", 1.0)
    listed = CheckpointList([folder, tmp_path / "other"])
    assert titles(listed) == ["m.safetensors", "other/m.safetensors"]
    assert listed.find("other/m.safetensors").path.parent.name == "other"


def test_a_single_file_from_elsewhere_comes_first(folder, tmp_path):
    write_checkpoint(folder / "a.safetensors")
    one = write_checkpoint(tmp_path / "elsewhere" / "z.safetensors")
    assert titles(CheckpointList([folder], files=[one])) == ["z.safetensors", "a.safetensors"]


def test_links_are_followed_and_loops_end(folder, tmp_path):
    write_checkpoint(tmp_path / "disk" / "far.safetensors")
    (folder / "link").symlink_to(tmp_path / "disk")
    (tmp_path / "disk" / "back").symlink_to(folder)
    (folder / "self").symlink_to(folder)
    assert titles(CheckpointList([folder])) == ["link/far.safetensors"]


def test_files_that_did_not_change_keep_what_is_known_about_them(folder):
    write_checkpoint(folder / "m.safetensors")
    listed = CheckpointList([folder])
    before = listed.list()[0]
    write_checkpoint(folder / "n.safetensors")
    listed.refresh()
    assert titles(listed) == ["m.safetensors", "n.safetensors"] and listed.list()[0] is before


def test_a_refused_file_is_listed_as_broken_until_it_changes(folder):
    path = write_checkpoint(folder / "m.safetensors")
    listed = CheckpointList([folder])
    listed.refuse(listed.find("m"), "It is spoiled.")
    assert not listed.list() and [broken.reason for broken in listed.broken] == ["It is spoiled."]
    write_checkpoint(path, 2.0)
    os.utime(path, ns=(5, 5))
    listed.refresh()
    assert titles(listed) == ["m.safetensors"] and not listed.broken


def test_five_thousand_files_list_in_under_a_second(folder):
    rows = [{"dtype": "F16", "shape": [320], "data_offsets": [i * 640, i * 640 + 640]} for i in range(300)]
    header = {f"model.diffusion_model.input_blocks.{i}.0.in_layers.0.weight": row for i, row in enumerate(rows)}
    first = write_header(folder / "0.safetensors", json.dumps(header, separators=(",", ":")).encode(), b"\0" * 300 * 640)
    for number in range(1, 5000):
        os.link(first, folder / f"{number}.safetensors")
    best = min(timed(lambda: CheckpointList([folder])) for _ in range(3))
    assert best < 1.0 and len(CheckpointList([folder])) == 5000


def test_listing_reads_no_file_through(folder):
    """Files of 2 GB each, sparse: reading them would take minutes."""
    header = b'{"x":{"dtype":"F16","shape":[1000000000],"data_offsets":[0,2000000000]}}'
    for number in range(200):
        path = folder / f"{number}.safetensors"
        path.write_bytes(len(header).to_bytes(8, "little") + header)
        os.truncate(path, 8 + len(header) + 2_000_000_000)
    assert timed(lambda: CheckpointList([folder])) < 1.0
    assert len(CheckpointList([folder])) == 200


def timed(action):
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def test_natural_order_counts_numbers_as_numbers():
    assert sorted(["b10", "B9", "a", "9", "10"], key=natural_order) == ["9", "10", "a", "B9", "b10"]


def test_files_below_a_missing_folder_are_none(tmp_path):
    assert not list(files_below(tmp_path / "missing", (".x",)))
    shutil.rmtree(tmp_path)
    assert not list(files_below(tmp_path, (".x",)))
