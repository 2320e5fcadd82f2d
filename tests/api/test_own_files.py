"""Users with logins: pictures of each lie in a folder of their own and are served to nobody else but administrators."""
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from api_requests import TINY_REQUEST
from fastapi import Request
from starlette.testclient import TestClient

from modules.api.app import build_api_app
from modules.api.own_files import own_folder, settings_for_users
from modules.errors import RequestError, UserError
from modules.ui.mask_canvas import canvas_files, canvas_router
from modules.ui.pictures import pictures_router
from modules.ui.saving import saving_router

PASSWORDS = {"boss": "1", "ann": "2", "b.": "3"}


@pytest.fixture(scope="module")
def app_client(rt) -> Iterator[TestClient]:
    rt.args.api_auth = ",".join(f"{user}:{password}" for user, password in PASSWORDS.items())
    app = build_api_app(rt)
    app.include_router(pictures_router(rt))
    app.include_router(canvas_router(rt))
    app.include_router(saving_router(rt))
    with TestClient(app, base_url="http://127.0.0.1:7860") as client:
        yield client
    rt.args.api_auth = None
    build_api_app(rt)


@pytest.fixture
def ask(app_client) -> Callable:
    return lambda user, method, path, **more: app_client.request(method, path, auth=(user, PASSWORDS[user]), **more)


@pytest.fixture(scope="module")
def saved(rt, app_client) -> dict[str, Path]:
    """For each user the file of a saved picture."""
    for user, password in PASSWORDS.items():
        request = {**TINY_REQUEST, "save_images": True, "force_task_id": f"of {user}"}
        assert app_client.post("/sdapi/v1/txt2img", json=request, auth=(user, password)).status_code == 200
    return {user: Path(rt.queue.get(f"of {user}").result["images"][0]["path"]) for user in PASSWORDS}


def test_each_user_saves_into_a_folder_of_their_own_and_administrators_where_all_did(rt, saved):
    usual = rt.folders.data / rt.settings.outdir_txt2img_samples
    assert saved["ann"].is_relative_to(usual / "user-ann") and saved["boss"].is_relative_to(usual)
    assert not saved["boss"].relative_to(usual).parts[0].startswith("user-")
    assert saved["b."].is_relative_to(usual) and saved["b."].relative_to(usual).parts[0] not in ("user-b", "user-ann")


@pytest.mark.parametrize("user", ["images", "txt2img-images", "user-ann"])
def test_a_user_called_like_a_folder_shares_it_with_nobody(user):
    folders = ["outputs/images", "outputs/txt2img-images", own_folder("outputs", "ann")]
    assert not {own_folder(folder, user) for folder in folders} & set(folders)


def test_a_canvas_takes_pictures_of_its_own_user_alone(rt, saved):
    def asked_by(user):
        return Request({"type": "http", "easel_user": user, "easel_admin": user == "boss"})

    sent = {"image": {"path": str(saved["ann"])}}
    for user in ("ann", "boss"):
        assert canvas_files(rt, asked_by(user), sent).image == saved["ann"]
    with pytest.raises(UserError, match="no longer on the server"):
        canvas_files(rt, asked_by("b."), sent)


@pytest.mark.parametrize(("in_folders", "place"), [(False, "user-ann"), (True, "user-ann/of ann")])
def test_a_copy_by_the_save_button_is_in_the_folder_of_its_user(rt, ask, saved, in_folders, place):
    with rt.settings.overriding({"use_save_to_dirs_for_ui": in_folders, "directories_filename_pattern": "of [user]"}):
        answer = ask("ann", "POST", "/internal/pictures/save", json={"id": "of ann"})
    folder = rt.folders.data / rt.settings.outdir_save
    copy = Path(answer.json()["path"])
    assert copy.parent == folder / place and copy.read_bytes() == saved["ann"].read_bytes()
    assert copy.relative_to(folder / "user-ann").as_posix() in (folder / "user-ann" / "log.csv").read_text()


@pytest.mark.parametrize("is_wanted", [True, False])
def test_an_infotext_names_its_user_where_that_is_wanted(ask, is_wanted):
    request = {**TINY_REQUEST, "override_settings": {"add_user_name_to_info": is_wanted}}
    infotext = json.loads(ask("ann", "POST", "/sdapi/v1/txt2img", json=request).json()["info"])["infotexts"][0]
    assert ("User: ann" in infotext) is is_wanted


@pytest.mark.parametrize("path", ["/file={}", "/gradio_api/file={}", "/internal/canvas/shown?path={}"])
def test_only_the_owner_and_administrators_get_a_file(ask, saved, path):
    address = path.format(saved["ann"])
    assert [ask(user, "GET", address).status_code for user in ("ann", "boss", "b.")] == [200, 200, 404]


def test_only_they_have_it_made_again(rt, ask, saved):
    assert ask("b.", "POST", "/internal/replay", json={"path": str(saved["ann"])}).status_code == 404
    answer = ask("ann", "POST", "/internal/replay", json={"path": str(saved["ann"])})
    assert answer.status_code == 200 and rt.queue.get(answer.json()["id"]).wait(60)


def test_a_picture_that_was_not_saved_is_that_of_its_jobs_owner(rt, ask):
    assert ask("ann", "POST", "/sdapi/v1/txt2img", json={**TINY_REQUEST, "force_task_id": "unsaved"}).status_code == 200
    path = rt.queue.get("unsaved").result["images"][0]["path"]
    assert path.startswith(str(rt.folders.results))
    assert [ask(user, "GET", f"/file={path}").status_code for user in ("ann", "boss", "b.")] == [200, 200, 404]


@pytest.mark.parametrize("key, value", [("outdir_samples", "elsewhere"), ("outdir_grids", "../../x"), ("outdir_save", "/tmp"),
                                        ("font", "/etc/passwd")])
def test_folders_are_chosen_by_administrators(rt, ask, key, value):
    refused = ask("ann", "POST", "/sdapi/v1/txt2img", json={**TINY_REQUEST, "override_settings": {key: value}})
    assert refused.status_code == 422 and key in refused.json()["errors"]
    assert ask("ann", "POST", "/sdapi/v1/options", json={key: value}).status_code == 403
    assert rt.settings.snapshot()[key] != value


def test_a_job_that_is_made_again_stays_in_its_folder(rt, ask, saved):
    again = ask("ann", "POST", "/internal/queue/retry", json={"id": "of ann"}).json()["new_id"]
    assert rt.queue.get(again).wait(60)
    assert Path(rt.queue.get(again).result["images"][0]["path"]).parent == saved["ann"].parent
    assert own_folder(own_folder("outputs", "ann"), "ann") == own_folder("outputs", "ann")


@pytest.mark.parametrize("request_", [{"output_dir": "/home/ada"}, {"batch": {"input_dir": "/home/ada"}}, {"batch": {"png_info_dir": "x"}}])
def test_folders_of_the_server_are_named_by_administrators_alone(request_):
    settings_for = settings_for_users(frozenset({"ada"}))
    with pytest.raises(RequestError, match="administrator"):
        settings_for("ben/page", request_, {})
    assert settings_for("ada/page", request_, {"x": 1}) == settings_for("/page", request_, {"x": 1}) == {"x": 1}
    assert settings_for("ben/page", {"output_dir": "", "batch": {"input_dir": ""}}, {}) == {}
