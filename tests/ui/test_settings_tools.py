"""Routes behind the tools of the Settings tab."""
import json

import gradio as gr
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from modules.api.answers import add_error_answers
from modules.ui.app import arrange
from modules.ui.settings_tools import settings_tools_router


@pytest.fixture
def client(runtime):
    sampler = gr.Dropdown(["Euler", "DDIM"], label="Sampling method")
    steps, prompt = gr.Slider(1, 150, label="Sampling steps"), gr.Textbox(label="Prompt")
    controls = {"txt2img": {"steps": steps, "sampler_name": sampler, "prompt": prompt}}
    app = FastAPI()
    add_error_answers(app)
    app.include_router(settings_tools_router(runtime, controls))
    return TestClient(app)


def test_changed_settings_are_listed_and_set_back(client, runtime):
    runtime.settings.set("jpeg_quality", 91)
    assert client.get("/internal/settings/changed").json()["settings"][0]["key"] == "jpeg_quality"
    assert client.post("/internal/settings/reset", json={"keys": ["jpeg_quality"]}).json() == {"notes": []}
    assert runtime.settings.jpeg_quality == 80
    assert client.post("/internal/settings/reset", json={"keys": ["no_such"]}).status_code == 422


def test_copies_are_made_and_restored(client, runtime):
    runtime.settings.set("jpeg_quality", 91)
    file = client.post("/internal/settings/backups/save", json={"name": "before"}).json()["file"]
    runtime.settings.set("jpeg_quality", 20)
    assert client.post("/internal/settings/backups/restore", json={"file": file}).json() == {"notes": []}
    assert runtime.settings.jpeg_quality == 91
    assert client.post("/internal/settings/backups/restore", json={"file": "../x"}).status_code == 404


def test_the_form_as_it_is_becomes_the_default_of_new_pages(client, runtime):
    runtime.folders.ui_config_file.write_text('{"txt2img/Width/maximum": 4096}')
    values = {"steps": 33, "sampler_name": "DDIM", "prompt": "", "script": "None", "unknown": 1}
    shown = client.post("/internal/settings/form-defaults", json={"tab": "txt2img", "values": values}).json()["changes"]
    assert [(change["label"], change["value"]) for change in shown] == [("Sampling steps", 33), ("Sampling method", "DDIM")]
    assert json.loads(runtime.folders.ui_config_file.read_text()) == {"txt2img/Width/maximum": 4096}
    client.post("/internal/settings/form-defaults", json={"tab": "txt2img", "values": values, "store": True})
    stored = json.loads(runtime.folders.ui_config_file.read_text())
    assert stored == {"txt2img/Width/maximum": 4096, "txt2img/Sampling steps/value": 33, "txt2img/Sampling method/value": "DDIM"}
    assert client.post("/internal/settings/form-defaults", json={"tab": "txt2img", "values": values}).json()["changes"] == []


def test_tabs_stand_in_the_chosen_order_and_settings_cannot_be_hidden():
    with gr.Blocks(), gr.Tabs() as tabs:
        for title in ("txt2img", "img2img", "Gallery", "Settings"):
            gr.Tab(title, id=title.lower())
    arrange(tabs, ["Gallery", "no such", "img2img"], ["txt2img", "Settings"])
    assert [tab.label for tab in tabs.children] == ["Gallery", "img2img", "txt2img", "Settings"]
    assert [tab.label for tab in tabs.children if not tab.visible] == ["txt2img"]
