"""The gallery: an index made from the files, its search, marks, moving, and the bin."""
import os
import shutil
import threading
from datetime import datetime
from pathlib import Path

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from modules.errors import NotFound, RequestError
from modules.gallery.gallery import Gallery, picture_folders
from modules.gallery.index import FileFound, Index, PictureText, id_of
from modules.settings.catalog import built_in_options
from modules.settings.store import Options

PICTURES = {
    "txt2img/00001.png": ("a red fox, forest", "blurry", {"Steps": 20, "Sampler": "Euler a", "CFG scale": 7, "Seed": 11}, "2026-11-20"),
    "txt2img/00002.png": ("a Castle at night", "", {"Steps": 30, "Sampler": "DPM++ 2M", "CFG scale": 4.5, "Seed": 12}, "2026-11-20"),
    "txt2img/day/00003.png": ("red castle", "night", {"Steps": 8, "Sampler": "LCM", "CFG scale": 1, "Seed": 400}, "2026-11-21"),
    "img2img/00001.png": ("oil painting of a fox: autumn", "", {"Steps": 50, "Sampler": "Euler", "CFG scale": 12, "Seed": 5}, "2025-01-05"),
}


def write_picture(path: Path, prompt="", negative="", fields=None, day="2026-11-20"):
    path.parent.mkdir(parents=True, exist_ok=True)
    info = PngInfo()
    pairs = ", ".join(f"{key}: {value}" for key, value in ({"Size": "64x32", **fields} if fields else {}).items())
    if pairs:
        info.add_text("parameters", "\n".join(filter(None, [prompt, f"Negative prompt: {negative}" if negative else "", pairs])))
    Image.new("RGB", (64, 32), "teal").save(path, pnginfo=info)
    time = datetime.fromisoformat(f"{day}T12:00:00").timestamp()
    os.utime(path, (time, time))


@pytest.fixture
def folder(tmp_path) -> Path:
    for name, (prompt, negative, fields, day) in PICTURES.items():
        write_picture(tmp_path / name, prompt, negative, fields, day)
    return tmp_path


@pytest.fixture
def gallery(folder):
    gallery = Gallery(None, lambda: [folder / "txt2img", folder / "img2img"])
    gallery.read_all()
    yield gallery
    gallery.close()


def names(gallery, query="", order="newest", folder=""):
    return [row["name"] for row in gallery.index.rows(gallery.find(query, order, folder).numbers)]


def prompts(gallery, query):
    return {gallery.index.picture(row["id"])["prompt"] for row in gallery.index.rows(gallery.find(query, "newest", "").numbers)}


def id_in(gallery, folder, name):
    return id_of(str(folder / name))


FOX, CASTLE, RED, OIL = (prompt for prompt, *_ in PICTURES.values())


@pytest.mark.parametrize(("query", "expected"), [
    ("", {FOX, CASTLE, RED, OIL}),
    ("castle", {CASTLE, RED}),
    ("CASTLE red", {RED}),
    ("night", {CASTLE, RED}),
    ("prompt:night", {CASTLE}),
    ("negative:night", {RED}),
    ("red -forest", {RED}),
    ('"red fox"', {FOX}),
    ("fox:", {OIL}),
    ("steps>=20", {FOX, CASTLE, OIL}),
    ("steps>20 cfg<10", {CASTLE}),
    ("cfg_scale:4..8", {FOX, CASTLE}),
    ('"CFG scale"=12', {OIL}),
    ("seed:11..12", {FOX, CASTLE}),
    ("seed=400", {RED}),
    ("sampler:euler", {FOX, OIL}),
    ("sampler=euler", {OIL}),
    ("size=64x32 -sampler:euler", {CASTLE, RED}),
    ("date:2026-11-21", {RED}),
    ("date>=2026-11 -date:2026-11-21", {FOX, CASTLE}),
    ("date:2025", {OIL}),
    ("date<2026", {OIL}),
    ("date:2025-01-01..2026-11-20", {FOX, CASTLE, OIL}),
    ("width>64", set()),
    ("height=32", {FOX, CASTLE, RED, OIL}),
    ("%' OR 1=1 --", set()),
])
def test_a_search_finds_words_phrases_and_values_of_every_key(gallery, query, expected):
    assert prompts(gallery, query) == expected


@pytest.mark.parametrize("query", ["steps>many", "nothing>3", "date:soon", "is:nice", "x " * 1500, "a " * 41])
def test_a_search_that_cannot_be_meant_is_refused_with_a_sentence(gallery, query):
    with pytest.raises(RequestError) as refused:
        gallery.find(query, "newest", "")
    assert refused.value.field == "query" and str(refused.value).endswith(".")


def test_pictures_are_sorted_and_counted_by_day(gallery):
    assert names(gallery) == ["00003.png", "00001.png", "00002.png", "00001.png"]
    assert gallery.find("", "newest", "").days == (("2026-11-21", 1), ("2026-11-20", 2), ("2025-01-05", 1))
    assert names(gallery, order="oldest")[0] == "00001.png" and names(gallery, order="name")[-1] == "00003.png"


def test_folders_are_listed_with_what_lies_below_them(gallery):
    assert gallery.folders() == [{"label": "img2img", "count": 1}, {"label": "txt2img", "count": 3}, {"label": "txt2img/day", "count": 1}]
    assert names(gallery, folder="txt2img/day") == ["00003.png"] and len(names(gallery, folder="txt2img")) == 3
    with pytest.raises(NotFound):
        gallery.find("", "newest", "../..")


def test_new_changed_and_deleted_files_are_noticed(gallery, folder):
    write_picture(folder / "txt2img/00004.png", "a new one", "", {"Steps": 1, "Sampler": "Euler", "Seed": 1}, "2026-11-21")
    write_picture(folder / "txt2img/00001.png", "another fox", "", {"Steps": 1, "Sampler": "Euler", "Seed": 1}, "2026-11-21")
    (folder / "img2img/00001.png").unlink()
    version = gallery.index.version
    gallery.read_all()
    assert prompts(gallery, "") == {"a new one", "another fox", CASTLE, RED} and gallery.index.version > version
    assert prompts(gallery, "forest") == set()
    gallery.read_all()
    assert len(gallery.find("steps=1", "newest", "").numbers) == 2


def test_what_is_no_picture_hidden_or_a_loop_of_links_does_no_harm(folder):
    (folder / "txt2img/broken.png").write_bytes(b"nothing")
    (folder / "txt2img/notes.txt").write_text("hello")
    (folder / "txt2img/.hidden").mkdir()
    shutil.copy(folder / "txt2img/00001.png", folder / "txt2img/.hidden/x.png")
    (folder / "txt2img/loop").symlink_to(folder / "txt2img", target_is_directory=True)
    gallery = Gallery(None, lambda: [folder / "txt2img", folder / "missing"])
    gallery.read_all()
    assert sorted(names(gallery)) == ["00001.png", "00002.png", "00003.png", "broken.png"]


def test_parameters_in_a_text_file_beside_the_picture_count_where_it_says_nothing(folder):
    write_picture(folder / "txt2img/plain.png")
    (folder / "txt2img/plain.txt").write_text("from the side\nSteps: 20, Sampler: Euler, Seed: 3, Size: 64x32")
    write_picture(folder / "txt2img/caption.png")
    (folder / "txt2img/caption.txt").write_text("a caption for training")
    gallery = Gallery(None, lambda: [folder / "txt2img"])
    gallery.read_all()
    assert prompts(gallery, "side") == {"from the side"} and prompts(gallery, "training") == set()


def test_the_index_is_made_again_from_the_files(gallery, folder, tmp_path):
    gallery.star([id_in(gallery, folder, "txt2img/00002.png")], True)
    file = tmp_path / "index.sqlite"
    again = Gallery(file, lambda: [folder / "txt2img", folder / "img2img"])
    again.read_all()
    assert prompts(again, "is:starred") == {CASTLE} and prompts(again, "cfg>=4") == {FOX, CASTLE, OIL}
    again.close()
    file.write_bytes(b"this is no database" * 100)
    damaged = Gallery(file, lambda: [folder / "txt2img", folder / "img2img"])
    damaged.read_all()
    assert prompts(damaged, "is:starred") == {CASTLE} and len(names(damaged)) == 4
    damaged.close()


def test_stars_and_tags_lie_beside_the_pictures_and_move_with_them(gallery, folder):
    fox, oil = id_in(gallery, folder, "txt2img/00001.png"), id_in(gallery, folder, "img2img/00001.png")
    gallery.star([fox, oil], True)
    gallery.tag([fox], ["Poster", " for  print "], [])
    assert prompts(gallery, "is:starred") == {FOX, OIL} and prompts(gallery, 'tag:"for print"') == {FOX}
    assert gallery.index.all_tags() == {"for print": 1, "poster": 1}
    gallery.tag([fox], [], ["poster"])
    gallery.star([oil], False)
    assert gallery.index.picture(fox)["tags"] == ["for print"] and prompts(gallery, "is:starred") == {FOX}
    changed = gallery.move([fox], "img2img", "kept")
    assert changed.count == 1 and (folder / "img2img/kept/00001.png").is_file() and not (folder / "txt2img/00001.png").exists()
    assert prompts(gallery, "tag:print") == set() and prompts(gallery, 'tag:"for print"') == {FOX}
    fresh = Gallery(None, lambda: [folder / "txt2img", folder / "img2img"])
    fresh.read_all()
    assert prompts(fresh, 'is:starred tag:"for print" folder:kept') == {FOX}


def test_moving_never_replaces_a_file_and_takes_the_text_along(gallery, folder):
    (folder / "txt2img/00001.txt").write_text("beside")
    gallery.move([id_in(gallery, folder, "txt2img/00001.png")], "img2img")
    assert (folder / "img2img/00001-1.png").is_file() and (folder / "img2img/00001-1.txt").read_text() == "beside"
    assert prompts(gallery, "fox") == {FOX, OIL}
    with pytest.raises(NotFound):
        gallery.move([id_in(gallery, folder, "txt2img/00002.png")], "elsewhere")
    gallery.move([id_in(gallery, folder, "txt2img/00002.png")], "img2img", "new/../../out")
    assert (folder / "img2img/new_.._.._out/00002.png").is_file()


def test_what_is_deleted_comes_back_as_it_was(gallery, folder):
    picture = folder / "txt2img/00002.png"
    content, modified = picture.read_bytes(), picture.stat().st_mtime
    (folder / "txt2img/00002.txt").write_text("beside")
    gallery.tag([id_in(gallery, folder, "txt2img/00002.png")], ["keep"], [])
    deleted = gallery.delete([id_in(gallery, folder, "txt2img/00002.png"), id_in(gallery, folder, "img2img/00001.png")])
    assert deleted.count == 2 and not picture.exists() and not picture.with_suffix(".txt").exists()
    assert prompts(gallery, "") == {FOX, RED}
    assert [entry.files[0] for entry in gallery.bin.entries()] == ["00001.png", "00002.png"]
    gallery.read_all()
    assert prompts(gallery, "") == {FOX, RED}  # the bin itself is not shown
    write_picture(picture, "in its place", "", {"Steps": 1, "Sampler": "Euler", "Seed": 1})
    assert gallery.restore(deleted.undo).count == 2 and not gallery.bin.entries()
    restored = folder / "txt2img/00002-1.png"
    assert restored.read_bytes() == content and restored.stat().st_mtime == modified
    assert (folder / "txt2img/00002-1.txt").read_text() == "beside"
    gallery.read_all()
    assert prompts(gallery, "tag:keep") == {CASTLE} and prompts(gallery, "") == {FOX, CASTLE, RED, OIL, "in its place"}
    with pytest.raises(NotFound):
        gallery.restore(deleted.undo)
    with pytest.raises(NotFound):
        gallery.restore(["../../../../etc"])


def test_a_picture_and_its_text_keep_one_name_where_it_is_taken(gallery, folder):
    text = folder / "txt2img/00001.txt"
    text.write_text("of the first")
    deleted = gallery.delete([id_in(gallery, folder, "txt2img/00001.png")])
    write_picture(folder / "txt2img/00001.png")
    gallery.restore(deleted.undo)
    assert (folder / "txt2img/00001-1.png").is_file() and (folder / "txt2img/00001-1.txt").read_text() == "of the first"
    assert not text.exists()
    (folder / "img2img/00001.txt").write_text("of another")
    gallery.read_all()
    gallery.move([id_in(gallery, folder, "txt2img/00001-1.png")], "img2img")
    assert (folder / "img2img/00001-1.txt").read_text() == "of the first"


def test_what_was_deleted_comes_back_after_its_folder_was_moved(folder, tmp_path):
    gallery = Gallery(None, lambda: [folder / "txt2img"])
    gallery.read_all()
    undo = gallery.delete([id_in(gallery, folder, "txt2img/day/00003.png")]).undo
    (folder / "txt2img").rename(folder / "elsewhere")
    moved = Gallery(None, lambda: [folder / "elsewhere"])
    assert moved.restore(undo).count == 1
    assert (folder / "elsewhere/00003.png").is_file() and not (folder / "txt2img").exists()
    gallery.close()
    moved.close()


def test_pictures_are_not_moved_where_the_gallery_does_not_show_them(gallery, folder):
    for name in (".hidden", ".easel-bin", "../../out"):
        with pytest.raises(RequestError):
            gallery.move([id_in(gallery, folder, "txt2img/00001.png")], "txt2img", name)
    assert (folder / "txt2img/00001.png").is_file()


def test_users_and_administrators_mark_the_same_pictures_in_turn(gallery, folder):
    part = gallery.part(folder / "part.sqlite", lambda: [folder / "txt2img"])
    part.read_all()
    threads = [threading.Thread(target=each.tag, args=([id_in(gallery, folder, "txt2img/00001.png")], [f"{name}{i}"], []))
               for i in range(10) for name, each in (("whole", gallery), ("part", part))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    gallery.rebuild()
    gallery.read_all()
    assert len(gallery.index.picture(id_in(gallery, folder, "txt2img/00001.png"))["tags"]) == 20


@pytest.mark.skipif(os.name == "nt", reason="names are text there")
def test_a_name_that_is_no_text_hides_no_other_picture(folder):
    os.rename(os.fsencode(folder / "img2img/00001.png"), os.fsencode(folder / "img2img") + b"/\xff.png")
    gallery = Gallery(None, lambda: [folder / "txt2img", folder / "img2img"])
    gallery.read_all()
    assert len(gallery.find("", "newest", "").numbers) == 3
    gallery.close()


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="a folder that takes no file is needed")
def test_without_a_place_on_disk_the_index_is_kept_in_memory():
    index = Index(Path("/proc/self/index.sqlite"))
    assert index.is_empty()
    index.close()


def test_what_was_read_in_a_file_is_never_entered_for_another_one(tmp_path):
    index = Index(None)
    index.list_files([FileFound(path="/a.png", modified=1.0, size=1)], ())
    (number, _), = index.unread(1)
    index.list_files([FileFound(path="/b.png", modified=2.0, size=1)], ["/a.png"])
    index.write_texts({number: PictureText(prompt="of a")})
    assert index.picture(id_of("/b.png"))["prompt"] == ""
    index.close()


def test_a_full_disk_leaves_the_picture_where_it_is(gallery, folder, monkeypatch):
    def full(*args):
        raise OSError(28, "No space left on device", str(folder))
    monkeypatch.setattr("modules.gallery.bin.shutil.move", full)
    changed = gallery.delete([id_in(gallery, folder, "txt2img/00001.png")])
    assert changed.count == 0 and "disk is full" in changed.notes[0] and (folder / "txt2img/00001.png").is_file()
    assert not gallery.bin.entries() and prompts(gallery, "forest") == {FOX}


def test_looking_again_does_not_wait_for_the_reading(folder):
    gallery = Gallery(None, lambda: [folder / "txt2img", folder / "img2img"])
    gallery.look(5)
    assert len(gallery.find("", "newest", "").numbers) == 4
    for _ in range(100):
        if not gallery.index.unread_count():
            break
        threading.Event().wait(0.05)
    assert prompts(gallery, "cfg>10") == {OIL}
    gallery.close()


def test_an_index_of_another_version_is_made_again(tmp_path):
    import sqlite3
    file = tmp_path / "index.sqlite"
    with sqlite3.connect(file) as db:
        db.execute("PRAGMA user_version=99")
    db.close()
    index = Index(file)
    assert not index.files()
    index.close()


def test_the_folders_of_the_settings_are_shown_once_and_further_ones_with_them(tmp_path):
    settings = Options(built_in_options(), tmp_path / "config.json")
    settings.set("gallery_folders", f"{tmp_path / 'old'}; outputs/txt2img-images/sub")
    folders = picture_folders(settings, tmp_path)
    assert tmp_path / "outputs/txt2img-images" in folders and tmp_path / "old" in folders and tmp_path / "log/images" in folders
    assert tmp_path / "outputs/txt2img-images/sub" not in folders and len(set(folders)) == len(folders)
