"""Routes of the gallery: questions, files and changes, and who may ask."""
import io
import shutil

import pytest
from PIL import Image

from modules import txt2img
from modules.api.gallery import gallery_of
from modules.api.own_queue import Viewer
from modules.errors import NotFound


@pytest.fixture
def made(rt, client):
    """The id of a picture of the running program, in its gallery."""
    job = txt2img.submit(rt, {"prompt": "a lighthouse <img src=x>", "steps": 1, "width": 64, "height": 64})
    assert job.wait(60) and job.status == "done"
    rt.gallery.read_all()
    row = client.get("/internal/gallery/pictures", params={"query": f"seed={job.result['images'][0]['seed']}"}).json()["pictures"][0]
    return row["id"]


def test_the_overview_counts_by_day_and_pictures_come_in_parts(client, made):
    overview = client.get("/internal/gallery", params={"query": "lighthouse", "look": True}).json()
    assert overview["total"] == sum(day["count"] for day in overview["days"]) >= 1 and overview["unread"] == 0
    part = client.get("/internal/gallery/pictures", params={"first": 0, "count": 1, "query": "lighthouse"}).json()
    assert len(part["pictures"]) == 1 and part["pictures"][0]["width"] == 64
    refused = client.get("/internal/gallery", params={"query": "steps>few"})
    assert refused.status_code == 422 and "no number" in refused.json()["detail"]


def test_a_picture_comes_with_its_parameters_its_thumbnail_and_its_file(client, made):
    details = client.get(f"/internal/gallery/picture/{made}").json()
    assert details["prompt"] == "a lighthouse <img src=x>" and {"key": "Steps", "value": "1"} in details["parameters"]
    small = client.get(f"/internal/gallery/picture/{made}/thumbnail")
    assert small.headers["content-type"] == "image/webp" and Image.open(io.BytesIO(small.content)).size == (64, 64)
    whole = client.get(f"/internal/gallery/picture/{made}/file", params={"download": True})
    assert whole.headers["content-disposition"].startswith("attachment") and Image.open(io.BytesIO(whole.content)).format == "PNG"
    for unknown in ("nothing", "..%2F..%2Fetc%2Fpasswd"):
        assert client.get(f"/internal/gallery/picture/{unknown}/file").status_code == 404


def test_stars_tags_moving_and_the_bin_by_request(client, made):
    assert client.post("/internal/gallery/star", json={"ids": [made]}).json()["count"] == 1
    client.post("/internal/gallery/tag", json={"ids": [made], "add": ["coast"]})
    tags = client.get("/internal/gallery/folders").json()["tags"]
    marked = client.get("/internal/gallery", params={"query": "tag:coast is:starred"}).json()
    assert {"tag": "coast", "count": 1} in tags and marked["total"] == 1
    deleted = client.post("/internal/gallery/delete", json={"ids": [made]}).json()
    assert deleted["count"] == 1 and client.get(f"/internal/gallery/picture/{made}").status_code == 404
    entry = client.get("/internal/gallery/bin").json()["entries"][0]
    assert client.get(f"/internal/gallery/bin/{entry['id']}/thumbnail").headers["content-type"] == "image/webp"
    assert client.post("/internal/gallery/restore", json={"ids": deleted["undo"]}).json()["count"] == 1
    assert client.get("/internal/gallery", params={"query": "tag:coast"}).json()["total"] == 1
    client.post("/internal/gallery/delete", json={"ids": [made]})
    assert client.post("/internal/gallery/empty-bin", json={}).status_code == 404
    assert client.post("/internal/gallery/empty-bin", json={"all": True}).json()["count"] == 1
    assert client.get("/internal/gallery/bin").json()["entries"] == []


def test_with_logins_each_user_has_a_gallery_of_their_own(rt, made):
    assert gallery_of(rt, Viewer()) is rt.gallery and gallery_of(rt, Viewer(user="ada", is_admin=True)) is rt.gallery
    gallery = gallery_of(rt, Viewer(user="ben", is_admin=False))
    own = rt.folders.data / rt.settings.outdir_txt2img_samples / "user-ben"
    assert own in gallery.roots and gallery_of(rt, Viewer(user="ben", is_admin=False)) is gallery
    own.mkdir(parents=True)
    shutil.copy(rt.gallery.index.path_of(made), own / "mine.png")
    gallery.read_all()
    assert [row["name"] for row in gallery.index.rows(gallery.find("", "newest", "").numbers)] == ["mine.png"]
    with pytest.raises(NotFound):
        gallery.index.path_of(made)
