"""Weights and moving in prompts by keyboard, as the browser computes them (ui-contract B18)."""
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "modules" / "ui" / "web" / "js" / "40_emphasis.js"


@pytest.fixture(scope="module")
def editor(browser):
    """A blank tab with the script in it."""
    tab = browser.new_page()
    tab.add_script_tag(content="var opts = {}; function safe(f) { return f(); } function updateInput() {}")
    tab.add_script_tag(path=SCRIPT)
    yield tab
    tab.close()


def edited(editor, function, marked, direction):
    """The text after the edit, the selection marked by | as in `marked`; None where nothing changes."""
    start = marked.index("|")
    end = marked.index("|", start + 1) - 1 if marked.count("|") == 2 else start
    text = marked.replace("|", "")
    edit = editor.evaluate(f"([text, start, end, direction]) => {function}(text, start, end, direction)", [text, start, end, direction])
    if edit is None:
        return None
    after = text[:edit["start"]] + edit["insert"] + text[edit["end"]:]
    low, high = edit["selectionStart"], edit["selectionEnd"]
    return after[:low] + "|" + after[low:high] + "|" + after[high:]


@pytest.mark.browser
@pytest.mark.parametrize("before, direction, after", [
    ("a |fox| runs", 1, "a (|fox|:1.1) runs"),
    ("a |fox | runs", 1, "a (|fox|:1.1)  runs"),  # spaces at the end of a selection stay outside
    ("a f|ox runs", 1, "a (|fox|:1.1) runs"),
    ("a fox| runs", -1, "a (|fox|:0.9) runs"),
    ("a (f|ox:1.1) runs", 1, "a (|fox|:1.2) runs"),
    ("a (|red fox|:1.1) runs", -1, "a |red fox| runs"),  # 1.0 removes brackets and number
    ("(|x|:1.9)", 1, "(|x|:2.0)"),
    ("((|x|))", 1, "(|x|:1.3)"),  # 1.21 counts as 1.2
    ("[|x|]", 1, "|x|"),  # 0.909 counts as 0.9
    ("[|x|]", -1, "(|x|:0.8)"),
    ("(x|)", 1, "(|x|:1.2)"),
    ("(a (re|d) fox:1.2)", 1, "(a (|red|:1.2) fox:1.2)"),
    ("|(fox:1.1)|", 1, "(|fox|:1.2)"),
    ("<lora:na|me:0.8>", 1, "<|lora:name|:0.85>"),
    ("<lora:na|me>", -1, "<|lora:name|:0.95>"),
    ("[cat:do|g:0.5]", 1, "[cat:(|dog|:1.1):0.5]"),  # prompt editing is no weight
    ("a, f|ox, b", 1, "a, (|fox|:1.1), b"),
    ("a  |  b", 1, None),
])
def test_ctrl_arrow_changes_the_weight(editor, before, direction, after):
    assert edited(editor, "emphasisEdit", before, direction) == after


@pytest.mark.browser
@pytest.mark.parametrize("before, direction, after", [
    ("red, gr|een, blue", -1, "|green|, red, blue"),
    ("red, gr|een, blue", 1, "red, blue, |green|"),
    ("red, |green, blue|", -1, "|green, blue|, red"),
    ("r|ed, green", -1, None),
    ("red, gree|n", 1, None),
])
def test_alt_arrow_moves_the_element_under_the_cursor(editor, before, direction, after):
    assert edited(editor, "moveElementEdit", before, direction) == after


@pytest.mark.browser
def test_ten_presses_up_and_ten_down_give_the_text_back(editor):
    text = "a (red:1.3) [cold] fox"
    after = editor.evaluate("""text => {
        let [start, end] = [19, 22];
        for (const direction of [...Array(10).fill(1), ...Array(10).fill(-1)]) {
            const edit = emphasisEdit(text, start, end, direction);
            text = text.slice(0, edit.start) + edit.insert + text.slice(edit.end);
            [start, end] = [edit.selectionStart, edit.selectionEnd];
        }
        return text;
    }""", text)
    assert after == text


@pytest.mark.browser
def test_an_edit_can_be_undone_with_ctrl_z(editor):
    editor.evaluate("document.body.innerHTML = '<div class=prompt><textarea>a fox runs</textarea></div>'")
    box = editor.locator("textarea")
    box.focus()
    editor.evaluate("document.querySelector('textarea').setSelectionRange(3, 3)")
    editor.keyboard.press("Control+ArrowUp")
    assert box.input_value() == "a (fox:1.1) runs"
    editor.keyboard.press("Control+z")
    assert box.input_value() == "a fox runs"
