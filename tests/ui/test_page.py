"""The page as it is built: labels, ids, limits, and what gradio needs to know about every component."""
import json
import re

import gradio as gr
import pytest

from modules.ui.app import build_blocks
from modules.ui.components import TOOLTIPS, paragraphs

# Of the recorded page; what belongs to tabs and accordions that do not exist yet is not in it.
IDS = [
    "quicksettings", "setting_sd_model_checkpoint", "refresh_sd_model_checkpoint", "tabs", "tab_txt2img", "tab_settings", "footer",
    "settings_json", "settings_submit", "txt2img_toprow", "txt2img_prompt_container", "txt2img_prompt_row", "txt2img_prompt",
    "txt2img_neg_prompt_row", "txt2img_neg_prompt", "txt2img_actions_column", "txt2img_generate_box", "txt2img_interrupt",
    "txt2img_skip", "txt2img_interrupting", "txt2img_generate", "txt2img_tools", "paste", "txt2img_clear_prompt", "txt2img_style_apply",
    "txt2img_restore_progress", "txt2img_styles_row", "txt2img_styles", "txt2img_styles_edit_button", "txt2img_styles_dialog",
    "txt2img_styles_edit_select", "refresh_txt2img_styles", "txt2img_style_apply_dialog", "txt2img_style_copy",
    "txt2img_edit_style_prompt", "txt2img_edit_style_neg_prompt", "txt2img_edit_style_save", "txt2img_edit_style_delete",
    "txt2img_edit_style_close", "txt2img_extra_tabs", "txt2img_settings", "sampler_selection_txt2img", "txt2img_sampling",
    "txt2img_scheduler", "txt2img_steps", "txt2img_column_size", "txt2img_width", "txt2img_height", "txt2img_dimensions_row",
    "txt2img_res_switch_btn", "txt2img_column_batch", "txt2img_batch_count", "txt2img_batch_size", "txt2img_cfg_scale",
    "txt2img_seed_row", "txt2img_seed", "txt2img_random_seed", "txt2img_reuse_seed", "txt2img_subseed_show", "txt2img_seed_extras",
    "txt2img_subseed_row", "txt2img_subseed", "txt2img_random_subseed", "txt2img_reuse_subseed", "txt2img_subseed_strength",
    "txt2img_seed_resize_from_row", "txt2img_seed_resize_from_w", "txt2img_seed_resize_from_h", "txt2img_override_settings_row",
    "txt2img_override_settings", "txt2img_results", "txt2img_results_panel", "txt2img_gallery_container", "txt2img_gallery",
    "image_buttons_txt2img", "txt2img_open_folder", "save_txt2img", "save_zip_txt2img", "html_info_txt2img", "html_log_txt2img",
    "generation_info_txt2img", "txt2img_generation_info_button",
]
# What img2img has beside the same things under its own name.
IMG2IMG_IDS = [
    "mode_img2img", "img2img_img2img_tab", "img2img_img2img_sketch_tab", "img2img_inpaint_tab", "img2img_inpaint_sketch_tab",
    "img2img_inpaint_upload_tab", "img2img_image", "img2img_sketch", "img2maskimg", "inpaint_sketch", "img_inpaint_base",
    "img_inpaint_mask", "img2img_copy_to_img2img", "img2img_copy_to_sketch", "img2img_copy_to_inpaint", "img2img_copy_to_inpaint_sketch",
    "resize_mode", "inpaint_controls", "img2img_mask_blur", "img2img_mask_alpha", "img2img_mask_mode", "img2img_inpainting_fill",
    "img2img_inpaint_full_res", "img2img_inpaint_full_res_padding", "img2img_tab_resize_to", "img2img_tab_resize_by", "img2img_scale",
    "img2img_scale_resolution_preview", "img2img_detect_image_size_btn", "img2img_image_cfg_scale", "img2img_denoising_strength",
    "img2img_batch_tab", "img2img_batch_upload", "img2img_batch_input_dir", "img2img_batch_output_dir", "img2img_batch_inpaint_mask_dir",
    "img2img_batch_use_png_info", "img2img_batch_png_info_dir", "img2img_enable", "img2img_checkpoint", "img2img_switch_at",
    "img2img_script_container",
]
# The model's own size; the schedule is a control of its own.
DIFFERENT_ON_PURPOSE = {f"{tab}_{name}" for tab in ("txt2img", "img2img") for name in ("width", "height", "sampling")}


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """The Blocks of a running program."""
    from runtime_parts import running

    with running(tmp_path_factory.mktemp("data")) as rt:
        yield build_blocks(rt)[0]


@pytest.fixture(scope="module")
def by_id(page):
    return {block.elem_id: block for block in page.blocks.values() if getattr(block, "elem_id", None)}


@pytest.fixture(scope="module", params=["txt2img", "img2img"])
def tab(request):
    return request.param


@pytest.fixture(scope="module")
def generate(page, by_id, tab):
    """The event of the Generate button, as gradio sends it to the page."""
    button = by_id[f"{tab}_generate"]._id
    return next(row for row in page.config["dependencies"] if [button, "click"] in [list(target) for target in row["targets"]])


def test_every_element_has_the_id_by_which_scripts_find_it(by_id, tab):
    assert [name for name in IDS if name.replace("txt2img", tab) not in by_id] == []


def test_img2img_has_the_elements_for_pictures_masks_and_sizes(by_id):
    assert [name for name in IMG2IMG_IDS if name not in by_id] == []


def test_labels_values_and_limits_are_the_recorded_ones(by_id, goldens):
    recorded = json.loads((goldens / "ui-components.json").read_text("utf-8"))["components"]
    for row in recorded:
        ours = by_id.get(row["elem_id"])
        is_control = row["type"] in ("slider", "number", "text", "checkbox", "dropdown")
        if ours is None or not is_control or row["elem_id"] in DIFFERENT_ON_PURPOSE:
            continue
        assert ours.label == row["label"], row["elem_id"]
        if row["type"] == "slider":
            assert (ours.minimum, ours.maximum, ours.step, ours.value) == (row["minimum"], row["maximum"], row["step"], row["value"])


def test_generate_has_four_outputs_and_inputs_in_a_fixed_order(generate, page, by_id, tab):
    outputs = [by_id[name]._id for name in (f"{tab}_gallery", f"generation_info_{tab}", f"html_info_{tab}", f"html_log_{tab}")]
    assert generate["outputs"] == outputs
    assert len(generate["inputs"]) <= 200
    before = [f"{tab}_task_id", *(["img2img_pictures"] if tab == "img2img" else [])]
    wanted = [*before, f"{tab}_prompt", f"{tab}_neg_prompt", f"{tab}_styles"]
    assert [page.blocks[number].elem_id for number in generate["inputs"]][:len(wanted)] == wanted


def test_a_second_press_of_generate_is_not_dropped(generate):
    assert generate["trigger_mode"] == "multiple"


def test_every_control_can_be_used_and_none_asks_the_server_for_its_value(page):
    for block in page.blocks.values():
        if isinstance(block, gr.components.FormComponent | gr.Button):
            assert block.interactive is True, f"{block.get_block_name()} {block.elem_id}"
        assert not getattr(block, "load_event_to_attach", None), block.elem_id


def test_no_event_is_offered_as_an_api_of_gradio(page):
    assert {row["api_visibility"] for row in page.config["dependencies"]} == {"private"}


def test_every_button_that_shows_only_a_sign_has_a_tooltip(page):
    for block in page.blocks.values():
        if isinstance(block, gr.Button) and not re.search("[a-z]", str(block.value)):
            assert TOOLTIPS.get(block.elem_id), block.elem_id


def test_the_size_proposed_is_that_of_the_model(by_id):
    assert {by_id[f"{tab}_{side}"].value for tab in ("txt2img", "img2img") for side in ("width", "height")} == {128}
    assert "Only the small demo model is here" in by_id["models_note"].value


def test_every_option_with_a_section_has_a_control(page, by_id):
    from modules.settings.catalog import built_in_options
    shown = {f"setting_{key}" for key, option in built_in_options().items() if option.section and option.section[0]}
    assert shown - set(by_id) == set()


@pytest.mark.parametrize("text", ["<img src=x onerror=alert(1)>", "a & b", '"quoted"', "${1+1}", "{{7*7}}"])
def test_text_of_users_stands_for_itself(text):
    assert "<img" not in paragraphs(text) and paragraphs("a\nb") == '<p class="">a<br>\nb</p>'
