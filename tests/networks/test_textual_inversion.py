"""Learned embeddings: files, and names in token lists."""
import pickle
import zipfile

import pytest
import torch
from safetensors.torch import save_file

from modules.networks.textual_inversion import Embedding, EmbeddingTable, NotAnEmbedding, bundled_embeddings, read_embedding
from modules.nn.tokenizer import ClipTokenizer

VECTORS = torch.arange(8, dtype=torch.float32).reshape(2, 4)


def table(folder, width=4) -> EmbeddingTable:
    found = EmbeddingTable([folder], ClipTokenizer().encode)
    found.refresh(width)
    return found


@pytest.mark.parametrize("contents", [
    {"string_to_token": {"*": 265}, "string_to_param": {"*": VECTORS}, "name": "x", "step": 5},
    {"emb_params": VECTORS},
    {"<my-word>": VECTORS},
])
@pytest.mark.parametrize("zipped", [True, False])
def test_pickles_of_every_layout_are_read(tmp_path, contents, zipped):
    path = tmp_path / "word.pt"
    torch.save(contents, path, _use_new_zipfile_serialization=zipped)
    assert torch.equal(read_embedding(path).vectors, VECTORS)


def test_parameters_of_old_torch_are_read(tmp_path):
    torch.save({"string_to_param": torch.nn.ParameterDict({"*": torch.nn.Parameter(VECTORS)})}, tmp_path / "word.pt")
    assert torch.equal(read_embedding(tmp_path / "word.pt").vectors, VECTORS)


def test_a_single_vector_of_diffusers_is_read(tmp_path):
    torch.save({"<w>": VECTORS[0]}, tmp_path / "word.bin")
    assert read_embedding(tmp_path / "word.bin").vectors.shape == (1, 4)


def test_both_encoders_of_sdxl_are_read(tmp_path):
    save_file({"clip_l": VECTORS, "clip_g": torch.ones(2, 6)}, tmp_path / "word.safetensors")
    found = read_embedding(tmp_path / "word.safetensors")
    assert found.width == 10 and found.second_vectors.shape == (2, 6)


def test_recorded_hashes_are_the_beginning_of_sha256(goldens):
    assert read_embedding(goldens / "tiny-model" / "tinyemb.safetensors").short_hash == "18f06c2f3df3"
    assert read_embedding(goldens / "tiny-model" / "my-style two.pt").short_hash == "0e185d83ba48"


class Bomb:
    """Runs a command when unpickled without restrictions."""

    def __init__(self, target):
        self.target = target

    def __reduce__(self):
        return (open, (str(self.target), "w"))


@pytest.mark.parametrize("zipped", [True, False])
def test_nothing_in_a_pickle_runs(tmp_path, zipped):
    path, trace = tmp_path / "evil.pt", tmp_path / "trace"
    torch.save({"string_to_param": {"*": VECTORS}, "x": Bomb(trace)}, path, _use_new_zipfile_serialization=zipped)
    assert "could run" in table(tmp_path).skipped["evil"] and not trace.exists()


def test_a_bare_pickle_does_not_run(tmp_path):
    (tmp_path / "evil.bin").write_bytes(pickle.dumps(Bomb(tmp_path / "trace")))
    assert "evil" in table(tmp_path).skipped and not (tmp_path / "trace").exists()


def test_compressed_parts_are_refused(tmp_path):
    torch.save({"a": VECTORS}, tmp_path / "plain.pt")
    with zipfile.ZipFile(tmp_path / "plain.pt") as source, zipfile.ZipFile(tmp_path / "small.pt", "w", zipfile.ZIP_DEFLATED) as target:
        for member in source.infolist():
            target.writestr(member.filename, source.read(member))
    with pytest.raises(NotAnEmbedding, match="compressed"):
        read_embedding(tmp_path / "small.pt")


@pytest.mark.parametrize("name, data", [
    ("a.pt", b""), ("b.safetensors", b"\xff" * 20), ("c.bin", b"PK\x03\x04 rubbish"), ("d.pt", b"text"),
])
def test_damaged_files_are_skipped_with_a_reason(tmp_path, name, data):
    (tmp_path / name).write_bytes(data)
    assert table(tmp_path).skipped[name[0]]


@pytest.mark.parametrize("contents", [
    {"a": VECTORS, "b": VECTORS}, {}, {"a": torch.ones(2, 2, 2)}, {"a": torch.ones(76, 4)}, [VECTORS], {"string_to_param": 3},
])
def test_other_tensors_are_no_embedding(tmp_path, contents):
    torch.save(contents, tmp_path / "word.pt")
    with pytest.raises(NotAnEmbedding):
        read_embedding(tmp_path / "word.pt")


def test_another_width_is_skipped_and_fits_the_next_model(tmp_path):
    torch.save({"*": VECTORS}, tmp_path / "word.pt")
    found = table(tmp_path, width=768)
    assert "768" in found.skipped["word"] and not found.loaded
    found.refresh(width=4)
    assert list(found.loaded) == ["word"] and not found.skipped


def test_the_recorded_embedding_of_wrong_width_is_skipped(goldens):
    found = table(goldens / "tiny-model", width=64)
    assert set(found.loaded) == {"tinyemb", "my-style two"} and "wrongdim" in found.skipped


def test_the_longest_name_wins_whatever_its_case():
    found = EmbeddingTable([], ClipTokenizer().encode)
    found.width = 4
    for name in ("Big", "big cat"):
        assert found.add(Embedding(name=name, vectors=VECTORS))
    tokens = ClipTokenizer().encode("a BIG CAT and big dog")
    seen = [found.find(tokens, i) for i in range(len(tokens))]
    assert [(each[0].name, each[1]) for each in seen if each] == [("big cat", 2), ("Big", 1)]


def test_new_changed_and_removed_files_are_seen_again(tmp_path):
    found = table(tmp_path)
    torch.save({"*": VECTORS}, tmp_path / "word.pt")
    found.refresh()
    first = found.loaded["word"]
    found.refresh()
    assert found.loaded["word"] is first
    (tmp_path / "word.pt").unlink()
    found.refresh()
    assert not found.loaded


def test_embeddings_lie_in_sub_folders_too(tmp_path):
    (tmp_path / "styles").mkdir()
    torch.save({"*": VECTORS}, tmp_path / "styles" / "word.pt")
    assert list(table(tmp_path).loaded) == ["word"]


def test_links_to_folders_are_followed_and_loops_are_not(tmp_path):
    (tmp_path / "here").mkdir()
    (tmp_path / "elsewhere").mkdir()
    save_file({"emb_params": VECTORS}, tmp_path / "elsewhere" / "far.safetensors")
    (tmp_path / "here" / "link").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere" / "back").symlink_to(tmp_path / "here")
    assert list(table(tmp_path / "here").loaded) == ["far"]


def test_a_missing_folder_holds_no_embeddings(tmp_path):
    assert not table(tmp_path / "nowhere").loaded


def test_embeddings_in_another_file_are_found_by_name():
    first, second = torch.randn(2, 4), torch.randn(2, 6)
    tensors = {"bundle_emb.my.word.string_to_param.*": first, "bundle_emb.xl.clip_l": first, "bundle_emb.xl.clip_g": second,
               "bundle_emb.odd.t5": first, "lora_unet_x.alpha": torch.tensor(1.0)}
    embeddings, keys = bundled_embeddings(tensors)
    assert [(one.name, one.width, one.short_hash) for one in embeddings] == [("my.word", 4, ""), ("xl", 10, "")]
    assert keys == set(list(tensors)[:3])


def test_a_table_includes_other_embeddings_for_a_scope_alone(tmp_path):
    table = EmbeddingTable([tmp_path], lambda text: [ord(letter) for letter in text])
    table.refresh(4)
    table.add(Embedding(name="own", vectors=torch.zeros(1, 4)))
    others = [Embedding(name=name, vectors=torch.ones(1, width)) for name, width in (("own", 4), ("more", 4), ("wide", 5))]
    with pytest.raises(KeyboardInterrupt), table.including(others):
        assert list(table.loaded) == ["own", "more"] and table.skipped == {}
        assert table.find([ord(letter) for letter in "more"], 0) == (others[1], 4)
        raise KeyboardInterrupt
    assert list(table.loaded) == ["own"] and table.find([ord(letter) for letter in "more"], 0) is None


def test_an_embedding_of_a_file_stays_when_another_one_differs_from_it_in_case_alone(tmp_path):
    tokens = lambda text: [ord(letter) for letter in text.lower()]
    table = EmbeddingTable([tmp_path], tokens)
    table.refresh(4)
    own = Embedding(name="Foo", vectors=torch.zeros(1, 4))
    table.add(own)
    for _ in range(2):
        assert table.find(tokens("foo"), 0) == (own, 3)
        with table.including([Embedding(name="foo", vectors=torch.ones(1, 4))]):
            assert table.find(tokens("foo"), 0) == (own, 3)
