"""Names that community extensions import: each is there, and those that change are looked up where they live."""
import importlib
import importlib.util
import json
import subprocess
import sys

import pytest
from extensions_names import FEW, MOST, SEVERAL, TOP_LEVEL

from modules.folders import PROGRAM

NAMES = {**MOST, **SEVERAL, **FEW}
TOP_LEVEL_FOLDER = PROGRAM / "modules" / "a1111" / "toplevel"
# With the folder of top-level names in front, as extensions find it where no package of these names is installed.
PROBE = """
import importlib, json, sys
sys.path[:0] = json.loads(sys.argv[1])
wanted = json.loads(sys.argv[2])
missing = {}
for module, names in wanted.items():
    found = importlib.import_module(module)
    absent = [name for name in names.split() if name not in dir(found)]
    if absent:
        missing[module] = absent
print(json.dumps(missing))
"""


@pytest.mark.parametrize("module", NAMES)
def test_every_name_is_there(rt, module):
    found = importlib.import_module(module)
    assert [name for name in NAMES[module].split() if not hasattr(found, name)] == []


def test_names_of_other_packages_stand_for_classes_of_the_program():
    paths = json.dumps([str(TOP_LEVEL_FOLDER), str(PROGRAM)])
    done = subprocess.run([sys.executable, "-c", PROBE, paths, json.dumps(TOP_LEVEL)], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {}


def test_names_of_other_packages_never_hide_what_is_installed(rt):
    assert str(TOP_LEVEL_FOLDER) not in sys.path
    spec = importlib.util.find_spec("k_diffusion")
    assert spec is None or "site-packages" in (spec.origin or "")


@pytest.mark.parametrize("name", ["modules_forge", "backend", "ldm_patched", "lib_controlnet"])
def test_names_of_another_program_are_not_there(name):
    assert importlib.util.find_spec(name) is None


def test_modules_are_found_as_attributes_of_their_package(rt):
    import modules

    assert modules.shared_items.sd_vae_items() == ["Automatic", "None"]
    assert [sampler.name for sampler in modules.shared_items.list_samplers()] == [s.name for s in modules.sd_samplers.all_samplers]
    assert {"Clip skip", "RNG"} <= set(modules.shared_items.get_infotext_names())
    with pytest.raises(AttributeError):
        modules.modules_forge


def test_both_names_of_the_infotext_module_are_one_module(rt):
    from modules import generation_parameters_copypaste, infotext_utils

    assert generation_parameters_copypaste is infotext_utils
    assert infotext_utils.parse_generation_parameters("a cat\nSteps: 3, Seed: 5, Size: 64x96")["Size-2"] == "96"


def test_two_extensions_replace_one_function_and_put_it_back():
    from types import SimpleNamespace

    from modules import patches

    home = SimpleNamespace(f=lambda: 1)
    first = patches.patch("one", home, "f", lambda: 2)
    patches.patch("two", home, "f", lambda: 3)
    assert (first(), home.f(), patches.original("two", home, "f")()) == (1, 3, 2)
    patches.undo("two", home, "f")
    patches.undo("one", home, "f")
    assert home.f is first
    with pytest.raises(RuntimeError):
        patches.undo("one", home, "f")


def test_prompts_are_encoded_under_the_old_names_as_the_engine_does_it(rt):
    import torch

    from modules import prompt_parser, shared

    model = shared.sd_model
    plan = prompt_parser.get_learned_conditioning_prompt_schedules(["a [cat:dog:0.5]"], 10)
    assert plan == [[[5, "a cat"], [10, "a dog"]]]
    learned = prompt_parser.get_multicond_learned_conditioning(model, ["a cat AND a dog:0.5"], 4)
    owners, rows = prompt_parser.reconstruct_multicond_batch(learned, 0)
    assert owners == [[(0, 1.0), (1, 0.5)]] and torch.equal(rows[:1], model.get_learned_conditioning(["a cat"]))


def test_a_text_encoder_answers_in_tokens(rt):
    from modules import shared
    from modules.sd_hijack import model_hijack

    encoder = shared.sd_model.cond_stage_model
    chunks, count = encoder.tokenize_line("a (cat:1.5)")
    assert count == 2 and len(chunks[0].tokens) == 77 and chunks[0].multipliers[2] == 1.5 and encoder.wrapped.id_end == 49407
    assert model_hijack.get_prompt_lengths("a cat") == (2, 75)


def test_errors_of_a_wrapped_call_become_its_last_output(rt):
    from modules.call_queue import wrap_gradio_gpu_call

    def fails():
        raise ValueError("no <b>")

    kept, said = wrap_gradio_gpu_call(fails, extra_outputs=[None])()
    assert kept is None and "no &lt;b&gt;" in said and not rt.queue.turn.locked()


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
