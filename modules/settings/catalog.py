"""Every built-in setting, as data: sections in the order of the Settings tab."""
from dataclasses import replace

from modules.settings.files_catalog import FILE_SECTIONS
from modules.settings.option import OptionInfo
from modules.settings.page_catalog import PAGE_SECTIONS
from modules.settings.picture_catalog import PICTURE_SECTIONS
from modules.settings.row import Section

SECTIONS: tuple[Section, ...] = (*FILE_SECTIONS, *PICTURE_SECTIONS, *PAGE_SECTIONS)

# Nothing reads these yet. Files, extensions and the API may hold them, but the Settings tab does not show them.
NOT_YET = frozenset({
    "grid_prevent_empty_spots", "grid_zip_filename_pattern", "save_images_before_highres_fix", "img_max_size_mp", "save_selected_only",
    "outdir_save", "use_save_to_dirs_for_ui", "token_merging_ratio", "token_merging_ratio_hr", "pad_cond_uncond_v0",
    "persistent_cond_cache", "auto_backcompat", "use_old_hires_fix_width_height", "hires_fix_use_firstpass_conds", "do_not_show_images",
    "js_modal_lightbox_initially_zoomed", "open_dir_button_choice", "samplers_in_dropdown", "sd_checkpoint_dropdown_use_short",
    "hires_fix_show_sampler", "hires_fix_show_prompts", "ui_tab_order", "hidden_tabs", "ui_reorder_list", "show_progress_in_title",
    "add_user_name_to_info", "disable_weights_auto_swap", "show_progressbar", "live_preview_refresh_period", "disabled_extensions",
    "disable_all_extensions", "sd_checkpoint_hash",
})  # fmt: skip


def built_in_options() -> dict[str, OptionInfo]:
    """A fresh OptionInfo for every built-in setting, by key."""
    return {row.key: row.option(_shown_in(section, row.key)) for section in SECTIONS for row in section.rows}


def _shown_in(section: Section, key: str) -> Section:
    return replace(section, id=None) if key in NOT_YET else section
