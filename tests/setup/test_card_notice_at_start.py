"""The start says when there is a graphics card that torch cannot use, on the page too."""
from runtime_parts import running

from modules import setup_check


def test_the_page_shows_the_notice(tiny_data_dir, monkeypatch):
    monkeypatch.setattr(setup_check, "graphics_card_notice", lambda: "a card that lies idle")
    with running(tiny_data_dir) as rt:
        assert "a card that lies idle" in rt.notices


def test_nothing_is_said_to_those_who_want_no_card(tiny_data_dir, monkeypatch):
    monkeypatch.setattr(setup_check, "graphics_card_notice", lambda: "a card that lies idle")
    with running(tiny_data_dir, "--use-cpu", "all") as rt:
        assert rt.notices == []
