"""Cards in a real browser: networks into the prompt and out of it, switching checkpoints, the editor, thousands of files."""
import json
import time

import pytest

pytestmark = pytest.mark.browser
NETWORK = "tinylora"


def cards_tab(easel, kind, tab="txt2img"):
    easel.tab.click(f"#{tab}_{kind}-button")
    easel.tab.wait_for_selector(f"#{tab}_{kind}_cards .card")
    return easel.tab.locator(f"#{tab}_{kind}_cards")


def prompt_is(easel, text, box="txt2img_prompt"):
    easel.tab.wait_for_function("([id, text]) => textareaOf(id).value === text", arg=[box, text])


def use(cards, name):
    cards.locator(f'.card[data-name="{name}"] .card-use').click()


def test_a_network_goes_into_the_prompt_with_a_click_and_out_of_it_with_the_next(easel):
    easel.prompt("a fox")
    cards = cards_tab(easel, "lora")
    use(cards, NETWORK)
    prompt_is(easel, "a fox <lora:tinylora:1>")
    assert cards.locator(f".card[data-name={NETWORK}].in-prompt").count() == 1
    easel.prompt("a <lora:tinylora:0.45> fox")
    use(cards, NETWORK)
    prompt_is(easel, "a fox")
    assert not cards.locator(".in-prompt").count()


def test_an_embedding_goes_into_the_prompt_that_was_used_last(easel):
    easel.tab.click("#txt2img_neg_prompt textarea")
    use(cards_tab(easel, "textual_inversion"), "tinyemb")
    prompt_is(easel, "tinyemb", "txt2img_neg_prompt")
    prompt_is(easel, "")


def test_a_card_chooses_its_checkpoint(easel):
    cards = cards_tab(easel, "checkpoints")
    for name in ("tiny-sd1-s2", "tiny-sd1-s1"):
        use(cards, name)
        easel.tab.wait_for_function("name => (opts.sd_model_checkpoint || '').startsWith(name)", arg=name)
        easel.tab.wait_for_function("name => document.querySelector('#setting_sd_model_checkpoint input').value.startsWith(name)", arg=name)
    easel.tab.wait_for_selector('.card[data-name="tiny-sd1-s1"].in-prompt')


def test_the_editor_stores_what_the_card_then_inserts(easel):
    folder = easel.server.data_dir / "models/Lora"
    (folder / "edited.safetensors").write_bytes((folder / "tinylora.safetensors").read_bytes())
    cards = cards_tab(easel, "lora")
    easel.tab.click("#txt2img_lora_extra_refresh")
    card = cards.locator(".card[data-name=edited]")
    card.hover()
    card.locator(".edit-button").click()
    easel.tab.fill("#card_editor [name='activation text']", "soft light")
    easel.tab.fill("#card_editor [name='preferred weight']", "0.7")
    easel.tab.fill("#card_editor [name='description']", "<img src=x onerror=\"document.title='broken into'\">")
    easel.tab.click("#card_editor [type=submit]")
    easel.wait_for("() => !byId('card_editor').dataset.open")
    cards.locator(".card[data-name=edited] .description").wait_for()
    assert "<img" in cards.locator(".card[data-name=edited] .description").inner_text() and easel.tab.title() != "broken into"
    use(cards, "edited")
    prompt_is(easel, "<lora:edited:0.7> soft light")
    use(cards, "edited")
    prompt_is(easel, "")
    assert json.loads((folder / "edited.json").read_text())["activation text"] == "soft light"


def test_the_selected_picture_becomes_the_preview(easel):
    easel.prompt("a preview")
    easel.number("txt2img_steps", 1)
    easel.generate()
    easel.wait_for_result("a preview")
    cards = cards_tab(easel, "lora")
    card = cards.locator(f".card[data-name={NETWORK}]")
    card.hover()
    card.locator(".edit-button").click()
    easel.tab.click("#card_replace_preview")
    easel.wait_for("() => document.querySelector('.card-editor-said').innerText.includes('replaced')")
    easel.tab.keyboard.press("Escape")
    easel.wait_for(f"() => document.querySelector('.card[data-name={NETWORK}] img.preview')?.naturalWidth > 0")
    assert (easel.server.data_dir / "models/Lora/tinylora.preview.png").is_file()


def test_the_metadata_of_a_file_is_shown_as_text(easel):
    card = cards_tab(easel, "lora").locator(f".card[data-name={NETWORK}]")
    card.hover()
    card.locator(".metadata-button").click()
    easel.wait_for("() => document.querySelector('.card-metadata')?.textContent.includes('ss_base_model_version')")
    easel.tab.keyboard.press("Escape")


def test_a_file_that_cannot_be_used_says_why_and_is_not_inserted(easel):
    (easel.server.data_dir / "models/Lora/broken.safetensors").write_bytes(b"<html>404")
    cards = cards_tab(easel, "lora")
    assert "web page" in cards.locator(".card.broken[data-name=broken]").inner_text()
    use(cards, "broken")
    easel.wait_for("() => byId('easel_messages')?.innerText.includes('broken cannot be used')")
    prompt_is(easel, "")


def test_five_thousand_cards_open_in_a_second_and_are_searched_sorted_and_scrolled(easel):
    folder = easel.server.data_dir / "embeddings/many"
    folder.mkdir(exist_ok=True)
    content = (folder.parent / "tinyemb.safetensors").read_bytes()
    for number in range(5000):
        (folder / f"word-{number}.safetensors").write_bytes(content)
    began = time.monotonic()
    cards = cards_tab(easel, "textual_inversion", tab="txt2img")
    seconds = time.monotonic() - began
    assert cards.locator(".card").count() < 200
    assert seconds < 10  # 1 s on a quiet machine
    assert "5003 cards" in easel.tab.inner_text("#txt2img_textual_inversion_page .cards-note")
    easel.tab.fill("#txt2img_textual_inversion_extra_search", "many word-4999")
    easel.wait_for("() => document.querySelectorAll('#txt2img_textual_inversion_cards .card').length === 1")
    easel.tab.fill("#txt2img_textual_inversion_extra_search", "")
    easel.tab.click(".cards-folder[data-folder=many]")
    easel.tab.click("#txt2img_textual_inversion_extra_sort_dir")
    easel.wait_for("() => document.querySelector('#txt2img_textual_inversion_cards .card').dataset.name === 'word-4999'")
    easel.tab.evaluate("() => { const list = byId('txt2img_textual_inversion_cards'); list.scrollTop = list.scrollHeight; }")
    easel.wait_for("() => [...document.querySelectorAll('#txt2img_textual_inversion_cards .card')].at(-1).dataset.name === 'word-0'")
