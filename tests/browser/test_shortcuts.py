"""Keyboard shortcuts and the self-check in a browser."""


def test_the_overview_opens_by_a_key_and_other_keys_can_be_chosen(easel):
    tab = easel.tab
    tab.keyboard.press("?")
    tab.wait_for_selector("#shortcuts_dialog[data-open]")
    tab.click('#shortcuts_dialog [data-id="queue"]')
    tab.keyboard.press("Alt+k")
    assert tab.inner_text('#shortcuts_dialog [data-id="queue"]') == "Alt+K"
    tab.click('#shortcuts_dialog [data-id="theme"]')
    tab.keyboard.press("Alt+k")
    assert tab.inner_text('#shortcuts_dialog [data-id="queue"]') == "none"
    tab.keyboard.press("Escape")
    tab.wait_for_selector("#shortcuts_dialog[data-open]", state="detached")
    dark = tab.evaluate("document.body.classList.contains('dark')")
    tab.keyboard.press("Alt+k")
    easel.wait_for(f"() => document.body.classList.contains('dark') !== {'true' if dark else 'false'}")
    tab.keyboard.press("Alt+3")
    tab.wait_for_selector("#gallery_search")
    tab.fill("#gallery_search", "?")
    assert tab.locator("#shortcuts_dialog[data-open]").count() == 0
    easel.open()
    assert easel.tab.evaluate("keysOfShortcut(SHORTCUTS.find(({id}) => id === 'theme'))") == "Alt+K"
    assert easel.problems == []


def test_keys_are_known_by_their_sign_wherever_a_keyboard_has_them(easel):
    cases = [({"key": "z", "code": "KeyY", "ctrlKey": True}, "Ctrl+Z"), ({"key": "z", "code": "KeyW", "metaKey": True}, "Ctrl+Z"),
             ({"key": "π", "code": "KeyP", "altKey": True}, "Alt+P"), ({"key": "&", "code": "Digit1", "altKey": True}, "Alt+1"),
             ({"key": "я", "code": "KeyZ", "ctrlKey": True}, "Ctrl+Z"),
             ({"key": "Z", "code": "KeyZ", "ctrlKey": True, "shiftKey": True}, "Ctrl+Shift+Z")]
    for event, expected in cases:
        assert easel.tab.evaluate("keysOfEvent", event) == expected


def test_the_self_check_of_the_footer_lists_what_was_looked_at(easel):
    easel.tab.click("#tab_gallery-button")
    easel.tab.click("#self_check_button")
    easel.tab.wait_for_selector("#self_check_dialog[data-open] li[data-state=good]")
    assert "Pictures are made on cpu" in easel.tab.inner_text("#self_check_dialog")
    assert easel.problems == []
    easel.tab.keyboard.press("Escape")
    easel.tab.wait_for_selector("#self_check_dialog[data-open]", state="detached")
