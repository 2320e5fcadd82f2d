"""Typing with names offered: what is chosen is written, and what is not chosen does not get in the way."""
import pytest

pytestmark = pytest.mark.browser

TAGS = "fox_ears,0,900,\nfox_(animal),0,500,\nforest,0,300,\n"


@pytest.fixture
def typing(easel):
    folder = easel.server.data_dir / "tags"
    folder.mkdir(exist_ok=True)
    (folder / "tags.csv").write_text(TAGS)
    easel.prompt("")
    easel.tab.focus("#txt2img_prompt textarea")
    return easel


def text(easel):
    return easel.tab.input_value("#txt2img_prompt textarea")


def typed(easel, letters):
    easel.tab.keyboard.type(letters, delay=20)
    easel.tab.wait_for_selector("#prompt_completion li")


def is_open(easel):
    return easel.tab.locator("#prompt_completion").count() == 1


def test_tab_and_arrows_choose_and_typing_on_does_not(typing):
    keys = typing.tab.keyboard
    typed(typing, "a house, fo")
    keys.press("Tab")
    assert text(typing) == "a house, fox ears, "
    typed(typing, "fox")
    keys.press("ArrowDown")
    keys.press("ArrowDown")
    keys.press("Enter")
    assert text(typing) == r"a house, fox ears, fox \(animal\), "
    keys.press("Control+z")
    assert text(typing) == "a house, fox ears, fox"
    keys.press("End")
    typed(typing, "_")
    keys.press("Enter")
    assert text(typing) == "a house, fox ears, fox_\n" and not is_open(typing)


def test_escape_closes_the_list_and_keys_of_the_page_go_on(typing):
    keys = typing.tab.keyboard
    typing.tab.evaluate("() => { window.stops = 0; clickActions.txt2img_interrupt = () => { stops++; }; }")
    typing.tab.evaluate("showSubmitButtons('txt2img', false)")
    typed(typing, "for")
    keys.press("Escape")
    assert not is_open(typing) and typing.tab.evaluate("stops") == 0
    keys.press("Backspace")
    typing.tab.wait_for_selector("#prompt_completion li")
    keys.press("Control+ArrowUp")
    assert text(typing) == "(fo:1.1)" and not is_open(typing)
    keys.press("Escape")
    assert typing.tab.evaluate("stops") == 1


def test_a_style_that_is_chosen_goes_to_the_styles(typing):
    typing.server.post("/internal/prompt-help/complete", {"before": ""})
    (typing.server.data_dir / "styles.csv").write_text('name,prompt,negative_prompt\nWoodcut,"{prompt}, ink",\n')
    typing.tab.click("#txt2img_styles_edit_button")
    typing.tab.click("#refresh_txt2img_styles")
    typing.tab.wait_for_selector("#txt2img_style_cards >> text=Woodcut")
    typing.tab.keyboard.press("Escape")
    typing.tab.focus("#txt2img_prompt textarea")
    typed(typing, "a fox, wood")
    typing.tab.click("#prompt_completion li[data-kind=style]")
    typing.wait_for("() => selectedStyles('txt2img').includes('Woodcut')")
    assert text(typing) == "a fox, "


def test_unknown_names_and_lonely_brackets_are_said_below_the_box(typing):
    typing.prompt("a (fox <lora:nowhere:1>")
    typing.tab.wait_for_selector("#txt2img_prompt .prompt-notes p:has-text('nowhere')")
    assert typing.tab.inner_text("#txt2img_prompt .prompt-notes mark") == "("
    typing.prompt("a (fox)")
    typing.tab.wait_for_selector("#txt2img_prompt .prompt-notes", state="detached")
    typing.tab.evaluate("() => { const box = textareaOf('txt2img_prompt'); box.focus(); box.setSelectionRange(0, 1); }")
    typing.tab.keyboard.press("[")
    assert text(typing) == "[a] (fox)"
