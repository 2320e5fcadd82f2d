"""What differs from the defaults, and copies of the settings."""
import time

import pytest

from modules.errors import NotFound
from modules.settings.backups import Backups, differences, put
from modules.settings.catalog import built_in_options
from modules.settings.store import Options


@pytest.fixture
def settings(tmp_path) -> Options:
    return Options(built_in_options(), tmp_path / "config.json")


def test_only_what_is_not_as_delivered_is_listed(settings):
    assert differences(settings) == []
    settings.set("jpeg_quality", 91)
    settings.set("samples_format", "webp")
    settings.set("samples_format", "png")
    found = differences(settings)
    assert [(row.key, row.value, row.default) for row in found] == [("jpeg_quality", 91, 80)]
    assert found[0].section == "Saving images/grids"


def test_a_copy_brings_every_value_back_and_names_what_cannot_be(settings, tmp_path):
    backups = Backups(tmp_path / "copies")
    settings.set("jpeg_quality", 91)
    copy = backups.save(settings, "my <look>/..")
    settings.set("jpeg_quality", 50)
    settings.set("samples_format", "webp")
    settings.lock(["samples_format"], "It is locked.")
    notes = backups.restore(settings, copy.file)
    assert settings.jpeg_quality == 91 and settings.samples_format == "webp" and "It is locked." in notes[0]
    again = Options(built_in_options(), tmp_path / "config.json")
    again.load()
    assert again.jpeg_quality == 91 and len(backups.listed()) == 1
    for file in ("../config.json", "nothing.json", copy.file + "x"):
        with pytest.raises(NotFound):
            backups.restore(settings, file)


def test_one_copy_is_made_a_day_and_old_ones_go(settings, tmp_path):
    backups = Backups(tmp_path / "copies")
    backups.save_daily(settings)
    assert backups.listed() == []  # there is nothing to keep
    settings.set("jpeg_quality", 91)
    for day in range(1, 21):
        stamp = time.strftime("%Y%m%d-%H%M%S", time.localtime(time.time() - 86400 * day))
        (tmp_path / "copies").mkdir(exist_ok=True)
        (tmp_path / f"copies/{stamp}-daily.json").write_text("{}")
    backups.save(settings, "mine")
    (tmp_path / "copies/20261399-000000-no_date.json").write_text("{}")
    backups.save_daily(settings)
    backups.save_daily(settings)
    daily = [backup for backup in backups.listed() if backup.is_daily]
    assert len(daily) == 14 and len(backups.listed()) == 15


def test_values_that_cannot_be_are_sentences_and_the_others_are_stored(settings):
    notes = put(settings, {"jpeg_quality": 1000, "samples_format": "jpg", "unknown_key": 3})
    assert len(notes) == 1 and "jpeg" in notes[0].lower() and settings.samples_format == "jpg"


def test_a_copy_that_a_person_calls_daily_is_not_one_of_those(settings, tmp_path):
    backups = Backups(tmp_path / "copies")
    assert not backups.save(settings, " daily ").is_daily and backups.listed()[0].name == "daily copy"
