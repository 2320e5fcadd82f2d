"""python webui.py merge: checkpoints from the command line."""
import json
from pathlib import Path

import torch
from safetensors.torch import load_file


def test_the_merged_file_is_printed_and_holds_what_the_flags_say(command):
    flags = ("--multiplier", "0.5", "--half", "--no-add-recipe", "--custom-name", "ours")
    status, out, _ = command("merge", "tiny-sd1-s1", "tiny-sd1-s2", *flags)
    path = Path(out.strip())
    assert status == 0 and path.name == "ours.safetensors"
    assert load_file(path)["first_stage_model.decoder.conv_out.weight"].dtype == torch.float16


def test_the_answer_can_be_json_and_a_wrong_name_is_a_sentence(command):
    status, out, _ = command("merge", "tiny-sd1-s1", "--method", "No interpolation", "--json")
    assert status == 0 and json.loads(out)["path"].endswith("tiny-sd1-s1-1.safetensors")
    status, out, err = command("merge", "tiny-sd1-s1", "nobody")
    assert (status, out) == (2, "") and 'There is no checkpoint "nobody"' in err
