"""Settings that extensions read and that mean nothing here: they have their usual values, and the Settings tab does not show them."""
from __future__ import annotations

from typing import Any

from modules.settings.option import OptionInfo

DEFAULTS: dict[str, Any] = {
    "sd_unet": "Automatic", "dataset_filename_word_regex": "", "dataset_filename_join_string": " ",
    "training_image_repeats_per_epoch": 1, "sd_lora": "None", "lora_functional": False, "lora_preferred_name": "Alias from file",
    "lora_bundled_ti_to_infotext": True, "lora_add_hashes_to_infotext": True, "lora_show_all": False, "lora_in_memory_limit": 0,
    "sd_vae_as_default": True, "multiple_tqdm": True, "upcast_attn": False, "upcast_sampling": False,
    "cross_attention_optimization": "Automatic", "enable_emphasis": True, "enable_batch_seeds": True,
    "experimental_persistent_cond_cache": True, "restore_faces": False, "interrogate_return_ranks": False,
    "interrogate_clip_max_length": 48, "deepbooru_score_threshold": 0.5, "deepbooru_use_spaces": True, "deepbooru_escape": True,
    "deepbooru_sort_alpha": True, "deepbooru_filter_tags": "", "temp_dir": "", "clean_temp_dir_at_start": False,
    "gradio_theme": "Default", "show_warnings": False, "memmon_poll_rate": 0, "samples_log_stdout": False, "print_hypernet_extra": False,
    "list_hidden_files": True, "extra_networks_card_width": 0, "extra_networks_card_height": 0, "ui_extra_networks_tab_reorder": "",
    "dimensions_and_batch_together": True, "quicksettings": "sd_model_checkpoint", "ui_reorder": "", "compact_prompt_box": False,
    "restore_config_state_file": "", "notification_volume": 100, "localization": "None",
}


def register(settings: Any) -> None:
    """Let them be read; a value that the file of settings holds for one counts."""
    for key, default in DEFAULTS.items():
        if key not in settings.data_labels:
            settings.add_option(key, OptionInfo(default, key))


def register_translation(settings: Any, names: list[str]) -> None:
    """The choice among translations, where there are any."""
    if names and "localization" not in settings.data_labels:
        choices = {"choices": ["None", *names]}
        settings.add_option("localization", OptionInfo("None", "Translation of the page", "dropdown", choices,
                                                       section=("ui", "User interface", "ui")).needs_reload_ui())
