"""Parameters that are read out of the graph that ComfyUI stores."""
import copy
import json

import pytest

from modules.imaging import infotext
from modules.imaging.foreign_infotext import reading_of
from modules.prompt.compose import split_and
from modules.prompt.parse import parse_emphasis, strip_comments

PLAIN = {
    "3": {"class_type": "KSampler", "inputs": {
        "seed": 5, "steps": 20, "cfg": 8.0, "sampler_name": "dpmpp_2m_sde_gpu", "scheduler": "karras", "denoise": 1.0, "model": ["4", 0],
        "positive": ["6", 0], "negative": ["7", 0], "latent_image": ["5", 0]}},
    "4": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "SD1.5\\dream.safetensors"}},
    "5": {"class_type": "EmptyLatentImage", "inputs": {"width": 512, "height": 768, "batch_size": 1}},
    "6": {"class_type": "CLIPTextEncode", "inputs": {"text": "a cat, embedding:ink.pt", "clip": ["4", 1]}},
    "7": {"class_type": "CLIPTextEncode", "inputs": {"text": "bad", "clip": ["4", 1]}},
    "8": {"class_type": "VAEDecode", "inputs": {"samples": ["3", 0], "vae": ["4", 2]}},
    "9": {"class_type": "SaveImage", "inputs": {"images": ["8", 0], "filename_prefix": "x"}, "is_changed": [float("nan")]},
}
PLAIN_FIELDS = {"Prompt": "a cat, ink", "Negative prompt": "bad", "Steps": "20", "Sampler": "DPM++ 2M SDE", "Schedule type": "Karras",
                "CFG scale": "8", "Seed": "5", "Size-1": "512", "Size-2": "768", "Model": "dream", "RNG": "CPU", "Version": "ComfyUI"}


def graph(**nodes) -> dict:
    """PLAIN with nodes added or replaced: id=(class_type, inputs)."""
    changed = copy.deepcopy(PLAIN)
    changed |= {key.lstrip("n"): {"class_type": kind, "inputs": inputs} for key, (kind, inputs) in nodes.items()}
    return changed


def read(prompt: dict, key: str = "prompt"):
    return reading_of({key: json.dumps(prompt)})


def fields(prompt: dict) -> dict:
    return infotext.read_fields(read(prompt).text)


def sampler(**changes) -> tuple[str, dict]:
    return "KSampler", {**PLAIN["3"]["inputs"], **changes}


def test_the_plain_graph_is_translated_completely():
    reading = read(PLAIN)
    assert (reading.program, reading.notes) == ("ComfyUI", ())
    assert infotext.read_fields(reading.text) == PLAIN_FIELDS


def test_the_graph_is_found_in_exif_too():
    assert infotext.read_fields(reading_of({"Model": "prompt:" + json.dumps(PLAIN), "Make": "workflow:{}"}).text) == PLAIN_FIELDS


def test_loras_layer_and_vae_are_found_along_the_links():
    found = fields(graph(
        n3=sampler(model=["10", 0]), n10=("LoraLoader", {"lora_name": "ink.safetensors", "strength_model": 0.8, "strength_clip": 0.8,
                                                         "model": ["11", 0], "clip": ["4", 1]}),
        n11=("Power Lora Loader (rgthree)", {"lora_1": {"on": True, "lora": "two.safetensors", "strength": 0.5},
                                             "lora_2": {"on": False, "lora": "off", "strength": 1}, "model": ["4", 0]}),
        n6=("CLIPTextEncode", {"text": "a cat", "clip": ["12", 0]}),
        n12=("CLIPSetLastLayer", {"stop_at_clip_layer": -2, "clip": ["10", 1]}), n13=("VAELoader", {"vae_name": "mse.pt"})))
    assert (found["Prompt"], found["Clip skip"], found["VAE"]) == ("a cat <lora:ink:0.8> <lora:two:0.5>", "2", "mse")


def test_texts_are_followed_through_other_nodes():
    found = fields(graph(n6=("CLIPTextEncode", {"text": ["20", 0]}),
                         n20=("StringConcatenate", {"string_a": "a cat", "string_b": ["21", 0], "delimiter": ", "}),
                         n21=("PrimitiveString", {"value": "a [dog]"}), n3=sampler(seed=["22", 0]), n22=("Seed (rgthree)", {"seed": 77})))
    assert (found["Prompt"], found["Seed"]) == (r"a cat, a \[dog\]", "77")


def test_combined_conditions_count_alike_and_concatenated_ones_follow_each_other():
    nodes = {"n11": ("CLIPTextEncode", {"text": "sky"})}
    both = {"conditioning_1": ["7", 0], "conditioning_2": ["11", 0]}
    combined = fields(graph(n3=sampler(positive=["10", 0]), n10=("ConditioningCombine", both), **nodes))
    following = {"conditioning_to": ["7", 0], "conditioning_from": ["11", 0]}
    concatenated = fields(graph(n3=sampler(positive=["10", 0]), n10=("ConditioningConcat", following), **nodes))
    assert combined["Prompt"] == "bad :0.5 AND sky :0.5"
    assert sum(weight for _, weight in split_and(combined["Prompt"])) == 1
    assert concatenated["Prompt"] == "bad BREAK sky"


@pytest.mark.parametrize("text", ["a film still, 16:9", "16:9 #1"])
def test_numbers_and_signs_at_the_end_keep_their_meaning(text):
    found = fields(graph(n6=("CLIPTextEncode", {"text": text})))
    [(prompt, weight)] = split_and(strip_comments(found["Prompt"]))
    assert ("".join(piece for piece, _ in parse_emphasis(prompt)), weight) == (text, 1)


def test_a_word_that_acts_here_is_named():
    reading = read(graph(n6=("CLIPTextEncode", {"text": "salt AND pepper"})))
    assert reading.notes == ("The prompt holds the word AND, which has a meaning of its own here.",)


def test_controlnet_is_walked_through_on_its_side_and_named():
    inputs = {"positive": ["6", 0], "negative": ["7", 0], "strength": 1.0}
    reading = read(graph(n3=sampler(positive=["10", 0], negative=["10", 1]), n10=("ControlNetApplyAdvanced", inputs)))
    found = infotext.read_fields(reading.text)
    assert (found["Prompt"], found["Negative prompt"]) == ("a cat, ink", "bad")
    assert any("ControlNetApplyAdvanced" in note for note in reading.notes)


def test_the_sampler_in_parts_is_put_together():
    parts = {"n3": ("SamplerCustomAdvanced", {"noise": ["20", 0], "guider": ["21", 0], "sampler": ["22", 0], "sigmas": ["23", 0],
                                              "latent_image": ["5", 0]}),
             "n20": ("RandomNoise", {"noise_seed": 5}), "n22": ("KSamplerSelect", {"sampler_name": "dpmpp_2m_sde_gpu"}),
             "n21": ("CFGGuider", {"cfg": 8.0, "model": ["4", 0], "positive": ["6", 0], "negative": ["7", 0]}),
             "n23": ("KarrasScheduler", {"steps": 20, "sigma_max": 14.6, "sigma_min": 0.03, "rho": 7})}
    assert fields(graph(**parts)) == PLAIN_FIELDS


def test_a_second_sampler_behind_a_larger_latent_picture_is_hires_fix():
    reading = read(graph(n8=("VAEDecode", {"samples": ["30", 0]}), n30=sampler(latent_image=["31", 0], denoise=0.5, steps=10, seed=9),
                         n31=("LatentUpscaleBy", {"upscale_method": "nearest-exact", "scale_by": 1.5, "samples": ["3", 0]})))
    found = infotext.read_fields(reading.text)
    assert [found[key] for key in ("Hires upscale", "Hires upscaler", "Hires steps", "Denoising strength", "Seed", "Steps")] == [
        "1.5", "Latent (nearest-exact)", "20", "0.5", "5", "20"]
    assert any("noise in another way" in note for note in reading.notes)


def test_a_sampler_that_goes_on_with_another_model_is_the_refiner():
    def part(begin, end, **changes):
        inputs = sampler(start_at_step=begin, end_at_step=end, noise_seed=5, **changes)[1]
        return "KSamplerAdvanced", {key: value for key, value in inputs.items() if key not in ("seed", "denoise")}
    found = fields(graph(n3=part(0, 16), n30=part(16, 1000, model=["40", 0], latent_image=["3", 0]),
                         n8=("VAEDecode", {"samples": ["30", 0]}), n40=("CheckpointLoaderSimple", {"ckpt_name": "refine.safetensors"})))
    assert (found["Model"], found["Refiner"], found["Refiner switch at"], found["Seed"]) == ("dream", "refine", "0.8", "5")


def test_a_picture_at_the_beginning_makes_it_image_to_image_with_the_steps_of_the_whole_plan():
    reading = read(graph(n3=sampler(latent_image=["30", 0], denoise=0.5), n30=("VAEEncode", {"pixels": ["31", 0], "vae": ["4", 2]}),
                         n31=("LoadImage", {"image": "x.png"})))
    found = infotext.read_fields(reading.text)
    assert (found["Denoising strength"], found["Steps"]) == ("0.5", "40")
    assert reading.notes == ("It was made from another picture, which is not in the file.",)


def test_nodes_that_changed_the_model_are_named():
    reading = read(graph(n3=sampler(model=["10", 0]), n10=("FreeU_V2", {"model": ["4", 0], "b1": 1.3})))
    assert reading.notes == ("Nodes that changed the model were left out: FreeU_V2.",)


def test_the_graph_of_the_editor_is_read_where_that_of_the_run_is_missing():
    def node(number, kind, widgets, inputs, **more):
        sockets = [{"name": name, "link": link, "type": of_type} for name, link, of_type in inputs]
        return {"id": number, "type": kind, "widgets_values": widgets, "inputs": sockets, **more}
    workflow = {
        "nodes": [
            node(3, "KSampler", [5, "randomize", 20, 8, "dpmpp_2m_sde_gpu", "karras", 1],
                 [("model", 1, "MODEL"), ("positive", 2, "CONDITIONING"), ("negative", 3, "CONDITIONING"), ("latent_image", 4, "LATENT")]),
            node(4, "CheckpointLoaderSimple", ["dream.safetensors"], []), node(5, "EmptyLatentImage", [512, 768, 1], []),
            node(6, "CLIPTextEncode", ["a cat, embedding:ink"], []), node(7, "CLIPTextEncode", ["bad"], []),
            node(10, "FreeU", [1, 1], [("model", 6, "MODEL")], mode=4, outputs=[{"type": "MODEL"}]),
            node(9, "SaveImage", ["x"], [("images", 5, "IMAGE")])],
        "links": [[1, 10, 0, 3, 0, "MODEL"], [2, 6, 0, 3, 1, "C"], [3, 7, 0, 3, 2, "C"], [4, 5, 0, 3, 3, "LATENT"],
                  [5, 3, 0, 9, 0, "IMAGE"], [6, 4, 0, 10, 0, "MODEL"]]}
    reading = read(workflow, "workflow")
    assert (infotext.read_fields(reading.text), reading.notes) == (PLAIN_FIELDS, ())


@pytest.mark.parametrize("prompt", [
    graph(n3=sampler(latent_image=["3", 0], positive=["3", 0], negative=["3", 0], model=["3", 0])),
    graph(n6=("ConditioningCombine", {"conditioning_1": ["6", 0], "conditioning_2": ["6", 0]})),
    graph(n6=("CLIPTextEncode", {"text": ["20", 0]}), n20=("StringConcatenate", {"string_a": ["20", 0], "string_b": ["20", 0]})),
    graph(n6=("CLIPTextEncode", {"text": ["20", 0]}), n20=("PrimitiveString", {"value": ["20", 0]})),
])
def test_circles_end(prompt):
    assert read(prompt).program == "ComfyUI"


def test_a_tower_of_combinations_ends():
    tower = {f"n{number}": ("ConditioningCombine", {"conditioning_1": [str(number + 1), 0], "conditioning_2": [str(number + 1), 0]})
             for number in range(100, 140)}
    reading = read(graph(n3=sampler(positive=["100", 0]), n140=("CLIPTextEncode", {"text": "x"}), **tower))
    assert len(reading.text) < 2000


def test_a_graph_without_a_sampler_says_so():
    reading = read({"1": {"class_type": "CLIPTextEncode", "inputs": {"text": "a cat"}}})
    assert infotext.read_fields(reading.text)["Prompt"] == "a cat" and "no sampler" in reading.notes[0]
