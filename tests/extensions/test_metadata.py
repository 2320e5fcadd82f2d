"""metadata.ini: names, the order of scripts that Before, After and Requires ask for, and extensions that are missing."""
import pytest

from modules.extensions.discovery import discover
from modules.extensions.loading import script_files
from modules.extensions.metadata import missing_requirements, name_of
from modules.folders import Folders


@pytest.fixture
def folders(tmp_path):
    for name in ("program/scripts", "data/extensions"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "program" / "scripts" / "host.py").touch()
    return Folders(program=tmp_path / "program", data=tmp_path / "data")


@pytest.fixture
def extension(folders):
    """extension(name, metadata, *files) -> its folder."""
    def make(name, metadata="", *files):
        folder = folders.extensions / name
        (folder / "scripts").mkdir(parents=True)
        for file in files:
            (folder / "scripts" / file).touch()
        if metadata:
            (folder / "metadata.ini").write_text(metadata)
        return folder
    return make


def order(folders):
    paths = [one.path for one in discover(folders) if one.is_enabled]
    return [file.filename for file in script_files(folders.program, paths)]


def test_without_metadata_own_scripts_come_first_and_extensions_by_name(folders, extension):
    extension("b", "", "b.py")
    extension("A", "", "a2.py", "a1.py")
    assert order(folders) == ["host.py", "a1.py", "a2.py", "b.py"]


@pytest.mark.parametrize("of_a, result", [
    ("[scripts/a.py]\nAfter = b", ["host.py", "b.py", "a.py", "c.py"]),
    ("[scripts/a.py]\nAfter = b, the-c", ["host.py", "b.py", "c.py", "a.py"]),
    ("[scripts/a.py]\nAfter = The-C/scripts/c.py", ["host.py", "c.py", "a.py", "b.py"]),
    ("[scripts/a.py]\nRequires = b", ["host.py", "b.py", "a.py", "c.py"]),
    ("[scripts/a.py]\nBefore = scripts/host.py", ["a.py", "host.py", "b.py", "c.py"]),
    ("[scripts/other.py]\nAfter = b", ["host.py", "a.py", "b.py", "c.py"]),
    ("[scripts/a.py]\nAfter = nobody", ["host.py", "a.py", "b.py", "c.py"]),
    ("no section", ["host.py", "a.py", "b.py", "c.py"])])
def test_scripts_are_moved_as_far_as_metadata_asks(folders, extension, of_a, result):
    extension("a", of_a, "a.py")
    extension("b", "", "b.py")
    extension("c", "[Extension]\nName = The-C", "c.py")
    assert order(folders) == result


def test_scripts_that_want_each_other_first_are_all_loaded(folders, extension):
    extension("a", "[scripts/a.py]\nAfter = b", "a.py")
    extension("b", "[scripts/b.py]\nAfter = a", "b.py")
    assert sorted(order(folders)) == ["a.py", "b.py", "host.py"]


def test_an_extension_is_called_by_its_stated_name_or_its_folder(extension):
    assert name_of(extension("One", "[Extension]\nName = My Name")) == "my name"
    assert name_of(extension("Two")) == "two"


def test_needed_extensions_that_are_missing_or_switched_off_are_named(folders, extension):
    extension("needy", "[Extension]\nName = n\nRequires = gone, Off Named")
    extension("needy2", "[Extension]\nRequires = off, There")
    extension("off")
    extension("there", "[Extension]\nName = other")
    extension("silent", "[Extension]\nRequires = gone")
    assert missing_requirements(discover(folders, ["off", "silent"])) == [
        "The extension needy needs the extension gone, which is not installed.",
        "The extension needy needs the extension off, which is switched off.",
        "The extension needy needs the extension named, which is not installed.",
        "The extension needy2 needs the extension off, which is switched off."]
