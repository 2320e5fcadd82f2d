"""What the page computes itself must be what the engine does: sizes, steps; and how it says proofs and differences."""
import io
import re
from pathlib import Path

import pytest
from PIL import Image

from modules.img2img import scaled_size
from modules.sampling.passes import second_pass_steps

SCRIPTS = Path(__file__).parents[2] / "modules" / "ui" / "web" / "js"
pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def page(browser):
    """A blank tab with the scripts in it."""
    tab = browser.new_page()
    tab.set_content("<gradio-app></gradio-app>")
    tab.add_script_tag(content="var opts = {};")
    for name in ("10_base.js", "56_img2img.js", "63_card_clicks.js", "71_proof.js", "72_replay.js", "73_compare.js", "80_dialogs.js"):
        tab.add_script_tag(path=SCRIPTS / name)
    yield tab
    tab.close()


@pytest.mark.parametrize("size, factor", [((128, 96), 0.55), ((641, 479), 1.0), ((512, 512), 1.35), ((100, 30), 0.3), ((333, 777), 2.05)])
def test_the_size_after_resize_by_is_the_engines(page, size, factor):
    width, height = scaled_size(Image.new("L", size), factor)
    said = page.evaluate("([width, height, factor]) => scaledSizeText({width, height}, factor)", [*size, factor])
    assert said == f"from {size[0]}x{size[1]} to {width}x{height}"


@pytest.mark.parametrize("steps, strength, exact", [(20, 0.75, False), (20, 1, False), (20, 0.5, True), (1, 0.3, False), (150, 0.01, False),
                                                    (7, 0.58, False)])
def test_the_number_of_steps_that_are_run_is_the_engines(page, steps, strength, exact):
    plan = second_pass_steps(steps, strength, exact_steps=exact)
    said = page.evaluate("([steps, strength, exact]) => stepsRunText(steps, strength, exact)", [steps, strength, exact])
    assert said.startswith(f"{plan.encode_steps + 1} of {steps} step")


@pytest.mark.parametrize("proof, said", [
    (None, None),
    ({"applies": True, "changed": 0, "why": ""}, {"kind": "kept", "text": "0 pixels changed outside the mask"}),
    ({"applies": True, "changed": 1, "why": ""}, {"kind": "changed", "text": "1 pixel changed outside the mask"}),
    ({"applies": False, "changed": 0, "why": "JPEG."}, {"kind": "none", "text": "Not proven that the rest is unchanged: JPEG."})])
def test_a_proof_is_said_in_few_words(page, proof, said):
    assert page.evaluate("proof => proofText(proof)", proof) == said


def test_a_difference_is_counted_in_pixels_and_amplified(page):
    one, two = [10, 20, 30, 255, 5, 5, 5, 255], [10, 24, 30, 255, 5, 5, 5, 255]
    answer = page.evaluate("""([one, two]) => {
        const first = Uint8ClampedArray.from(one);
        return [differenceInto(first, Uint8ClampedArray.from(two), 4), Array.from(first)];
    }""", [one, two])
    assert answer == [{"changed": 1, "most": 4}, [0, 16, 0, 255, 0, 0, 0, 255]]


def test_progress_of_an_older_replay_does_not_stand_over_a_newer_one(page):
    said = page.evaluate("""async () => {
        const said = [], progress = [];
        let begun = 0;
        shownOrSay = () => "shown";
        selected_gallery_index = () => 0;
        refreshQueue = () => null;
        callServer = async (path) => (path === "/internal/replay" ? {id: ++begun} : {pictures: [{path: "a.png"}]});
        requestProgress = (id, container, gallery, atEnd, onProgress) => progress.push(onProgress);
        writeReplay = (tab, verdict, headline) => said.push(headline);
        await replaySelected("txt2img");
        await replaySelected("txt2img");
        said.length = 0;
        for (const tell of progress) tell({active: true, progress: 0.5});
        return said;
    }""")
    assert said == ["Replay of a.png: 50 %"]


def test_parameters_that_come_late_are_not_those_of_another_picture(page):
    said = page.evaluate("""async () => {
        const dialog = compareDialog();
        const answers = [];
        callServer = () => new Promise((resolve) => answers.push(resolve));
        const first = {name: "first", infotext: "a"};
        const asked = ["old", "new"].map((name) => {
            comparison = {first, second: {name, infotext: name}};
            return showParameterDifference();
        });
        answers[1]({rows: []});
        answers[0]({rows: [{key: "Steps", first: "1", second: "2", applies: true}]});
        await Promise.all(asked);
        return dialog.querySelector(".compare-parameters").textContent;
    }""")
    assert said == "The parameters are the same."


def test_a_file_can_be_chosen_for_the_comparison_again_and_again(page):
    page.evaluate("""() => {
        infotextIn = async () => "";
        const picture = made("canvas", {width: 4, height: 4}).toDataURL();
        comparison = {tab: "txt2img", first: {name: "first", source: picture, infotext: ""}, second: null, choices: [], view: "slider"};
        openDialog(compareDialog(), "Compare");
        fillCompareChoices();
    }""")
    picture = Image.new("RGB", (4, 4))
    file = io.BytesIO()
    picture.save(file, "PNG")
    for name in ("one.png", "two.png", "two.png"):
        with page.expect_file_chooser() as chooser:
            page.select_option("#compare_dialog select", "file")
        assert page.evaluate("byId('compare_dialog').querySelector('select').value") != "file"
        chooser.value.set_files({"name": name, "mimeType": "image/png", "buffer": file.getvalue()})
        page.wait_for_function("name => comparison.second && comparison.second.name === name", arg=name)
        assert page.evaluate("byId('compare_dialog').querySelector('select').selectedOptions[0].text") == name


def test_no_name_is_defined_in_two_scripts():
    defined = re.compile(r"^(?:(?:async )?function|const|let|class) (\w+)", re.M)
    names = [name for script in sorted(SCRIPTS.glob("*.js")) for name in defined.findall(script.read_text("utf-8"))]
    assert sorted({name for name in names if names.count(name) > 1}) == []


@pytest.mark.parametrize("prompt, text, left", [
    ("a fox <lora:x:1>", "<lora:x:1>", "a fox"), ("<lora:x:0.4:0.2> a fox", "<lora:x:1>", "a fox"),
    ("a <lora:x:1> soft light, fox", "<lora:x:0.7> soft light", "a, fox"), ("a <lora:x:1>", "<lora:y:1>", None),
    ("a <lora:x.y:1>", "<lora:x-y:1>", None), ("a <lora:style:1>", "style", None), ("a style, b", "style", "a, b"),
    ("stylish restyle", "style", None), ("ein Ärger", "rger", None), ("a <hypernet:n:1> b", "<hypernet:n:1>", "a b")])
def test_what_a_card_put_into_a_prompt_is_taken_out_whole(page, prompt, text, left):
    assert page.evaluate("([prompt, text]) => promptWithout(text, prompt, ' ', false)", [prompt, text]) == left


def test_a_preset_with_a_checkpoint_chooses_it_where_another_one_is_chosen(page):
    for name in ("41_form.js", "42_history.js", "43_presets.js"):
        page.add_script_tag(path=SCRIPTS / name)
    chosen = page.evaluate("""async () => {
        const chosen = [];
        selectCheckpoint = (title) => chosen.push(title);
        useValues = async (values) => chosen.push(values.steps);
        presetView = {presets: [], checkpoint: "one", source: null};
        for (const checkpoint of ["one", "other", ""]) await usePreset({checkpoint, values: {steps: 3}});
        return chosen;
    }""")
    assert chosen == [3, "other", 3, 3]


def test_a_preset_is_shown_as_text_where_the_clipboard_is_closed(page):
    for name in ("41_form.js", "42_history.js", "43_presets.js"):
        page.add_script_tag(path=SCRIPTS / name)
    shown = page.evaluate("""() => {
        Object.defineProperty(navigator, "clipboard", {value: undefined});
        const row = made("li", {});
        exportPreset(row, {name: "a/b", text: "{1}"});
        exportPreset(row, {name: "a/b", text: "{2}"});
        return [row.querySelector("textarea").value, row.querySelectorAll("textarea").length, row.querySelector("a").download];
    }""")
    assert shown == ["{2}", 1, "a_b.json"]
