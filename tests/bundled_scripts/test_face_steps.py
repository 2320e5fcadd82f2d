"""The steps GFPGAN and CodeFormer of Extras: what they write, and what happens without a face or a file."""
import numpy as np
import pytest
from PIL import Image

from modules import postprocessing
from modules.postprocessing import ExtrasRequest


@pytest.fixture
def faces(runtime, monkeypatch):
    """A restoration that turns pictures into their negatives; one that is all black has no face."""
    def restored(image, name, *, weight=0.5, visibility=1.0):
        return image if image.getextrema()[0] == (0, 0) else Image.blend(image, image.point(lambda value: 255 - value), visibility)

    monkeypatch.setattr(runtime.faces, "restored", restored)


def run(runtime, tmp_path, colour: str, **steps):
    path = tmp_path / "picture.png"
    Image.new("RGB", (32, 32), colour).save(path)
    job = postprocessing.submit(runtime, ExtrasRequest(input_dir=str(tmp_path), steps=steps))
    assert job.wait(60)
    return job


def test_visibility_and_weight_are_written_where_a_face_was_restored(runtime, faces, tmp_path):
    job = run(runtime, tmp_path, "white", CodeFormer={"enable": True, "codeformer_visibility": 0.5, "codeformer_weight": 0.25})
    assert job.status == "done", job.error
    [picture] = job.result["images"]
    assert abs(int(np.asarray(Image.open(picture["path"])).mean()) - 127) <= 1
    assert "Postprocess CodeFormer visibility: 0.5, Postprocess CodeFormer weight: 0.25" in picture["infotext"]


def test_a_picture_without_a_face_stays_as_it_is_and_a_note_says_so(runtime, faces, tmp_path):
    job = run(runtime, tmp_path, "black", GFPGAN={"enable": True, "gfpgan_visibility": 1.0})
    [picture] = job.result["images"]
    assert not np.asarray(Image.open(picture["path"])).any() and "GFPGAN" not in picture["infotext"]
    assert any("found no face" in note for note in job.result["notes"])


def test_a_missing_file_is_named(runtime, tmp_path):
    job = run(runtime, tmp_path, "white", GFPGAN={"enable": True, "gfpgan_visibility": 1.0})
    said = " ".join([job.error or "", *((job.result or {}).get("notes", []))])
    assert "GFPGAN needs GFPGANv1.4.pth in models/GFPGAN" in said


def test_extensions_find_them_under_the_names_that_they_know(runtime, faces):
    from modules import codeformer_model, face_restoration, gfpgan_model, shared

    assert [way.name() for way in shared.face_restorers] == ["CodeFormer", "GFPGAN"]
    white = np.full((8, 8, 3), 255, np.uint8)
    for restored in (codeformer_model.codeformer.restore(white, w=0.5), gfpgan_model.gfpgan_fix_faces(white),
                     face_restoration.restore_faces(white)):
        assert restored.shape == (8, 8, 3) and not restored.any()
