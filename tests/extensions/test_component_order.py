"""What scripts are asked and told while a page is built, in the order of the documentation; no component comes without both hooks."""
import gradio as gr
import pytest

from modules import script_callbacks, scripts
from modules.ui.component_events import tab_of, told_to_listeners


@pytest.fixture
def heard():
    """Everything that happened, in order; the script and the callbacks that write it are gone afterwards."""
    found = []

    class Listening(scripts.Script):
        def title(self):
            found.append("title")
            return "Listening"

        def show(self, is_img2img):
            found.append("show")
            return scripts.AlwaysVisible

        def ui(self, is_img2img):
            found.append("ui")
            return [gr.Textbox(label="own")]

        def before_component(self, component, **keywords):
            found.append(f"before_component {keywords.get('label')}")

        def after_component(self, component, **keywords):
            found.append(f"after_component {keywords.get('label')}")
            if keywords.get("label") == "wide":
                gr.HTML("put in by the script", label="inner")

    known, scripts.scripts_data[:] = list(scripts.scripts_data), [scripts.ScriptClassData(Listening, "x.py", ".", None)]
    before = lambda component, **keywords: found.append(f"callback before {keywords.get('label')}")
    after = lambda component, **keywords: found.append(f"callback after {keywords.get('label')}")
    script_callbacks.on_before_component(before)
    script_callbacks.on_after_component(after)
    yield found
    scripts.scripts_data[:] = known
    script_callbacks.remove_callbacks_for_function(before)
    script_callbacks.remove_callbacks_for_function(after)


def around(label, inside=()):
    return [f"before_component {label}", f"callback before {label}", f"after_component {label}", *inside, f"callback after {label}"]


def test_a_script_is_named_shown_built_and_told_of_components_before_the_callbacks_are(heard):
    runner = scripts.ScriptRunner()
    runner.initialize_scripts(False)
    assert heard[0] == "show" and set(heard) == {"show", "title"}
    heard.clear()
    with gr.Blocks(analytics_enabled=False), told_to_listeners(), tab_of(runner):
        heard.clear()
        runner.setup_ui()
        gr.Textbox(label="wide")
    assert heard == ["ui", *around("own"), *around("wide", around("inner"))]


def test_other_tabs_are_told_to_callbacks_alone(heard):
    with gr.Blocks(analytics_enabled=False), told_to_listeners():
        heard.clear()
        gr.Slider(0, 1, label="elsewhere")
    assert heard == ["callback before elsewhere", "callback after elsewhere"]
