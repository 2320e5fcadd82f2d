"""Settings of the page: prompts, gallery, previews, infotext."""
from modules.settings.row import Section, check, multi, number, radio, slide, text

# The list that the community keeps.
EXTENSION_INDEX = "https://raw.githubusercontent.com/AUTOMATIC1111/stable-diffusion-webui-extensions/master/index.json"

BLOCKS = ("prompt", "image", "inpaint", "sampler", "accordions", "checkboxes", "dimensions", "cfg", "denoising", "seed", "batch",
          "override_settings", "scripts")  # fmt: skip

PAGE_SECTIONS = (
    Section(id="ui_prompt_editing", title="Prompt editing", category="ui", rows=(
        slide("keyedit_precision_attention", 0.1, "Ctrl+up/down: step of (attention:1.1)", 0.01, 0.2, 0.001),
        slide("keyedit_precision_extra", 0.05, "Ctrl+up/down: step of <extra networks:0.9>", 0.01, 0.2, 0.001),
        text("keyedit_delimiters", r".,\/!?%^*;:{}=`~() ", "Ctrl+up/down: word delimiters"),
        multi("keyedit_delimiters_whitespace", ("Tab", "Carriage Return", "Line Feed"), "Ctrl+up/down: whitespace delimiters",
              "Tab", "Carriage Return", "Line Feed"),
        check("keyedit_move", True, "Alt+left/right moves prompt elements"),
        check("prompt_completion", True, "Offer names while a prompt is typed",
              info="networks, embeddings, styles, wildcards, tags of CSV files in the folder tags; what is unknown is said below"),
        check("disable_token_counters", False, "Disable token counters", reload=True),
        check("include_styles_into_token_counters", True, "Count tokens of enabled styles"),
    )),
    Section(id="canvas_hotkey", title="Canvas keys", category="ui", rows=(
        radio("canvas_hotkey_zoom", "Alt", "Zoom with the wheel and", "Shift", "Ctrl", "Alt"),
        radio("canvas_hotkey_adjust", "Ctrl", "Brush size with the wheel and", "Shift", "Ctrl", "Alt"),
        text("canvas_hotkey_shrink_brush", "Q", "Smaller brush"),
        text("canvas_hotkey_grow_brush", "W", "Larger brush"),
        text("canvas_hotkey_move", "F", "Move the view while held"),
        text("canvas_hotkey_fullscreen", "S", "Fill the window"),
        text("canvas_hotkey_reset", "R", "Fit the picture into the canvas"),
        text("canvas_hotkey_overlap", "O", "Show or hide what is drawn"),
    )),
    Section(id="ui_gallery", title="Gallery", category="ui", rows=(
        check("return_grid", True, "Show grid in gallery"),
        check("do_not_show_images", False, "Show no images in gallery"),
        check("js_modal_lightbox", True, "Lightbox"),
        check("js_modal_lightbox_initially_zoomed", True, "Lightbox: start zoomed in"),
        radio("open_dir_button_choice", "Subdirectory", "Folder that 📂 opens", "Output Root", "Subdirectory"),
    )),
    Section(id="ui_alternatives", title="UI alternatives", category="ui", rows=(
        check("samplers_in_dropdown", True, "Samplers in a dropdown", reload=True),
        check("sd_checkpoint_dropdown_use_short", False, "Checkpoint dropdown: names without folders", reload=True),
        check("hires_fix_show_sampler", False, "Hires fix: show checkpoint, sampler and schedule", reload=True),
        check("hires_fix_show_prompts", False, "Hires fix: show prompt and negative prompt", reload=True),
        check("interrupt_after_current", False, "Don't Interrupt in the middle",
              info="the current image is finished; a second press stops it"),
    )),
    Section(id="ui", title="User interface", category="ui", rows=(
        multi("quicksettings_list", ("sd_model_checkpoint",), "Quicksettings list", reload=True,
              info="settings shown above the tabs"),
        multi("ui_tab_order", (), "UI tab order", reload=True),
        multi("hidden_tabs", (), "Hidden UI tabs", reload=True),
        multi("ui_reorder_list", (), "UI item order for txt2img/img2img tabs", *BLOCKS, info="those chosen come first", reload=True),
        check("show_progress_in_title", True, "Progress in the window title"),
        check("notification_window", False, "A notification when all jobs are done and the page is not in sight"),
        radio("restore_form", "Browser", "Values of the forms after a reload", "Defaults", "Browser", "Browser, else server",
              info="as they were last in this browser; where it knows none, as they were last anywhere"),
        check("send_seed", True, "Send the seed with a picture to another tab"),
        check("send_size", True, "Send the size with a picture to another tab"),
    )),
    Section(id="infotext", title="Infotext", category="ui", rows=(
        check("enable_pnginfo", True, "Write infotext into images"),
        check("save_txt", False, "Write infotext into a text file beside each image"),
        check("add_model_name_to_info", True, "Add model name to infotext"),
        check("add_model_hash_to_info", True, "Add model hash to infotext"),
        check("add_user_name_to_info", False, "Add user name to infotext when authenticated"),
        check("add_version_to_infotext", True, "Add program version to infotext"),
        check("add_replay_to_infotext", True, "Add what Replay needs to infotext",
              info="place in the batch, hashes, settings without a name of their own; under the key Easel"),
        check("disable_weights_auto_swap", True, "Ignore the checkpoint of pasted infotext"),
        multi("infotext_skip_pasting", (), "Ignored fields of pasted infotext"),
        radio("infotext_styles", "Apply if any", "Styles in pasted infotext", "Ignore", "Apply", "Discard", "Apply if any"),
    )),
    Section(id="live-previews", title="Live previews", category="ui", rows=(
        check("show_progressbar", True, "Show progressbar"),
        check("live_previews_enable", True, "Live previews"),
        radio("live_previews_image_format", "png", "Live preview file format", "jpeg", "png", "webp"),
        check("show_progress_grid", True, "Preview the whole batch as a grid"),
        slide("show_progress_every_n_steps", 10, "Live preview every N steps", -1, 32, 1,
              info="-1: only after each batch"),
        radio("show_progress_type", "Approx NN", "Live preview method", "Full", "Approx NN", "Approx cheap", "TAESD",
              info="in models/VAE-approx, Approx NN needs model.pt (SDXL: vaeapprox-sdxl.pt) and TAESD taesd_decoder.pth (SDXL: "
                   "taesdxl_decoder.pth), or .safetensors; without its file, and for models with a VAE of their own, Approx cheap is used"),
        radio("live_preview_content", "Prompt", "Live preview subject", "Combined", "Prompt", "Negative prompt"),
        number("live_preview_refresh_period", 1000, "Progressbar and preview update period", 100, 60000, info="in milliseconds"),
    )),
    Section(id=None, title="Hidden options", category=None, rows=(
        multi("disabled_extensions", (), "Disable these extensions"),
        radio("disable_all_extensions", "none", "Disable all extensions", "none", "extra", "all"),
        text("extension_index_url", EXTENSION_INDEX, "Address of the list of extensions", restrict_api=True),
        text("sd_checkpoint_hash", "", "SHA-256 of the current checkpoint"),
    )),
)  # fmt: skip
