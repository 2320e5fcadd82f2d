"""What clients are told of the command line and the settings: all but what is secret."""
import pytest

from modules.api.about import is_secret
from modules.settings.option import OptionInfo

SECRETS = {"gradio_auth": "ann:swordfish", "api_auth": "bob:swordfish", "gradio_auth_path": "/swordfish", "tls_keyfile": "/swordfish"}


def test_the_command_line_is_shown_without_secrets(rt, client):
    before = {name: getattr(rt.args, name) for name in SECRETS}
    vars(rt.args).update(SECRETS, my_extension_api_key="swordfish", my_extension_password="swordfish")
    try:
        shown = client.get("/sdapi/v1/cmd-flags")
    finally:
        vars(rt.args).update(before)
        del rt.args.my_extension_api_key, rt.args.my_extension_password
    assert "swordfish" not in shown.text
    assert shown.json()["api"] is True and shown.json()["data_dir"] == str(rt.folders.data) and shown.json()["api_auth"] is None


def test_settings_are_shown_without_secrets(rt, client):
    rt.settings.add_option("translator_api_key", OptionInfo("", "API key"))
    rt.settings.set("translator_api_key", "swordfish")
    answer = client.get("/sdapi/v1/options")
    assert "swordfish" not in answer.text and answer.json().keys() == rt.settings.snapshot().keys() - {"translator_api_key"}


@pytest.mark.parametrize("name", ["disable_token_counters", "token_merging_ratio", "include_styles_into_token_counters", "send_seed",
                                  "keyedit_move", "author", "hide_ui_dir_config", "canvas_hotkey_zoom"])
def test_harmless_names_are_no_secrets(name):
    assert not is_secret(name)


def test_the_report_for_faults_comes_as_a_file_too(client):
    assert client.get("/internal/sysinfo").json()["version"] == client.get("/internal/sysinfo-download").json()["version"]
    assert "attachment" in client.get("/internal/sysinfo-download").headers["content-disposition"]
    assert "content-disposition" not in client.get("/internal/sysinfo").headers
