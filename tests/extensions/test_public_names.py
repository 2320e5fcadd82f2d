"""Names that community extensions import: each is there, and those that change are looked up where they live."""
import importlib

import pytest

NAMES = {
    "modules.scripts": "AlwaysVisible basedir scripts_data scripts_txt2img scripts_img2img scripts_current ScriptRunner OnComponent "
                       "PostprocessImageArgs PostprocessBatchListArgs PostSampleArgs MaskBlendArgs PostProcessMaskOverlayArgs Script "
                       "ScriptClassData script_callbacks shared paths",
    "modules.script_callbacks": "remove_callbacks_for_function remove_current_script_callbacks callback_map CFGDenoiserParams "
                                "CFGDenoisedParams AfterCFGCallbackParams ImageSaveParams ImageGridLoopParams ExtraNoiseParams "
                                "UiTrainTabParams BeforeTokenCounterParams on_app_started on_before_reload on_model_loaded on_ui_tabs "
                                "on_ui_settings on_before_image_saved on_image_saved on_cfg_denoiser on_infotext_pasted on_before_ui",
    "modules.shared": "opts cmd_opts state OptionInfo options_section device data_path models_path prompt_styles config_filename "
                      "styles_filename sd_upscalers latent_upscale_modes latent_upscale_default_mode list_checkpoint_tiles",
    "modules.processing": "StableDiffusionProcessing StableDiffusionProcessingTxt2Img StableDiffusionProcessingImg2Img Processed "
                          "process_images process_images_inner create_infotext fix_seed get_fixed_seed create_binary_mask apply_overlay "
                          "setup_color_correction apply_color_correction opt_C opt_f",
    "modules.masking": "get_crop_region get_crop_region_v2 expand_crop_region fill",
    "modules.paths": "models_path script_path data_path extensions_dir extensions_builtin_dir sd_path paths cwd",
    "modules.paths_internal": "models_path script_path data_path extensions_dir extensions_builtin_dir normalized_filepath",
    "modules.devices": "device cpu torch_gc dtype dtype_vae dtype_unet autocast without_autocast get_optimal_device get_device_for",
    "modules.errors": "report",
    "modules.images": "save_image resize_image flatten read_info_from_image image_grid draw_grid_annotations GridAnnotation "
                      "get_next_sequence_number sanitize_filename_part split_grid combine_grid Grid LANCZOS",
    "modules.sd_samplers": "all_samplers samplers samplers_for_img2img all_samplers_map samplers_map visible_sampler_names "
                           "find_sampler_config get_sampler_and_scheduler",
    "modules.sd_schedulers": "schedulers schedulers_map",
    "modules.sd_models": "checkpoints_list checkpoint_tiles get_closet_checkpoint_match list_models model_path",
}


@pytest.mark.parametrize("module", NAMES)
def test_every_name_is_there(rt, module):
    found = importlib.import_module(module)
    assert [name for name in NAMES[module].split() if not hasattr(found, name)] == []


def test_shared_is_the_running_program(rt):
    from modules import shared
    from modules.shared import cmd_opts, opts

    assert shared.opts is opts is rt.settings and cmd_opts.api is rt.args.api and shared.state is rt.state
    assert cmd_opts.embeddings_dir == str(rt.folders.embeddings) and shared.cmd_opts is cmd_opts
    assert shared.data_path == str(rt.folders.data)
    with pytest.raises(AttributeError):
        shared.no_such_name


def test_the_model_is_loaded_when_it_is_asked_for(rt):
    from modules import shared

    rt.models.unload()
    assert shared.sd_model.checkpoint.model_name == "tiny-sd1-s1" and shared.sd_model is rt.models.current


def test_a_name_written_to_a_live_module_reaches_its_home(monkeypatch):
    import sys
    from types import ModuleType

    from modules._live import live

    home, facade = ModuleType("a_home"), ModuleType("a_facade")
    home.value = 1
    monkeypatch.setitem(sys.modules, "a_home", home)
    monkeypatch.setitem(sys.modules, "a_facade", facade)
    live("a_facade", homes={"value": "a_home:value"}, computed={"twice": lambda: home.value * 2})
    facade.value = 5
    assert home.value == facade.value == 5 and facade.twice == 10 and {"value", "twice"} <= set(dir(facade))


def test_an_old_name_of_the_seed_draws_open_seeds():
    from types import SimpleNamespace

    from modules.processing import fix_seed

    p = SimpleNamespace(seed=-1, subseed=7)
    fix_seed(p)
    assert p.seed >= 0 and p.subseed == 7


def test_a_picture_is_saved_under_its_number_and_name(rt, tmp_path):
    from PIL import Image

    from modules import images

    for number in range(2):
        path, text_path = images.save_image(Image.new("RGB", (8, 8)), str(tmp_path), "mine", seed=5, prompt="a cat", info="x", grid=True,
                                            save_to_dirs=False)
        assert path.endswith(f"mine-000{number}-5.png") and text_path is None
    assert images.read_info_from_image(Image.open(path))[0] == "x"
    assert images.get_next_sequence_number(str(tmp_path), "mine") == 2


def test_names_of_samplers_and_checkpoints_are_understood(rt):
    from modules import sd_models, sd_samplers

    assert sd_samplers.get_sampler_and_scheduler("dpm2 a karras", None) == ("DPM2 a", "Karras")
    assert sd_samplers.find_sampler_config("k_euler").name == "Euler"
    assert sd_models.get_closet_checkpoint_match("tiny-sd1-s2").model_name == "tiny-sd1-s2"
    assert sd_models.get_closet_checkpoint_match("nothing") is None and sd_models.checkpoint_tiles()


def test_a_transparent_picture_gets_a_background():
    from PIL import Image

    from modules import images

    assert images.flatten(Image.new("RGBA", (1, 1), (0, 0, 0, 0)), "#ffffff").getpixel((0, 0)) == (255, 255, 255)
