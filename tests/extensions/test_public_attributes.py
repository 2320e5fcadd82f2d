"""Attributes of the objects that extensions are handed, name by name, and what those do that the program itself has no use for."""
import pytest
from extensions_names import ATTRIBUTES
from PIL import Image


def found(place):
    """The object that a place of the table names."""
    from modules import extra_networks, processing, scripts, scripts_postprocessing, sd_models, shared, ui_toprow
    from modules.sd_hijack import model_hijack
    from modules.sd_samplers_kdiffusion import CFGDenoiser, KDiffusionSampler
    from modules.timer import startup_timer
    from modules.ui_extra_networks import ExtraNetworksPage

    text = processing.StableDiffusionProcessingTxt2Img(prompt="x")
    return {
        "ScriptRunner": scripts.scripts_txt2img, "Script": scripts.Script, "opts": shared.opts, "cmd_opts": shared.cmd_opts,
        "state": shared.state, "txt2img": text, "img2img": processing.StableDiffusionProcessingImg2Img(prompt="x"),
        "Processed": processing.Processed(text, [], 1, ""), "sd_model": shared.sd_model, "model": shared.sd_model.model,
        "unet": shared.sd_model.model.diffusion_model, "vae": shared.sd_model.first_stage_model, "clip": shared.sd_model.cond_stage_model,
        "model_hijack": model_hijack, "embedding_db": model_hijack.embedding_db, "model_data": sd_models.model_data,
        "CheckpointInfo": next(iter(sd_models.checkpoints_list.values())), "Sampler": KDiffusionSampler, "CFGDenoiser": CFGDenoiser,
        "ExtraNetworksPage": ExtraNetworksPage, "ExtraNetworkParams": extra_networks.ExtraNetworkParams(["a"]),
        "ScriptPostprocessing": scripts_postprocessing.ScriptPostprocessing(), "OptionInfo": shared.OptionInfo(1, ""),
        "PostprocessedImage": scripts_postprocessing.PostprocessedImage(Image.new("RGB", (1, 1))), "prompt_styles": shared.prompt_styles,
        "total_tqdm": shared.total_tqdm, "startup_timer": startup_timer, "Toprow": ui_toprow.Toprow, "upscaler": shared.sd_upscalers[0],
    }[place]


@pytest.mark.parametrize("place", ATTRIBUTES)
def test_every_attribute_is_there(rt, place):
    assert [name for name in ATTRIBUTES[place].split() if not hasattr(found(place), name)] == []


def test_a_value_that_no_argument_of_the_start_has_is_told_as_argparse_does(rt):
    with pytest.raises(AttributeError):
        found("cmd_opts").no_such_argument
    with pytest.raises(AttributeError):
        found("opts").no_such_option


def test_conditions_are_read_anew_after_an_extension_emptied_a_cache(made, recorder, rt, monkeypatch):
    from modules.generation import conditions

    read = []
    original = conditions.encode
    monkeypatch.setattr(conditions, "encode", lambda encoder, texts, options: read.append(texts) or original(encoder, texts, options))
    made(prompt="of the cache")
    first = len(read)
    made(prompt="of the cache")
    assert first and len(read) == first
    recorder.WISHES["process"] = lambda event: setattr(event["p"], "cached_uc", [None, None])
    made(prompt="of the cache")
    assert len(read) == 2 * first


def test_layers_have_the_names_of_network_files(rt):
    model = found("sd_model")
    layers = model.network_layer_mapping
    attention = layers["diffusion_model_middle_block_1_transformer_blocks_0_attn1"]
    assert attention is model.model.diffusion_model.middle_block[1].transformer_blocks[0].attn1
    assert attention.network_layer_name == "diffusion_model_middle_block_1_transformer_blocks_0_attn1"
    assert "transformer_text_model_encoder_layers_0_mlp_fc1" in layers


def test_a_runner_tells_its_scripts_of_components_as_the_page_does(rt):
    from modules.scripts import Script, ScriptRunner

    class Listening(Script):
        def __init__(self):
            self.heard = []
            self.on_after_component(lambda event: self.heard.append(event.component), elem_id="wanted")

        def before_component(self, component, **keywords):
            self.heard.append(keywords["label"])

    class Failing(Script):
        def after_component(self, component, **keywords):
            raise ValueError

    runner = ScriptRunner()
    runner.scripts = [Failing(), listening := Listening()]
    runner.before_component("one", label="first")
    runner.after_component("one", elem_id="other")
    runner.after_component("two", elem_id="wanted")
    assert listening.heard == ["first", "two"]


def test_controls_are_built_on_request_as_the_page_builds_them(rt):
    import gradio as gr

    from modules.scripts import ScriptRunner

    runner = ScriptRunner()
    runner.initialize_scripts(False)
    with gr.Blocks(analytics_enabled=False):
        inputs = runner.setup_ui()
    recorder = runner.script("hook recorder")
    assert [control.label for control in inputs[recorder.args_from:recorder.args_to]] == ["Word", "Kind", "Count"]
    assert runner.setup_ui() is inputs
