"""Installing extensions: what they would add is shown first, each change is whole, and there is a way back."""
import json
import subprocess
import time
import zipfile
from pathlib import Path

import psutil
import pytest

from modules.errors import NotFound, RequestError, UserError
from modules.extensions.available import read_index
from modules.extensions.changes import ConfigStates, ExtensionChanges
from modules.extensions.clone import origin_of
from modules.extensions.safe_start import StartMark
from modules.extensions.sources import source_of
from modules.folders import Folders

SCRIPT = '''
from modules import script_callbacks, shared
def on_ui_settings():
    shared.opts.add_option("sparkle_strength", shared.OptionInfo(1, "Sparkle"))
    shared.opts.add_option(key="sparkle_colour", info=shared.OptionInfo("red", "Colour"))
def on_app_started(demo, app):
    @app.get("/sparkle/list")
    def listed(): return []
    app.add_api_route("/sparkle/add", listed, methods=["POST"])
'''


def write(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def git(folder, *arguments):
    person = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org")
    subprocess.run(["git", *person, *arguments], cwd=folder, check=True, capture_output=True)


def commit(folder, files, message="change"):
    write(folder, files)
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", message)


@pytest.fixture
def repository(tmp_path) -> Path:
    folder = tmp_path / "sd-sparkle"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    commit(folder, {"scripts/sparkle.py": SCRIPT, "javascript/sparkle.js": "", "style.css": "", "requirements.txt": "# none\n",
                    ".gitignore": "own.txt\n"})
    return folder


@pytest.fixture
def data(tmp_path) -> Folders:
    return Folders(program=tmp_path / "program", data=tmp_path / "data")


@pytest.fixture
def changes(data) -> ExtensionChanges:
    return ExtensionChanges(data)


def install(changes, place, **more):
    installation = changes.look_at(str(place), **more)
    changes.install(installation)
    return installation


def test_what_an_extension_would_add_is_known_before_anything_of_it_runs(changes, repository, data):
    commit(repository, {"install.py": "raise SystemExit('ran')", "requirements.txt": "sparkles>=2\n-r other.txt\n", "preload.py": ""})
    installation = changes.look_at(str(repository))
    preview = installation.preview
    assert installation.name == "sd-sparkle" and not data.extensions.exists()
    assert preview.settings == ("sparkle_colour", "sparkle_strength") and preview.routes == ("/sparkle/add", "/sparkle/list")
    assert preview.requirements == ("sparkles>=2", "-r other.txt") and preview.runs_installer and preview.has_preload and preview.has_style
    assert preview.scripts == ("sparkle.py",) and preview.page_scripts == ("sparkle.js",) and preview.files == 7


def test_an_extension_is_installed_from_a_clone_a_folder_and_an_archive(changes, repository, data, tmp_path):
    install(changes, repository)
    assert origin_of(data.extensions / "sd-sparkle").remote == str(repository)
    plain = write(tmp_path / "plain", {"scripts/a.py": "A = 1"})
    install(changes, plain)
    with zipfile.ZipFile(tmp_path / "packed.zip", "w") as archive:
        archive.writestr("sparkle-main/scripts/b.py", "B = 1")
    install(changes, tmp_path / "packed.zip", name="sparkle-zip")
    assert sorted(path.name for path in data.extensions.iterdir()) == ["plain", "sd-sparkle", "sparkle-zip"]
    assert (data.extensions / "sparkle-zip/scripts/b.py").read_text() == "B = 1"
    with pytest.raises(RequestError, match="already"):
        changes.look_at(str(plain))


def test_a_failed_install_leaves_the_folders_as_they_were(changes, repository, data):
    install(changes, repository)
    before = sorted(path for path in data.extensions.rglob("*"))
    commit(repository, {"install.py": "print('half way'); raise SystemExit(3)"})
    with pytest.raises(UserError, match="half way") as failed:
        install(changes, repository, name="second")
    assert "install.py of second failed" in str(failed.value)
    assert sorted(path for path in data.extensions.rglob("*")) == before
    update = changes.look_at_update("sd-sparkle")
    with pytest.raises(UserError):
        changes.install(update)
    assert sorted(path for path in data.extensions.rglob("*")) == before and not changes.versions("sd-sparkle")


def test_install_py_runs_in_our_environment_and_its_output_is_shown(changes, repository):
    script = "import launch, os\nprint('pip' if launch.is_installed('pip') else 'no pip', os.path.basename(os.environ['PIP_CONSTRAINT']))"
    commit(repository, {"install.py": script})
    installation = changes.begin(changes.look_at(str(repository)).id)
    for _ in range(600):
        if installation.state != "installing":
            break
        time.sleep(0.05)
    assert installation.state == "done", installation.error
    assert any(line.startswith("pip ") and "constraints" in line for line in installation.lines)


def test_an_install_py_may_do_without_requirements_that_cannot_be_met(changes, repository, data):
    commit(repository, {"requirements.txt": "pip<1\npip>2\n"})
    with pytest.raises(UserError, match="packages for sd-sparkle could not be installed"):
        install(changes, repository)
    commit(repository, {"install.py": "print('without them')"})
    installation = changes.look_at(str(repository))
    changes.install(installation)
    assert installation.lines[-1] == "without them" and any("Its install.py goes on." in line for line in installation.lines)
    assert (data.extensions / "sd-sparkle" / "install.py").is_file()


def test_an_installer_that_never_ends_is_ended(changes, repository, monkeypatch):
    commit(repository, {"install.py": "import time; time.sleep(600)"})
    monkeypatch.setattr("modules.extensions.installers.WAIT_S", 1)
    with pytest.raises(UserError, match="not done after 1 s"):
        install(changes, repository)


def test_an_earlier_version_is_brought_back_by_its_commit_without_the_server(changes, repository, data):
    install(changes, repository)
    (data.extensions / "sd-sparkle/models").symlink_to(repository, target_is_directory=True)
    first = changes.commit_of("sd-sparkle")
    commit(repository, {"scripts/sparkle.py": "NEW = 1"})
    changes.install(changes.look_at_update("sd-sparkle"))
    assert (data.extensions / "sd-sparkle/models").is_symlink()
    repository.rename(repository.with_name("gone"))
    changes.roll_back("sd-sparkle", first)
    assert changes.commit_of("sd-sparkle") == first
    with pytest.raises(NotFound):
        changes.roll_back("sd-sparkle", "0" * 40)


def test_a_damaged_archive_is_refused_with_a_sentence(changes, tmp_path):
    with zipfile.ZipFile(tmp_path / "bad.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a/scripts/a.py", "A = 1\n" * 1000)
    content = bytearray((tmp_path / "bad.zip").read_bytes())
    content[44:52] = b"\xff" * 8
    (tmp_path / "bad.zip").write_bytes(content)
    with pytest.raises(UserError, match="cannot be unpacked"):
        changes.look_at(str(tmp_path / "bad.zip"))


def test_an_update_keeps_what_a_person_put_there_and_can_be_rolled_back(changes, repository, data):
    install(changes, repository)
    place = data.extensions / "sd-sparkle"
    write(place, {"own.txt": "mine", "wildcards/colours.txt": "red"})
    assert changes.newest_commit("sd-sparkle") == changes.commit_of("sd-sparkle")
    commit(repository, {"scripts/sparkle.py": "BROKEN ="})
    assert changes.newest_commit("sd-sparkle") != changes.commit_of("sd-sparkle")
    update = changes.look_at_update("sd-sparkle")
    assert update.replaces and (place / "scripts/sparkle.py").read_text() == SCRIPT
    changes.install(update)
    assert (place / "scripts/sparkle.py").read_text() == "BROKEN =" and (place / "own.txt").read_text() == "mine"
    assert (place / "wildcards/colours.txt").read_text() == "red"
    changes.roll_back("sd-sparkle")
    assert (place / "scripts/sparkle.py").read_text() == SCRIPT
    changes.roll_back("sd-sparkle")
    assert (place / "scripts/sparkle.py").read_text() == "BROKEN ="


def test_a_removed_extension_comes_back(changes, repository, data):
    install(changes, repository)
    changes.remove("sd-sparkle")
    assert not (data.extensions / "sd-sparkle").exists()
    changes.roll_back("sd-sparkle")
    assert (data.extensions / "sd-sparkle/scripts/sparkle.py").read_text() == SCRIPT
    for name in ("nothing", "..", "easel-dynamic-prompts"):
        with pytest.raises(NotFound):
            changes.remove(name)


@pytest.mark.parametrize("place", ["http://example.org/x", "ext::sh -c touch% /tmp/x", "ssh://git@example.org/x", "git@example.org:x",
                                   "https://me:secret@example.org/x", "--upload-pack=touch", "https://example.org/a b", "/nowhere/at/all",
                                   "", "file:///nowhere"])
def test_only_https_and_places_of_this_machine_are_sources(place):
    with pytest.raises(RequestError):
        source_of(place)


@pytest.mark.parametrize("branch", ["--upload-pack=x", "a..b", "a b", "$(x)"])
def test_a_branch_is_no_flag(branch, repository):
    with pytest.raises(RequestError):
        source_of(str(repository), branch)


@pytest.mark.parametrize("name", ["..", "a/b", "scripts", ".hidden", "easel-own", "CON", "a\0b"])
def test_a_name_leads_nowhere_else(changes, repository, name):
    with pytest.raises(RequestError):
        changes.look_at(str(repository), name=name)


@pytest.mark.parametrize("member", ["../out.py", "/out.py", "C:\\out.py", "a/../../out.py"])
def test_an_archive_writes_nothing_outside(changes, data, tmp_path, member):
    with zipfile.ZipFile(tmp_path / "bad.zip", "w") as archive:
        archive.writestr(member, "x")
        archive.writestr("scripts/a.py", "x")
    with pytest.raises(UserError):
        changes.look_at(str(tmp_path / "bad.zip"))
    assert not list(tmp_path.rglob("out.py"))


def test_hooks_of_a_clone_are_not_run(changes, repository, tmp_path):
    hook = repository / ".git/hooks/post-checkout"
    hook.write_text(f"#!/bin/sh\ntouch {tmp_path / 'ran'}\n")
    hook.chmod(0o755)
    git(repository, "config", "core.fsmonitor", f"touch {tmp_path / 'ran'}")
    install(changes, repository)
    changes.look_at_update("sd-sparkle")
    assert not (tmp_path / "ran").exists()


def test_an_index_is_not_followed_to_an_address_without_https():
    from urllib.request import Request

    from modules.extensions.available import _HttpsOnly
    with pytest.raises(UserError, match="without https"):
        _HttpsOnly().redirect_request(Request("https://example.org"), None, 302, "Found", {}, "http://127.0.0.1/")


def test_an_index_is_read_with_tags_and_without_broken_entries(tmp_path):
    entries = [{"name": "Sparkle", "url": "https://example.org/sparkle", "tags": ["script"], "stars": 3, "description": "<b>x</b>"},
               {"name": "no address"}, "nonsense"]
    file = tmp_path / "index.json"
    file.write_text(json.dumps({"tags": {"script": "adds a script"}, "extensions": entries}))
    index = read_index(str(file), allows_files=True)
    assert [(offer.name, offer.stars) for offer in index.offers] == [("Sparkle", 3)] and index.tags == {"script": "adds a script"}
    for place, allows in ((str(file), False), ("http://example.org/index.json", True), (str(tmp_path / "none.json"), True)):
        with pytest.raises(RequestError):
            read_index(place, allows_files=allows)
    file.write_text("[1, 2]")
    with pytest.raises(UserError):
        read_index(str(file), allows_files=True)


def test_saved_states_are_listed_the_newest_first_and_damaged_ones_left_out(tmp_path):
    states = ConfigStates(tmp_path / "config_states")
    states.save("before", "1", {"sd-sparkle": {"enabled": True, "commit": "a" * 40}})
    write(tmp_path / "config_states", {"99999999-broken.json": "{"})
    listed = states.listed()
    assert [state.name for state in listed.values()] == ["before"]
    assert states.known(next(iter(listed))).extensions["sd-sparkle"]["enabled"]
    with pytest.raises(NotFound):
        states.known("../../config.json")


def test_a_start_that_never_ended_is_noticed_once(tmp_path):
    mark = StartMark(tmp_path)
    assert not mark.was_left()
    ended = subprocess.Popen(["true"])
    ended.wait()
    (tmp_path / "starting.json").write_text(json.dumps({"pid": ended.pid}))
    assert mark.was_left()
    with subprocess.Popen(["sleep", "60"]) as running:
        began = psutil.Process(running.pid).create_time()
        for seconds, was_left in ((began, False), (began - 3600, True)):  # another process has its number meanwhile
            (tmp_path / "starting.json").write_text(json.dumps({"pid": running.pid, "began": seconds}))
            assert mark.was_left() is was_left
        running.kill()
    mark.put()
    mark.remove()
    assert not mark.was_left()
