"""The Extensions tab in a browser: an extension is looked at, installed from a local clone, broken by an update and rolled back."""
import subprocess

import pytest


def git(folder, *arguments):
    person = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org")
    subprocess.run(["git", *person, *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def repository(tmp_path):
    folder = tmp_path / "sd-sparkle"
    (folder / "scripts").mkdir(parents=True)
    git(tmp_path, "init", "-q", "-b", "main", str(folder))
    (folder / "scripts/sparkle.py").write_text("SPARKLE = 1")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "first")
    return folder


def test_an_extension_is_installed_from_a_clone_broken_and_rolled_back(easel, repository):
    tab, installed = easel.tab, easel.server.data_dir / "extensions/sd-sparkle/scripts/sparkle.py"
    tab.click("#tab_extensions-button")
    tab.wait_for_selector("tr[data-name=easel-dynamic-prompts] input:checked")
    tab.click("#extensions_tab_url")
    tab.fill("#extension_url", "http://example.org/nothing")
    tab.click("#extension_look")
    tab.wait_for_selector("#easel_messages >> text=https only")
    tab.fill("#extension_url", str(repository))
    tab.click("#extension_look")
    tab.wait_for_selector("#extension_dialog >> text=sparkle.py")
    assert not installed.exists()
    tab.click("#extension_install")
    row = tab.locator("tr[data-name=sd-sparkle]")
    row.wait_for()
    assert installed.read_text() == "SPARKLE = 1" and "on after a restart" in row.inner_text()
    (repository / "scripts/sparkle.py").write_text("broken =")
    git(repository, "commit", "-q", "-a", "-m", "second")
    tab.click("#extensions_check")
    tab.wait_for_selector("tr[data-name=sd-sparkle] .version.is-new")
    row.locator("text=Update").click()
    tab.wait_for_selector("#extension_dialog h2:has-text('Update sd-sparkle')")
    tab.click("#extension_install")
    row.locator("text=Roll back").wait_for()
    assert installed.read_text() == "broken ="
    row.locator("text=Roll back").click()
    easel.wait_for("() => document.querySelectorAll('#easel_messages .message').length > 0")
    row.wait_for()
    assert installed.read_text() == "SPARKLE = 1"
    tab.click("#extensions_tab_states")
    tab.fill("#extensions_state_name", "with <b>sparkle</b>")
    tab.click("#extensions_save_state")
    tab.wait_for_selector(".offer >> text=with <b>sparkle</b>")
    assert easel.problems == []
