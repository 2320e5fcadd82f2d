import json
import re
import threading
from pathlib import Path

import pytest
from PIL import Image

from modules.errors import UserError
from modules.imaging.embedded_text import read_infotext
from modules.imaging.encode import Encoding
from modules.imaging.filenames import NameContext
from modules.imaging.save import BigCopy, SaveOptions, remember_parameters, save_picture
from modules.settings.catalog import built_in_options
from modules.settings.store import Options

GOLDENS = Path(__file__).parents[1] / "goldens"
SAVED_FILES = json.loads((GOLDENS / "files-and-progress.json").read_text(encoding="utf-8"))["saved_files"]
PICTURE = Image.new("RGB", (64, 48), "red")
CONTEXT = NameContext(seed=7, prompt="a cat")
PLAIN = SaveOptions(pattern="[seed]")


def save(folder: Path, options: SaveOptions = PLAIN, image: Image.Image = PICTURE, text: str = "infotext", **more):
    return save_picture(image, options, CONTEXT, text, folder=folder, **more)


def names(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def as_recorded(case: dict) -> bool:
    """Whether Easel does the same: not for the two quirks of the recording."""
    return case["name"] not in ("same again no number", "no dirs")


def test_files_get_the_recorded_names(tmp_path):
    """All requests in their order, from an empty folder. Dates are those of today; the two quirks are tested below."""
    for case in filter(as_recorded, SAVED_FILES):
        request = case["request"]
        settings = Options(built_in_options())
        size, count = request.get("batch_size", 1), request.get("batch_size", 1) * request.get("n_iter", 1)
        with settings.overriding(request.get("override_settings", {})):
            context = NameContext(prompt=request["prompt"], seed=1, steps=2, sampler="Euler", model_name="tiny-sd1-s1", batch_size=size)
            before = set(names(tmp_path))
            options = SaveOptions.from_settings(settings)
            for index in range(count):
                if settings.save_images_before_highres_fix:
                    save_picture(PICTURE, options, context, "x", folder=tmp_path / "txt2img-images", suffix="-before-highres-fix")
                numbered = NameContext(**{**vars(context), "seed": 1 + index})
                save_picture(PICTURE, options, numbered, "x", folder=tmp_path / "txt2img-images")
            if count > 1 and settings.grid_save:
                options = SaveOptions.from_settings(settings, grid=True)
                save_picture(PICTURE, options, context, "x", folder=tmp_path / "txt2img-grids", grid=True)
        new = {re.sub(r"\d{4}-\d{2}-\d{2}", "2026-11-21", name) for name in set(names(tmp_path)) - before}
        assert new == {name.removeprefix("output/") for name in case["new_files"]}, case["name"]


def test_without_a_number_nothing_is_replaced(tmp_path):
    options = SaveOptions(pattern="[seed]", add_number=False)
    assert [save(tmp_path, options).path.name for _ in range(3)] == ["7.png", "7-1.png", "7-2.png"]


def test_an_existing_file_is_replaced_where_the_settings_say_so(tmp_path):
    options = SaveOptions(pattern="[seed]", add_number=False, replaces=True)
    for text in ("first", "second"):
        save(tmp_path, options, text=text)
    assert names(tmp_path) == ["7.png"] and read_infotext(Image.open(tmp_path / "7.png")) == "second"


def test_the_date_of_a_sub_folder_is_no_number(tmp_path):
    (tmp_path / "20261-sub").mkdir(parents=True)
    assert save(tmp_path).path.name == "00000-7.png"


def test_a_pattern_of_nothing_gets_a_number(tmp_path):
    assert save(tmp_path, SaveOptions(pattern="[none]", add_number=False)).path.name == "00000.png"


def test_a_forced_name_is_made_safe_and_never_replaces(tmp_path):
    assert [save(tmp_path, forced_name="../CON").path for _ in range(2)] == [tmp_path / ".._CON.png", tmp_path / ".._CON-1.png"]


BAD_WORDS = ["../../x", "/etc/x", "a\\b", "C:\\x", "CON", "a\0b", "猫" * 300, "😀" * 300, "x. . .", "...", "\ud800", "a\nb", "%2e%2e%2f"]


@pytest.mark.parametrize("pattern", ["[prompt]", "[prompt_spaces]", "[prompt_words]", "[prompt]/[prompt]", "[styles][model_name][user]"])
@pytest.mark.parametrize("word", BAD_WORDS, ids=ascii)
def test_no_text_leads_a_picture_out_of_its_folder_or_stops_it(tmp_path, pattern, word):
    folder = tmp_path / "out"
    options = SaveOptions(pattern=pattern, folder_pattern=f"{pattern}/{word}".replace("\0", ""), add_number=False, text_beside=True)
    context = NameContext(prompt=word, model_name=word, user=word, styles=(word,))
    saved = save_picture(PICTURE, options, context, word, folder=folder, suffix=word)
    assert saved.path.is_relative_to(folder) and ".." not in saved.path.parts and saved.path.is_file() and saved.text_path.is_file()
    assert len(names(tmp_path)) == 2 and len(saved.path.name.encode()) <= 255


@pytest.mark.parametrize("kind", ["png", "jpg", "webp", "avif", "gif"])
def test_the_infotext_is_inside_unless_switched_off(tmp_path, kind):
    inside = save(tmp_path, SaveOptions(encoding=Encoding(format=kind)))
    without = save(tmp_path, SaveOptions(encoding=Encoding(format=kind), embeds_infotext=False))
    assert (read_infotext(Image.open(inside.path)), read_infotext(Image.open(without.path))) == ("infotext", None)


def test_a_text_too_long_for_a_jpeg_lies_beside_it_in_full(tmp_path):
    text = "x" * 50_000
    saved = save(tmp_path, SaveOptions(encoding=Encoding(format="jpg")), text=text)
    assert saved.text_path.read_text() == text + "\n" and saved.text_path.stem == saved.path.stem


def test_a_number_with_a_stray_text_file_is_passed_over(tmp_path):
    (tmp_path / "7.txt").touch()
    saved = save(tmp_path, SaveOptions(pattern="[seed]", add_number=False, text_beside=True))
    assert (saved.path.name, saved.text_path.name) == ("7-1.png", "7-1.txt")


def test_a_big_picture_gets_a_jpg_copy_of_handy_size(tmp_path):
    options = SaveOptions(pattern="[seed]", big_copy=BigCopy(side_px=100))
    saved = save(tmp_path, options, image=Image.new("RGB", (300, 150)))
    assert Image.open(saved.copy_path).size == (100, 50) and saved.copy_path.name == "00000-7.jpg"
    assert read_infotext(Image.open(saved.copy_path)) == "infotext"
    assert save(tmp_path, options).copy_path is None


def test_a_big_file_gets_a_jpg_copy_of_its_size(tmp_path):
    options = SaveOptions(big_copy=BigCopy(file_mb=0.0001))
    assert Image.open(save(tmp_path, options).copy_path).size == PICTURE.size


def test_two_writers_never_share_a_number(tmp_path):
    def work(seed: int) -> None:
        for _ in range(10):
            save_picture(PICTURE, PLAIN, NameContext(seed=seed), "x", folder=tmp_path)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [name.split("-")[0] for name in names(tmp_path)] == [f"{number:05d}" for number in range(30)]


def test_a_full_disk_is_a_sentence_and_leaves_nothing_half_written(tmp_path, faults):
    folder = tmp_path / "out"
    options = SaveOptions(pattern="[seed]", text_beside=True, big_copy=BigCopy(side_px=10))
    for operation in ("open", "fsync", "link", "mkdir"):
        for fault in faults.each(operation):
            with fault:
                try:
                    save(folder, options)
                except UserError as error:
                    assert "Cannot save the picture" in str(error) and "disk is full" in str(error) and "Settings" in str(error)
    for path in folder.iterdir():
        assert path.suffix == ".txt" or Image.open(path).load()
        assert path.suffix != ".txt" or path.read_text() == "infotext\n"


def test_a_file_in_place_of_the_folder_is_named(tmp_path):
    (tmp_path / "out").touch()
    with pytest.raises(UserError, match="out"):
        save(tmp_path / "out")


def test_a_failed_text_file_is_a_note_and_the_picture_is_kept(tmp_path, monkeypatch):
    monkeypatch.setattr("modules.imaging.save.publish", fails_for(".txt"))
    saved = save(tmp_path, SaveOptions(text_beside=True))
    assert saved.path.is_file() and saved.text_path is None and "disk is full" in saved.notes[0]


def fails_for(ending: str):
    from modules.atomic_files import publish

    def failing(folder, name, data, **more):
        if isinstance(name, str) and name.endswith(ending):
            raise OSError(28, "No space left on device")
        return publish(folder, name, data, **more)

    return failing


def test_options_come_from_the_settings():
    settings = Options(built_in_options())
    assert SaveOptions.from_settings(settings) == SaveOptions(pattern="[seed]", folder_pattern="[date]")
    with settings.overriding({"save_to_dirs": False, "export_for_4chan": False, "samples_format": "webp", "webp_lossless": True}):
        options = SaveOptions.from_settings(settings)
    assert (options.pattern, options.folder_pattern, options.big_copy) == ("[seed]-[prompt_spaces]", "", None)
    assert options.encoding == Encoding(format="webp", webp_lossless=True)


def test_the_last_parameters_are_kept(tmp_path):
    remember_parameters(tmp_path / "params.txt", "猫\nSteps: 1")
    assert (tmp_path / "params.txt").read_text(encoding="utf-8") == "猫\nSteps: 1"
