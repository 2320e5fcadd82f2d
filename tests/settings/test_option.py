import math

import pytest

from modules.errors import RequestError
from modules.settings.option import OptionHTML, OptionInfo, Remark, options_section

SLIDER = OptionInfo(1, "Clip skip", "slider", {"minimum": 1, "maximum": 12, "step": 1})
CHOICE = OptionInfo("CPU", "Source", "radio", {"choices": ("GPU", "CPU", "NV")})
REMARKS = (
    ("link", ("docs", "https://x"), Remark(kind="link", text="docs", target="https://x")),
    ("js", ("go", "goThere"), Remark(kind="script", text="go", target="goThere")),
    ("info", ("slow",), Remark(kind="info", text="slow")),
    ("html", ("<b>",), Remark(kind="html", text="<b>")),
    ("needs_restart", (), Remark(kind="info", text="requires restart")),
    ("needs_reload_ui", (), Remark(kind="info", text="requires Reload UI")),
)


@pytest.mark.parametrize("option, given, stored", [
    (OptionInfo(True), 0, False), (OptionInfo(True), "false", False), (OptionInfo(5), "7", 7), (OptionInfo(5), 7.0, 7),
    (OptionInfo(0.5), 1, 1.0), (OptionInfo(0.5), "0.25", 0.25), (OptionInfo("a"), 5, "5"), (OptionInfo("a"), "x\0\ud800", "x?"),
    (OptionInfo([]), ("a",), ["a"]), (OptionInfo(None), None, None), (OptionInfo(None), "a.ckpt", "a.ckpt"), (CHOICE, "nv", "NV"),
    (SLIDER, "2", 2), (OptionInfo("#ffffff", component="color"), "#00ff00", "#00ff00"), (OptionInfo({"a": 1}), {"b": 2}, {"b": 2}),
])  # fmt: skip
def test_a_value_is_brought_into_the_type_of_the_default(option, given, stored):
    value = option.converted("key", given)
    assert value == stored and type(value) is type(stored)


@pytest.mark.parametrize("option, given", [
    (OptionInfo(True), 2), (OptionInfo(True), "maybe"), (OptionInfo(5), True), (OptionInfo(5), 1.5), (OptionInfo(5), math.nan),
    (OptionInfo(5), math.inf), (OptionInfo(5), "1e5"), (OptionInfo(5), None), (OptionInfo(5), "9" * 5000), (OptionInfo(0.5), "x"),
    (OptionInfo(0.5), 10**400), (OptionInfo(0.5), "inf"), (OptionInfo("a"), {}), (OptionInfo("a"), True), (OptionInfo("a"), "x" * 10**6),
    (OptionInfo([]), "a"), (OptionInfo([]), 5), (OptionInfo("#ffffff", component="color"), "red;"), (OptionInfo(None), 5j),
])  # fmt: skip
def test_a_value_that_cannot_be_is_refused_by_name(option, given):
    with pytest.raises(RequestError) as refused:
        option.converted("key", given)
    assert refused.value.field == "key"


def test_the_refusal_names_setting_and_range():
    with pytest.raises(RequestError, match=r'"Clip skip" \(CLIP\) .* whole number from 1 to 12'):
        SLIDER.converted("CLIP", 13)


def test_the_refusal_names_the_choices():
    with pytest.raises(RequestError, match="GPU, CPU, NV"):
        CHOICE.converted("randn_source", "TPU")


def test_ranges_and_choices_of_extensions_bind_nobody():
    class Slider: ...

    assert OptionInfo(1, "x", Slider, {"minimum": 0, "maximum": 5}).converted("x", 9) == 9
    assert OptionInfo("a", "x", "dropdown", lambda: {"choices": ["a"]}).converted("x", "b") == "b"


@pytest.mark.parametrize("method, arguments, remark", REMARKS)
def test_chain_methods_add_a_remark_and_return_the_option(method, arguments, remark):
    option = OptionInfo(1)
    assert getattr(option, method)(*arguments) is option
    assert option.remarks == [remark]


@pytest.mark.parametrize("default, control", [(True, "checkbox"), (1, "number"), (1.5, "number"), ("a", "text"), (None, "text")])
def test_the_control_follows_from_the_default(default, control):
    assert OptionInfo(default).control() == control


def test_arguments_may_be_a_function():
    assert OptionInfo(1, component_args=lambda: {"minimum": 2}).arguments() == {"minimum": 2}
    assert OptionInfo(1, component_args=lambda: None).arguments() == {}


def test_a_section_is_set_on_every_option_of_a_mapping():
    options = options_section(("lora", "Lora", "sd"), {"a": OptionInfo(1), "b": OptionHTML("text")})
    assert {(option.section, option.category_id) for option in options.values()} == {(("lora", "Lora"), "sd")}


def test_extensions_may_give_everything_by_position():
    option = OptionInfo("d", "l", "text", {}, None, ("id", "Title", "category"), None, "before", "after", "Key", True, None)
    assert (option.section, option.category_id, option.comment_after, option.infotext, option.restrict_api) == (
        ("id", "Title"), "category", "after", "Key", True)
