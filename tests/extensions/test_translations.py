"""Localisation files: found in the data folder and in extensions, joined, and sent to the page as text alone."""
import json

import pytest

from modules.extensions import translations
from modules.extensions.discovery import discover
from modules.folders import Folders


@pytest.fixture
def folders(tmp_path):
    return Folders(program=tmp_path / "program", data=tmp_path / "data")


def write(folder, name, content):
    (folder / "localizations").mkdir(parents=True, exist_ok=True)
    (folder / "localizations" / name).write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")


def test_files_of_one_name_are_joined_and_those_of_extensions_count_more(folders):
    write(folders.data, "de.json", {"Prompt": "Text", "Steps": "Schritte"})
    write(folders.extensions / "one", "de.json", {"Prompt": "Aufforderung"})
    write(folders.extensions / "two", "fr.json", {"Prompt": "Invite"})
    write(folders.extensions / "off", "es.json", {})
    found = translations.found(folders, None, discover(folders, ["off"]))
    assert sorted(found) == ["de", "fr"]
    assert translations.texts(found["de"]) == {"Prompt": "Aufforderung", "Steps": "Schritte"}


def test_a_folder_may_be_named_instead_of_that_of_the_data(folders, tmp_path):
    write(folders.data, "de.json", {})
    write(tmp_path / "mine", "eo.json", {})
    assert list(translations.found(folders, tmp_path / "mine" / "localizations", [])) == ["eo"]


@pytest.mark.parametrize("content", ["{", "[1]", ""])
def test_a_file_that_cannot_be_read_costs_only_itself(folders, content):
    write(folders.data, "de.json", content)
    write(folders.extensions / "one", "de.json", {"Prompt": "Text"})
    found = translations.found(folders, None, discover(folders))
    assert translations.texts(found["de"]) == {"Prompt": "Text"}


def test_the_script_of_a_translation_cannot_end_its_element(folders):
    write(folders.data, "de.json", {"a": "</script><b>"})
    script = translations.script(translations.found(folders, None, [])["de"])
    assert "<" not in script and json.loads(script.removeprefix("window.localization = ").removesuffix(";")) == {"a": "</script><b>"}


def test_a_translation_is_offered_as_a_setting(rt):
    from modules import localization

    (rt.folders.data / "localizations").mkdir(exist_ok=True)
    (rt.folders.data / "localizations" / "xx.json").write_text('{"Prompt": "x"}')
    assert list(localization.localizations) == ["xx"] and '"Prompt": "x"' in localization.localization_js("xx")
    assert localization.localization_js("None") == "window.localization = {};"
