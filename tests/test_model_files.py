"""Model files that a person brings: folders, uploads in pieces that go on where they stopped, addresses."""
import pytest

from modules import model_files
from modules.errors import NotFound, RequestError, UserError
from modules.model_files import KINDS

LORA = KINDS["lora"]


def test_each_kind_has_its_folder_and_says_how_many_files_lie_there(runtime):
    before = {row["name"]: row["count"] for row in model_files.overview(runtime)}
    (runtime.folders.lora / "sub").mkdir(parents=True, exist_ok=True)
    (runtime.folders.lora / "sub" / "a.safetensors").write_bytes(b"x")
    (runtime.folders.lora / "a.png").write_bytes(b"x")
    rows = {row["name"]: row for row in model_files.overview(runtime)}
    assert rows["lora"]["path"] == str(runtime.folders.lora) and rows["lora"]["count"] == before["lora"] + 1
    assert rows["embedding"]["path"] == str(runtime.folders.embeddings) and rows["checkpoint"]["path"] == str(runtime.folders.checkpoints)


def test_an_upload_goes_on_where_it_stopped_and_is_whole_at_once(runtime):
    content = bytes(range(250)) * 4
    assert model_files.take_piece(runtime, LORA, "style.safetensors", 0, 1000, content[:400]) == 400
    target = runtime.folders.lora / "style.safetensors"
    assert not target.exists() and model_files.uploaded_bytes(runtime, LORA, "style.safetensors") == 400
    with pytest.raises(RequestError):
        model_files.take_piece(runtime, LORA, "style.safetensors", 500, 1000, content[500:])
    model_files.take_piece(runtime, LORA, "style.safetensors", 400, 1000, content[400:])
    assert target.read_bytes() == content
    with pytest.raises(RequestError, match="there already"):
        model_files.take_piece(runtime, LORA, "style.safetensors", 0, 4, b"four")
    assert target in model_files.files_of(runtime.folders.lora)


def test_another_file_of_the_same_name_does_not_go_on_with_what_came_of_the_first(runtime):
    model_files.take_piece(runtime, LORA, "twin.safetensors", 0, 4, b"ol", "4-1")
    assert model_files.uploaded_bytes(runtime, LORA, "twin.safetensors", "4-2") == 0
    model_files.take_piece(runtime, LORA, "twin.safetensors", 0, 4, b"new!", "4-2")
    assert (runtime.folders.lora / "twin.safetensors").read_bytes() == b"new!"


@pytest.mark.parametrize("name", ["../x.safetensors", "a/b.pt", ".hidden.pt", "run.exe", "page.html", "x", "CON.pt", "a\0.pt"])
def test_only_names_of_model_files_that_lead_nowhere_else_are_taken(runtime, name):
    with pytest.raises(RequestError):
        model_files.take_piece(runtime, LORA, name, 0, 1, b"x")


def test_a_full_disk_and_a_piece_too_much_are_refused(runtime, monkeypatch):
    with pytest.raises(RequestError):
        model_files.take_piece(runtime, LORA, "a.pt", 0, 2, b"three")
    monkeypatch.setattr(model_files, "KEPT_FREE_BYTES", 1 << 60)
    with pytest.raises(UserError, match="no room"):
        model_files.take_piece(runtime, LORA, "a.pt", 0, 4, b"four")
    assert model_files.uploaded_bytes(runtime, LORA, "a.pt") == 0


def test_addresses_are_https_and_name_a_model_file():
    file = model_files.file_at("https://example.org/files/My%20style.safetensors?token=x", "", LORA, "A" * 64)
    assert file.name == "My style.safetensors" and file.sha256 == "a" * 64 and file.folders == ("Lora",)
    refused = (("http://example.org/a.pt", "", ""), ("https://u:p@example.org/a.pt", "", ""), ("file:///etc/passwd", "", ""),
               ("https://example.org/download", "", ""), ("https://example.org/a.pt", "../a.pt", ""),
               ("https://example.org/a.pt", "", "abc"))
    for address, name, digest in refused:
        with pytest.raises(RequestError):
            model_files.file_at(address, name, LORA, digest)


def test_an_address_of_this_machine_is_not_asked(runtime):
    job = model_files.submit(runtime, "https://127.0.0.1:1/a.safetensors", "", LORA, "")
    assert job.wait(30) and job.status == "failed" and "own network" in job.error
    with pytest.raises(NotFound):
        model_files.kind_named("nonsense")
