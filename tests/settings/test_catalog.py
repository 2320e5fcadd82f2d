import json
import re
from pathlib import Path

import pytest

from modules.settings.catalog import SECTIONS, built_in_options
from modules.settings.infotext_keys import override_settings_from, settings_with_infotext
from modules.settings.option import CONTROLS
from modules.settings.store import Options

ROOT = Path(__file__).parents[2]

# Where Easel differs on purpose.
OUR_DEFAULTS = {
    "save_images_replace_action": "Add number suffix",  # nothing is replaced without being asked
    "randn_source": "CPU",  # the same picture on every machine
    "interrupt_after_current": False,
    "api_enable_requests": False,  # a server that asks other machines what a stranger tells it is a way into its network
    "img2img_inpaint_mask_brush_color": "#f0453a",  # white is not seen on much of what people repaint
    "outdir_txt2img_samples": "outputs/txt2img-images",
    "outdir_txt2img_grids": "outputs/txt2img-grids",
    "outdir_img2img_samples": "outputs/img2img-images",
    "outdir_img2img_grids": "outputs/img2img-grids",
    "outdir_init_images": "outputs/init-images",
    "outdir_extras_samples": "outputs/extras-images",
}
OUR_OPTIONS = {"gallery_folders", "extension_index_url", "folders_checkpoints", "folders_vae", "folders_lora", "folders_embeddings",
               "folders_hypernetworks", "folders_upscalers", "folders_vae_approx", "postprocessing_disable_in_extras",
               "notification_window",
               "SWIN_tile", "SWIN_tile_overlap", "SCUNET_tile", "SCUNET_tile_overlap",
               "invisible_watermark", "invisible_watermark_text", "safety_filter",
               "add_replay_to_infotext", "png_compress_level", "prediction_type",
               "restore_form", "prompt_completion", "vae_tiling", "vae_tile_px",
               "skip_early_cond", "beta_dist_alpha", "beta_dist_beta"}  # these three are of A1111 1.9 and 1.10
OUR_INFOTEXT_KEYS = {
    "s_min_uncond": "NGMS",
    "face_restoration": None,  # the field "Restore faces" has the key, and the model is its value
    "face_restoration_model": "Face restoration",
    "code_former_weight": "CodeFormer weight",
    "k_sched_type": None,  # the key belongs to the field "Schedule type" since 1.9
    "sgm_noise_multiplier": "SGM noise multiplier",  # spelt as in 1.9; the old spelling is read
}
OUR_SECTIONS = {"live-previews"}  # was shown under the id of "User interface"


@pytest.fixture(scope="module")
def recorded(goldens) -> dict[str, dict]:
    return {row["name"]: row for row in json.loads((goldens / "options.json").read_text(encoding="utf-8"))}


@pytest.mark.parametrize("key", [row.key for section in SECTIONS for row in section.rows])
def test_key_default_infotext_section_and_range_equal_the_recorded_ones(key, recorded):
    option = built_in_options()[key]
    if key in OUR_OPTIONS:
        assert key not in recorded
        return
    row = recorded[key]
    assert option.default == OUR_DEFAULTS.get(key, row["default"])
    assert type(option.default) is type(row["default"])
    assert option.infotext == OUR_INFOTEXT_KEYS.get(key, row["infotext"])
    assert option.section[0] in {row["section"][0], *OUR_SECTIONS}
    if row["component"] == "Slider":
        assert option.arguments() == {name: row["component_args"][name] for name in ("minimum", "maximum", "step")}
    elif row["component"] == "Radio":
        assert set(option.arguments()["choices"]) <= set(row["component_args"]["choices"])


def test_no_key_appears_twice():
    keys = [row.key for section in SECTIONS for row in section.rows]
    assert len(keys) == len(set(keys)) and len({section.id for section in SECTIONS}) == len(SECTIONS)


def test_the_settings_tab_shows_exactly_the_settings_that_something_reads():
    files = [*ROOT.glob("modules/**/*.py"), *ROOT.glob("modules/**/*.js"), *ROOT.glob("scripts/*.py")]
    source = "\n".join(path.read_text(encoding="utf-8") for path in files if "settings" not in path.relative_to(ROOT).parts)
    words = set(re.findall(r"\w+", source))
    unread = {row.key for section in SECTIONS for row in section.rows} - words
    assert unread == set(), "no dead controls"


def test_every_default_passes_its_own_check():
    for key, option in built_in_options().items():
        assert option.converted(key, option.default) == option.default
        assert option.control() in CONTROLS and option.label


def test_a_setting_with_an_infotext_key_affects_the_picture():
    assert all(option.affects_picture for option in built_in_options().values() if option.infotext)


def test_every_program_has_options_of_its_own():
    first, second = built_in_options(), built_in_options()
    first["hidden_tabs"].default.append("x")
    first["n_rows"].component_args["maximum"] = 3
    assert second["hidden_tabs"].default == [] and second["n_rows"].component_args["maximum"] == 16


def test_infotext_keys_belong_to_the_recorded_settings_in_their_order(goldens):
    recorded = dict(json.loads((goldens / "infotext.json").read_text(encoding="utf-8"))["settings_with_infotext"])
    ours = settings_with_infotext(Options(built_in_options()))
    expected = {**recorded, **OUR_INFOTEXT_KEYS}
    known = [(key, name) for key, name in ours if key not in OUR_OPTIONS]
    assert known and all(expected[key] == name for key, name in known)
    assert [key for key, _ in known if key in recorded] == [key for key in recorded if key in dict(known)]


def test_override_settings_come_from_pasted_pairs(goldens):
    golden = json.loads((goldens / "infotext.json").read_text(encoding="utf-8"))["override_settings_from"]
    options = Options(built_in_options())
    for pairs, values in golden:
        assert override_settings_from(options, pairs, find_checkpoint=lambda name: None) == values
    found = override_settings_from(options, ["Model hash: abc", "Unknown: 5"], find_checkpoint=lambda name: f"{name}.safetensors")
    assert found == {"sd_model_checkpoint": "abc.safetensors"}


def test_the_old_spelling_of_a_key_is_read():
    options = Options(built_in_options())
    assert override_settings_from(options, ["SGM noise multplier: True"], lambda name: None) == {"sgm_noise_multiplier": True}
