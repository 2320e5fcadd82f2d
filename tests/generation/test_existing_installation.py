"""Another program's folder: what is found in it, what using it would change, and that nothing else changes."""
import json

import pytest
import torch
from safetensors.torch import save_file

from modules.errors import UserError
from modules.existing_installation import look_at
from modules.folders import Folders
from modules.import_plan import Target, apply_plan, plan_of, with_named_folders
from modules.settings.catalog import built_in_options
from modules.settings.store import Options
from modules.styles import StyleTable


def write_model(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file({"a": torch.zeros(2)}, path)
    return path


@pytest.fixture
def a1111(tmp_path):
    """A folder like A1111's, with its files of settings."""
    root = tmp_path / "webui"
    for place in ("models/Stable-diffusion/sub/big", "models/Lora/style", "embeddings/word", "models/hypernetworks/net", "models/VAE/v"):
        write_model(root / f"{place}.safetensors")
    (root / "modules").mkdir()
    (root / "modules" / "sd_models.py").write_text("")
    (root / "config.json").write_text(json.dumps({
        "samples_format": "jpg", "CLIP_stop_at_last_layers": 2, "jpeg_quality": "much", "sd_model_checkpoint": "sub\\big.safetensors",
        "sd_checkpoint_hash": "abc", "tac_tagFile": "danbooru.csv", "outdir_save": "log/images"}))
    (root / "ui-config.json").write_text(json.dumps({
        "txt2img/Sampling method/value": "DPM++ 2M Karras", "txt2img/Sampling steps/value": 31, "txt2img/Width/maximum": 4096,
        "img2img/Denoising strength/value": 0.75, "txt2img/Batch count/visible": False, "customscript/x.py/txt2img/Y/value": 3,
        "txt2img/CFG Scale/value": "seven"}))
    (root / "styles.csv").write_text("name,prompt,negative_prompt\nfilm,grainy {prompt},digital\nhere,same,\n", encoding="utf-8-sig")
    return root


@pytest.fixture
def target(tmp_path):
    folders = Folders(data=tmp_path / "easel")
    folders.data.mkdir()
    folders.styles_file.write_text("name,prompt,negative_prompt\nhere,same,\nmine,own,\n")
    settings = Options(built_in_options(), folders.config_file)
    return Target(settings=settings, folders=folders, styles=StyleTable([folders.styles_file]))


def snapshot(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def found_folders(installation):
    return {(folder.setting, folder.path.relative_to(installation.root).as_posix()): folder.files for folder in installation.folders}


def test_the_models_of_a1111_are_found_where_they_are(a1111):
    found = look_at(a1111)
    assert found.program == "A1111" and found_folders(found) == {
        ("folders_checkpoints", "models/Stable-diffusion"): 1, ("folders_lora", "models/Lora"): 1, ("folders_embeddings", "embeddings"): 1,
        ("folders_hypernetworks", "models/hypernetworks"): 1, ("folders_vae", "models/VAE"): 1}
    assert found.config and found.form_defaults and found.styles


@pytest.mark.parametrize("mark, program, places", [
    ("comfy/x", "ComfyUI", {
        "models/checkpoints": "folders_checkpoints", "models/loras": "folders_lora", "models/embeddings": "folders_embeddings",
        "models/upscale_models": "folders_upscalers", "models/vae_approx": "folders_vae_approx"}),
    ("modules_forge/x", "Forge", {"models/Stable-diffusion": "folders_checkpoints"}),
    ("installer.py", "SD.Next", {"models/embeddings": "folders_embeddings", "models/Lora": "folders_lora"}),
    ("invokeai.yaml", "InvokeAI", {"models/sdxl/main": "folders_checkpoints", "models/sd-1/embedding": "folders_embeddings"})])
def test_other_programs_are_told_apart(tmp_path, mark, program, places):
    (tmp_path / mark).parent.mkdir(exist_ok=True)
    (tmp_path / mark).write_text("")
    for place in places:
        write_model(tmp_path / place / "m.safetensors")
    found = look_at(tmp_path / "models")
    assert found.program == program and set(found_folders(found)) == {(setting, place) for place, setting in places.items()}


def test_folders_that_start_scripts_and_lists_of_paths_name_are_found(tmp_path):
    root = tmp_path / "program"
    for place in ("flags", "with space", "comfy/a", "comfy/b"):
        write_model(tmp_path / place / "m.safetensors")
    root.mkdir()
    (root / "webui-user.sh").write_text(
        f'#export COMMANDLINE_ARGS="--ckpt-dir /nowhere"\nexport COMMANDLINE_ARGS="--medvram --ckpt-dir {tmp_path}/flags '
        f"--lora-dir '{tmp_path}/with space'\"\n")
    (root / "extra_model_paths.yaml").write_text(f"a111:\n  base_path: {tmp_path}/comfy\n  checkpoints: |\n    a\n    b\n")
    found = {(folder.setting, folder.path.relative_to(tmp_path).as_posix()) for folder in look_at(root).folders}
    assert found == {("folders_checkpoints", "flags"), ("folders_lora", "with space"), ("folders_checkpoints", "comfy/a"),
                     ("folders_checkpoints", "comfy/b")}


@pytest.mark.parametrize("name", ["missing", "empty", "a file"])
def test_a_folder_without_anything_is_refused_with_a_sentence(tmp_path, name):
    (tmp_path / "empty").mkdir()
    (tmp_path / "a file").write_text("")
    with pytest.raises(UserError):
        look_at(tmp_path / name)


def test_differences_are_shown_before_anything_changes(a1111, target):
    before = snapshot(a1111), snapshot(target.folders.data)
    plan = plan_of(look_at(a1111), target)
    assert {change.key: (change.before, change.after, bool(change.problem)) for change in plan.settings} == {
        "samples_format": ("png", "jpg", False), "CLIP_stop_at_last_layers": (1, 2, False), "jpeg_quality": (80, "much", True),
        "sd_model_checkpoint": (None, "sub/big.safetensors", False)}
    assert plan.kept == {"tac_tagFile": "danbooru.csv"}
    assert {change.key: change.after for change in plan.form} == {
        "txt2img/Schedule type/value": "Karras", "txt2img/Sampling steps/value": 31, "txt2img/Width/maximum": 4096,
        "txt2img/Batch count/visible": False}
    assert [style.name for style in plan.styles] == ["film"]
    assert (snapshot(a1111), snapshot(target.folders.data)) == before


def test_applying_uses_models_in_place_and_keeps_what_was_here(a1111, target):
    theirs = snapshot(a1111)
    target.folders.ui_config_file.write_text(json.dumps({"txt2img/Seed/value": 5}))
    said = apply_plan(plan_of(look_at(a1111), target), target)
    assert "Used in place: 5 files in 5 folders." in said and snapshot(a1111) == theirs
    stored = Options(built_in_options(), target.folders.config_file)
    stored.load()
    assert (stored.samples_format, stored.jpeg_quality, stored.data["tac_tagFile"]) == ("jpg", 80, "danbooru.csv")
    assert with_named_folders(target.folders, stored).extra_checkpoints == (a1111 / "models/Stable-diffusion",)
    assert json.loads(target.folders.ui_config_file.read_text()) == {
        "txt2img/Seed/value": 5, "txt2img/Schedule type/value": "Karras", "txt2img/Sampling steps/value": 31, "txt2img/Width/maximum": 4096,
        "txt2img/Batch count/visible": False}
    assert StyleTable([target.folders.styles_file]).names() == ["here", "mine", "film"]


def test_a_second_time_there_is_nothing_to_change(a1111, target):
    apply_plan(plan_of(look_at(a1111), target), target)
    again = Target(settings=target.settings, folders=with_named_folders(target.folders, target.settings), styles=target.styles)
    plan = plan_of(look_at(a1111), again)
    assert plan.is_empty and len(plan.used_already) == 5 and apply_plan(plan, again) == ["Nothing was left to change."]


def test_parts_can_be_left_out(a1111, target):
    apply_plan(plan_of(look_at(a1111), target), target, ["styles"])
    assert "film" in target.styles.names() and not target.folders.config_file.exists() and not target.folders.ui_config_file.exists()


def test_damaged_files_are_named_and_stop_nothing(a1111, target):
    (a1111 / "config.json").write_text("{")
    (a1111 / "ui-config.json").write_text("[1]")
    plan = plan_of(look_at(a1111), target)
    assert len(plan.notes) == 2 and "config.json" in plan.notes[0] and plan.folders and plan.styles


def test_frozen_settings_stay_as_they_are(a1111, tmp_path, target):
    frozen = Target(settings=Options(built_in_options(), target.folders.config_file, is_frozen=True), folders=target.folders,
                    styles=target.styles)
    with pytest.raises(UserError, match="freeze-settings"):
        apply_plan(plan_of(look_at(a1111), frozen), frozen)
    assert not target.folders.config_file.exists()
